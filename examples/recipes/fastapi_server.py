from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from openai import AsyncOpenAI

from openrouter_otel import OpenRouterInstrumentor, usage_context


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    OpenRouterInstrumentor().instrument()
    yield
    OpenRouterInstrumentor().uninstrument()  # writes what is left


app = FastAPI(lifespan=lifespan)
client = AsyncOpenAI()


@app.get("/ask")
async def ask(question: str, user: str) -> str | None:
    with usage_context(user=user, tags={"endpoint": "ask"}):
        answer = await client.chat.completions.create(
            model="openai/gpt-5-mini", messages=[{"role": "user", "content": question}]
        )
    return answer.choices[0].message.content

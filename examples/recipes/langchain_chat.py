from langchain_openai import ChatOpenAI

from openrouter_otel import OpenRouterInstrumentor, usage_context

OpenRouterInstrumentor().instrument(journal="usage.db")
model = ChatOpenAI(model="openai/gpt-5-mini")

with usage_context(user="alice", tags={"chain": "greeting"}) as usage:
    print(model.invoke("Say hello").content)
    for piece in model.stream("Say it again"):
        print(piece.content, end="")
    print()

print(f"{usage.requests} calls, ${usage.cost}")

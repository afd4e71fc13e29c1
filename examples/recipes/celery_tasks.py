from celery import Celery
from openai import OpenAI

from openrouter_otel import OpenRouterInstrumentor, usage_context

OpenRouterInstrumentor().instrument()
app = Celery("celery_tasks")  # where its broker is, CELERY_BROKER_URL says
client = OpenAI()


@app.task
def summarise(text: str, user: str) -> str | None:
    with usage_context(user=user, tags={"task": "summarise"}):
        answer = client.chat.completions.create(
            model="openai/gpt-5-mini", messages=[{"role": "user", "content": f"Summarise: {text}"}]
        )
    return answer.choices[0].message.content

from openai import OpenAI

from openrouter_otel import OpenRouterInstrumentor, usage_context

OpenRouterInstrumentor().instrument(journal="usage.db")
client = OpenAI()

with usage_context(user="alice", tags={"job": "nightly"}) as usage:
    answer = client.chat.completions.create(
        model="openai/gpt-5-mini", messages=[{"role": "user", "content": "Say hello"}]
    )
    print(answer.choices[0].message.content)

print(f"{usage.requests} call, {usage.output_tokens} tokens out, ${usage.cost}")

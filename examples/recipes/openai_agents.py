import asyncio

from agents import Agent, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from openai import AsyncOpenAI

from openrouter_otel import OpenRouterInstrumentor, usage_context

OpenRouterInstrumentor().instrument(journal="usage.db")
set_tracing_disabled(True)  # else the SDK sends its traces, prompts included, to OpenAI

agent = Agent(
    name="assistant",
    instructions="Answer in one sentence.",
    model=OpenAIChatCompletionsModel("openai/gpt-5-mini", AsyncOpenAI()),
)


async def main() -> None:
    with usage_context(user="alice", session="s-1") as usage:
        print((await Runner.run(agent, "Say hello")).final_output)

        streamed = Runner.run_streamed(agent, "Say it again")
        async for _ in streamed.stream_events():
            pass
        print(streamed.final_output)

    print(f"{usage.requests} calls, ${usage.cost}")


asyncio.run(main())

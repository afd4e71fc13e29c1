"""The models on offer, who serves them and what they cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from .book import Tokens

_MILLION: Final = Decimal(1_000_000)
_FINEST: Final = Decimal("1e-12")


@dataclass(frozen=True)
class Model:
    """One row of the price list; USD, and but for `request` per million tokens.

    Attributes:
        prompt: input tokens.
        completion: output tokens, reasoning included.
        cache_read: those of the input that came from a prompt cache.
        cache_write: those of the input that were written to one.
        request: the call itself.
        output: what comes out: ``text``, ``embeddings``, ``audio``, ...
    """

    slug: str
    provider: str
    native_stop: str
    prompt: Decimal
    completion: Decimal
    cache_read: Decimal
    cache_write: Decimal
    request: Decimal = Decimal(0)
    output: str = "text"

    def price(self, tokens: Tokens) -> Decimal:
        """What these tokens cost, to at most twelve decimals."""
        return self.request + self.prompt_price(tokens) + self.completion_price(tokens)

    def prompt_price(self, tokens: Tokens) -> Decimal:
        """The input's part of `price`."""
        plain = tokens.input - tokens.cache_read - tokens.cache_write
        return _usd(plain * self.prompt + tokens.cache_read * self.cache_read + tokens.cache_write * self.cache_write)

    def completion_price(self, tokens: Tokens) -> Decimal:
        """The output's part of `price`."""
        return _usd(tokens.output * self.completion)


def _usd(millionths: Decimal) -> Decimal:
    return (millionths / _MILLION).quantize(_FINEST)


def _model(slug: str, provider: str, native_stop: str, *prices: str) -> Model:
    return Model(slug, provider, native_stop, *map(Decimal, prices))  # type: ignore[arg-type, unused-ignore]


def _other(slug: str, provider: str, output: str, prompt: str, completion: str = "0", request: str = "0") -> Model:
    row = _model(slug, provider, "stop", prompt, completion, prompt, prompt, request)
    return replace(row, output=output)


MODELS: Final = {
    model.slug: model
    for model in (
        _model("openai/gpt-5", "OpenAI", "completed", "1.25", "10", "0.125", "1.25"),
        _model("openai/gpt-4o-mini", "OpenAI", "stop", "0.15", "0.6", "0.075", "0.15"),
        _model("anthropic/claude-sonnet-4.5", "Amazon Bedrock", "end_turn", "3", "15", "0.3", "3.75"),
        _model("google/gemini-2.5-flash", "Google AI Studio", "STOP", "0.3", "2.5", "0.03", "0.383"),
        _model("meta-llama/llama-3.3-70b-instruct", "DeepInfra", "stop", "0.13", "0.39", "0.13", "0.13"),
        _model("deepseek/deepseek-chat-v3.1", "Novita", "stop", "0.27", "1.000073", "0.027", "0.27"),
        _model("mistralai/mistral-small-3.2-24b-instruct:free", "Chutes", "stop", "0", "0", "0", "0"),
    )
}
OTHERS: Final = {  # what /models does not list unless asked to
    model.slug: model
    for model in (
        _other("openai/text-embedding-3-small", "OpenAI", "embeddings", "0.02"),
        _other("openai/gpt-4o-mini-tts", "OpenAI", "speech", "15"),  # a million characters
        _other("openai/whisper-large-v3", "Groq", "transcription", "1.2", "0.4"),
        _other("google/gemini-2.5-flash-image", "Google AI Studio", "image", "0.3", "30"),
        _other("cohere/rerank-v3.5", "Cohere", "rerank", "0", "0", "0.002"),
    )
}
_ROUTED: Final = "deepseek/deepseek-chat-v3.1"
ROUTERS: Final = {"openrouter/auto": "google/gemini-2.5-flash", "": "openai/gpt-4o-mini"}
FALLBACK: Final = "(fallback)"


def served(requested: str, fallbacks: list[str], wanted: str) -> str:
    """The slug that serves a request.

    Args:
        requested: the request's model.
        fallbacks: the request's `models`.
        wanted: what the scenario says; `FALLBACK` takes the next of `fallbacks`.
    """
    if wanted == FALLBACK:
        return next((slug for slug in fallbacks if slug != requested), _ROUTED)
    return wanted or ROUTERS.get(requested, requested)


def model(slug: str) -> Model:
    """The row of a slug; one that is not on the list costs what a small model costs, so tests can invent names."""
    known = MODELS.get(slug) or OTHERS.get(slug)
    return known or _model(slug, "DeepInfra", "stop", "0.1", "0.4", "0.05", "0.125")

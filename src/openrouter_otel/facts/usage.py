"""One usage object to counts and money, by a table: chat says prompt/completion, Responses says input/output.

Source of the fields: OpenRouter's usage accounting (https://openrouter.ai/docs/use-cases/usage-accounting) and the
shapes in its OpenAPI description.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from openrouter_otel.facts.reading import field, members, money, whole


class Usage(NamedTuple):
    """What a call used and cost, as told; None is "not told".

    Attributes:
        input_tokens: cached, image and audio tokens included.
        output_tokens: reasoning tokens included.
        details: (token type, count) of subsets of the two.
        cost: USD that OpenRouter charged; under BYOK its fee alone.
        byok: the caller's own provider key was used.
        provider_cost: USD that the provider bills the caller under BYOK, at list price.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    details: tuple[tuple[str, int], ...] = ()
    cost: Decimal | None = None
    byok: bool = False
    provider_cost: Decimal | None = None


INPUT: Final = ("prompt_tokens", "input_tokens")
OUTPUT: Final = ("completion_tokens", "output_tokens")
INPUT_DETAILS: Final = ("prompt_tokens_details", "input_tokens_details")
OUTPUT_DETAILS: Final = ("completion_tokens_details", "output_tokens_details")
DETAILS: Final = (
    (
        INPUT_DETAILS,
        (
            ("cache_read", "cached_tokens"),
            ("cache_write", "cache_write_tokens"),
            ("audio_input", "audio_tokens"),
            ("image_input", "image_tokens"),
            ("video_input", "video_tokens"),
        ),
    ),
    (
        OUTPUT_DETAILS,
        (
            ("reasoning", "reasoning_tokens"),
            ("audio_output", "audio_tokens"),
            ("image_output", "image_tokens"),
        ),
    ),
)


def read_usage(usage: object) -> Usage | None:
    """The usage that was told, or None where nothing was (absent, null, or nulls throughout)."""
    if usage is None:
        return None
    told = members(usage)
    told_input, told_output = _first(told, INPUT), _first(told, OUTPUT)
    if told_input is None and told_output is None:
        told_input = whole(told.get("total_tokens"))  # a usage with only a total counts as input
    byok = told.get("is_byok") is True
    facts = Usage(
        told_input,
        told_output,
        tuple(_details(told)),
        money(told.get("cost")),
        byok,
        # Without BYOK this repeats the cost: adding it would double the spend.
        money(field(told.get("cost_details"), "upstream_inference_cost")) if byok else None,
    )
    return facts if facts != Usage(byok=byok) else None


def _first(told: Mapping[str, object], spellings: tuple[str, ...]) -> int | None:
    for name in spellings:
        count = whole(told.get(name))
        if count is not None:
            return count
    return None


def _details(told: Mapping[str, object]) -> Iterator[tuple[str, int]]:
    for spellings, rows in DETAILS:
        group = next((group for name in spellings if (group := told.get(name)) is not None), None)
        if group is not None:
            subsets = members(group)
            for kind, member in rows:
                if count := whole(subsets.get(member)):
                    yield kind, count

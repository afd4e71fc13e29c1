"""One usage object to counts and money, by a table: chat says prompt/completion, Responses says input/output.

Source of the fields: OpenRouter's usage accounting (https://openrouter.ai/docs/use-cases/usage-accounting) and the
shapes in its OpenAPI description.
"""

from __future__ import annotations

from collections.abc import Mapping
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
        {
            "cached_tokens": "cache_read",
            "cache_write_tokens": "cache_write",
            "audio_tokens": "audio_input",
            "image_tokens": "image_input",
            "video_tokens": "video_input",
        },
    ),
    (
        OUTPUT_DETAILS,
        {
            "reasoning_tokens": "reasoning",
            "audio_tokens": "audio_output",
            "image_tokens": "image_output",
        },
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
    details, cost = _details(told), money(told.get("cost"))
    byok = told.get("is_byok") is True
    # Without BYOK this repeats the cost: adding it would double the spend.
    bill = money(field(told.get("cost_details"), "upstream_inference_cost")) if byok else None
    if told_input is None and told_output is None and cost is None and bill is None and not details:
        return None
    return Usage(told_input, told_output, details, cost, byok, bill)


def _first(told: Mapping[str, object], spellings: tuple[str, ...]) -> int | None:
    for name in spellings:
        count = whole(told.get(name))
        if count is not None:
            return count
    return None


def _details(told: Mapping[str, object]) -> tuple[tuple[str, int], ...]:
    found = []
    for (chat, responses), kinds in DETAILS:
        group = told.get(chat)
        if group is None:
            group = told.get(responses)
        if group is not None:
            for name, value in members(group).items():
                if value and name in kinds and (count := whole(value)):
                    found.append((kinds[name], count))
    return tuple(found)

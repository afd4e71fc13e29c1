"""How a generation's usage is told: the chat flavour of ``usage`` and the ways in which it can be incomplete.

A form returns the object that goes on the wire together with what a reader of it knows afterwards, so the book's
column "told" can never drift from the body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from . import catalogue
from .book import NOTHING, Amounts
from .generation import Generation

JSON = dict[str, Any]


@dataclass(frozen=True)
class Usage:
    """A usage on its way out.

    Attributes:
        body: its JSON; None for null.
        present: whether the key is there at all.
        told: what it says.
        complete: whether it says everything.
    """

    body: JSON | None
    told: Amounts
    complete: bool
    present: bool = True

    @classmethod
    def untold(cls, *, present: bool = False) -> Usage:
        """No word about usage."""
        return cls(None, NOTHING, complete=False, present=present)

    def under(self, key: str = "usage") -> JSON:
        """The key with its value, or nothing."""
        return {key: self.body} if self.present else {}


def usage(generation: Generation) -> Usage:
    """The usage in the form that the scenario asks for."""
    return FORMS[generation.scenario.usage](generation)


def _full(generation: Generation) -> Usage:
    counted, priced = _counted(generation), _priced(generation)
    told = generation.spent
    if not _tells_bill(generation):
        told = Amounts(told.charge, Decimal(0), told.input, told.output)
    return Usage({**counted, **priced}, told, complete=_tells_bill(generation))


def _no_cost(generation: Generation) -> Usage:
    spent = generation.spent
    return Usage(_counted(generation), Amounts(input=spent.input, output=spent.output), complete=False)


def _total(generation: Generation) -> Usage:
    known = _full(generation)
    body = {"total_tokens": _sum(generation), **_priced(generation)}
    return Usage(body, Amounts(known.told.charge, known.told.bill, _sum(generation), 0), known.complete)


def _bare_total(generation: Generation) -> Usage:
    return Usage({"total_tokens": _sum(generation)}, Amounts(input=_sum(generation)), complete=False)


def _sum(generation: Generation) -> int:
    return generation.tokens.input + generation.tokens.output


def _tells_bill(generation: Generation) -> bool:
    return not generation.scenario.byok or generation.scenario.upstream == "told"


def _counted(generation: Generation) -> JSON:
    tokens = generation.tokens
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": _sum(generation),
        "prompt_tokens_details": {
            "cached_tokens": tokens.cache_read,
            "cache_write_tokens": tokens.cache_write,
            "audio_tokens": tokens.audio_input,
            "video_tokens": tokens.video_input,
        },
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning,
            "image_tokens": tokens.image_output,
            "audio_tokens": tokens.audio_output,
        },
        "server_tool_use_details": {"web_search_requests": 0, "tool_calls_requested": 0, "tool_calls_executed": 0},
    }


def _priced(generation: Generation) -> JSON:
    scenario, spent = generation.scenario, generation.spent
    upstream = spent.bill if scenario.byok else spent.charge  # 2026 payloads repeat the cost where it is no BYOK
    prompt = min(catalogue.model(generation.model).prompt_price(generation.tokens), upstream)
    details: JSON = {
        "upstream_inference_cost": upstream,
        "upstream_inference_prompt_cost": prompt,
        "upstream_inference_completions_cost": upstream - prompt,
    }
    told = {
        "told": {"cost_details": details},
        "null": {"cost_details": {"upstream_inference_cost": None}},
        "absent": {},
    }[scenario.upstream]
    return {"cost": spent.charge, "is_byok": scenario.byok, **told}


FORMS: Final[Mapping[str, Callable[[Generation], Usage]]] = {
    "full": _full,
    "zero": _full,  # a response-cache hit: all counters 0, which generation.py already made so
    "no-cost": _no_cost,
    "total": _total,
    "bare-total": _bare_total,
    "none": lambda generation: Usage.untold(),
    "null": lambda generation: Usage.untold(present=True),
}

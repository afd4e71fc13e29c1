"""How a generation's usage is told: each endpoint's flavour of ``usage`` and the ways in which it can be incomplete.

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


@dataclass(frozen=True)
class Flavour:
    """An endpoint's words for its usage.

    Attributes:
        counted: tokens, with ``total_tokens`` among them.
        priced: money.
        says_byok: whether there are words for BYOK; without, its bill is never told.
    """

    counted: Callable[[Generation], JSON]
    priced: Callable[[Generation], JSON]
    says_byok: bool = True

    def usage(self, generation: Generation) -> Usage:
        """The usage in the form that the scenario asks for."""
        return FORMS[generation.scenario.usage](self, generation)

    def tells_bill(self, generation: Generation) -> bool:
        """Whether the client learns what the provider bills, where it does."""
        return not generation.scenario.byok or (self.says_byok and generation.scenario.upstream == "told")


def _full(flavour: Flavour, generation: Generation) -> Usage:
    told, complete = generation.spent, flavour.tells_bill(generation)
    if not complete:
        told = Amounts(told.charge, Decimal(0), told.input, told.output)
    return Usage({**flavour.counted(generation), **flavour.priced(generation)}, told, complete)


def _no_cost(flavour: Flavour, generation: Generation) -> Usage:
    spent = generation.spent
    return Usage(flavour.counted(generation), Amounts(input=spent.input, output=spent.output), complete=False)


def _total(flavour: Flavour, generation: Generation) -> Usage:
    known, total = _full(flavour, generation), generation.tokens.total
    body = {"total_tokens": total, **flavour.priced(generation)}
    return Usage(body, Amounts(known.told.charge, known.told.bill, total, 0), known.complete)


def _bare_total(_: Flavour, generation: Generation) -> Usage:
    total = generation.tokens.total
    return Usage({"total_tokens": total}, Amounts(input=total), complete=False)


FORMS: Final[Mapping[str, Callable[[Flavour, Generation], Usage]]] = {
    "full": _full,
    "zero": _full,  # a response-cache hit: all counters 0, which generation.py already made so
    "no-cost": _no_cost,
    "total": _total,
    "bare-total": _bare_total,
    "none": lambda flavour, generation: Usage.untold(),
    "null": lambda flavour, generation: Usage.untold(present=True),
}


def _chat_counted(generation: Generation) -> JSON:
    tokens = generation.tokens
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.total,
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
        "server_tool_use_details": dict(SERVER_TOOLS),
    }


def priced(before: str, after: str) -> Callable[[Generation], JSON]:
    """Cost, BYOK and `cost_details`; `before` and `after` are the endpoint's words for the two parts of the cost."""

    def told(generation: Generation) -> JSON:
        scenario, spent = generation.scenario, generation.spent
        upstream = spent.bill if scenario.byok else spent.charge  # 2026 payloads repeat the cost where it is no BYOK
        prompt = min(catalogue.model(generation.model).prompt_price(generation.tokens), upstream)
        details: JSON = {
            "upstream_inference_cost": upstream,
            f"upstream_inference_{before}_cost": prompt,
            f"upstream_inference_{after}_cost": upstream - prompt,
        }
        words = {
            "told": {"cost_details": details},
            "null": {"cost_details": {"upstream_inference_cost": None}},
            "absent": {},
        }[scenario.upstream]
        return {"cost": spent.charge, "is_byok": scenario.byok, **words}

    return told


def cost_alone(generation: Generation) -> JSON:
    """Endpoints whose documented usage knows no BYOK."""
    return {"cost": generation.spent.charge}


SERVER_TOOLS: Final = {"web_search_requests": 0, "tool_calls_requested": 0, "tool_calls_executed": 0}
CHAT: Final = Flavour(_chat_counted, priced("prompt", "completions"))

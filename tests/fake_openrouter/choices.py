"""What chat and legacy completions have in common: choices, and where the usage of a stream of them rides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from .generation import Generation
from .operation import BARE_ERROR, Carrier
from .usage import JSON, Usage

UNFINISHED: Final[Mapping[str, None]] = {"finish_reason": None, "native_finish_reason": None}
_FAILED: Final = {"finish_reason": "error", "native_finish_reason": "error"}


def head(generation: Generation, kind: str) -> JSON:
    """What every body and chunk begins with."""
    return {
        "id": generation.id,
        "object": kind,
        "created": generation.created,
        "model": generation.model,
        "provider": generation.provider,
        "system_fingerprint": None,
    }


def finish(generation: Generation) -> JSON:
    """Why choice 0 ended."""
    return {"finish_reason": generation.scenario.finish, "native_finish_reason": generation.native_finish}


def closing(generation: Generation, usage: Usage, end: JSON) -> Iterator[JSON]:
    """The chunks after the last content: `end` finishes choice 0; the usage rides as the scenario's shape says."""
    told = {**end, **usage.under()}
    last = {**end, "choices": [], **usage.under()}
    shapes = {"A": (end, last), "B": (end, told), "C": (told,), "CA": (told, last)}
    yield from shapes[generation.scenario.shape]


def hidden(body: Callable[[Generation, Usage], JSON]) -> Mapping[str, Carrier]:
    """The errors that hide in a whole answer."""

    def in_choice(generation: Generation, usage: Usage, error: JSON) -> JSON:
        answer = body(generation, usage)
        return {**answer, "choices": [{**answer["choices"][0], "error": error, **_FAILED}]}

    def no_choices(generation: Generation, usage: Usage, _: JSON) -> JSON:
        return {**body(generation, usage), "choices": None, "usage": None}

    return {**BARE_ERROR, "choice-error": in_choice, "choices-null": no_choices}


def hidden_in_stream(chunk: Callable[[Generation, Any], JSON]) -> Mapping[str, Carrier]:
    """The errors that hide in a stream's last chunk; `chunk` makes an empty one with a given end."""

    def beside(generation: Generation, usage: Usage, error: JSON) -> JSON:
        return {**chunk(generation, _FAILED), "error": error, **usage.under()}

    def in_choice(generation: Generation, usage: Usage, error: JSON) -> JSON:
        return {**chunk(generation, {**_FAILED, "error": error}), **usage.under()}

    def no_choices(generation: Generation, _: Usage, __: JSON) -> JSON:
        return {**chunk(generation, UNFINISHED), "choices": None}

    return {"body-error": beside, "choice-error": in_choice, "choices-null": no_choices}

"""The one guard: what goes wrong in here is logged once and never reaches the program we measure."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

_log = logging.getLogger("openrouter_otel")
_told: set[str] = set()


def quietly(function: Callable[_P, _R]) -> Callable[_P, _R | None]:
    """Make a function return None instead of raising; each function's first fault is logged with its traceback.

    Only `Exception` is held back: a KeyboardInterrupt or a cancellation is the program's own and passes.
    """

    @functools.wraps(function)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R | None:
        try:
            return function(*args, **kwargs)
        except Exception:  # whatever it is: a fault of ours is no business of the program's
            tell(function.__qualname__)
            return None

    return guarded


def tell(where: str) -> None:
    """Log the exception being handled, once for each place; logging itself may fail too."""
    if where in _told:
        return
    _told.add(where)
    try:
        _log.warning("openrouter-otel failed in %s; the call itself is not affected", where, exc_info=True)
    except Exception:  # a handler of the application's: there is nobody left to tell
        return

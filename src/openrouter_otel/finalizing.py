"""Knows whether we run inside the garbage collector, where no lock may be taken.

A collection can begin at any allocation, also inside a region of the same thread that holds a lock (a span processor's,
a logger's). A finalizer that took it would wait for itself for ever.
"""

from __future__ import annotations

import gc
from threading import get_ident

_collecting: list[int] = []


def here() -> bool:
    """Whether this thread is collecting garbage right now."""
    return get_ident() in _collecting


def notice() -> None:
    """Begin to notice collections."""
    if _note not in gc.callbacks:
        gc.callbacks.append(_note)


def ignore() -> None:
    """Notice them no longer."""
    if _note in gc.callbacks:
        gc.callbacks.remove(_note)
    _collecting.clear()


def _note(phase: str, _: dict[str, int]) -> None:
    if phase == "start":
        _collecting.append(get_ident())
    elif _collecting:
        _collecting.pop()

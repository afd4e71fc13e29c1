"""Knows whether we run inside the garbage collector, where no lock may be taken.

A collection can begin at any allocation, also inside a region of the same thread that holds a lock (a span processor's,
a logger's). A finalizer that took it would wait for itself for ever.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from typing import Any, Final

_STOPPED: Final = "stop"
# The collector's phases, the latest one last.
_phases: Final = OrderedDict.fromkeys(("start", _STOPPED))
# Called by the collector with a phase and a dictionary, which is true. It is C, so that no signal handler ever runs
# inside: what one raises there (a Ctrl-C) the collector prints and forgets.
_note: Final[Any] = _phases.move_to_end


def here() -> bool:
    """Whether garbage is being collected right now, in this thread or (nobody minds the delay) in another."""
    return next(reversed(_phases)) != _STOPPED


def notice() -> None:
    """Begin to notice collections."""
    if _note not in gc.callbacks:
        gc.callbacks.append(_note)


def ignore() -> None:
    """Notice them no longer."""
    if _note in gc.callbacks:
        gc.callbacks.remove(_note)
    _phases.move_to_end(_STOPPED)

"""Turns an instrumentation off and on again in one process, so that bare and instrumented blocks can alternate.

Some rivals cannot uninstrument. So we note what instrumenting changes on the openai package's modules and classes, and
take it back and put it there again ourselves; the same for everybody, us included.
"""

from __future__ import annotations

import gc
import pkgutil
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Final

_ABSENT: Final = object()


class Switch:
    """What instrumenting changes.

    Args:
        instrument: does it.
    """

    def __init__(self, instrument: Callable[[], None]) -> None:
        _load("openai.resources")
        owners = _owners()
        before = dict(_members(owners))
        callbacks = list(gc.callbacks)
        instrument()
        self._callbacks = [callback for callback in gc.callbacks if callback not in callbacks]
        after = dict(_members(owners))
        places = [place for place in before | after if before.get(place, _ABSENT) is not after.get(place, _ABSENT)]
        self._off = {place: before.get(place, _ABSENT) for place in places}
        self._on = {place: after.get(place, _ABSENT) for place in places}

    @property
    def changed(self) -> int:
        """In how many places the instrumentation sits."""
        return len(self._on)

    def turn(self, *, on: bool) -> None:
        """Make the client instrumented, or bare."""
        for (owner, name), value in (self._on if on else self._off).items():
            if value is not _ABSENT:
                setattr(owner, name, value)
            elif name in vars(owner):
                delattr(owner, name)
        gc.callbacks[:] = [callback for callback in gc.callbacks if callback not in self._callbacks]
        if on:
            gc.callbacks.extend(self._callbacks)


def _load(package: str) -> None:
    """Import all of it: what is loaded later would look like a change."""
    for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        import_module(module.name)


def _owners() -> list[Any]:
    """The package's modules and classes."""
    found: dict[int, Any] = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "openai":
            found[id(module)] = module
            found |= {id(kind): kind for kind in vars(module).values() if _is_of_openai(kind)}
    return list(found.values())


def _members(owners: list[Any]) -> Iterator[tuple[tuple[Any, str], object]]:
    for owner in owners:
        for name, value in list(vars(owner).items()):
            if name not in {"__abstractmethods__", "__annotations__", "__warningregistry__", "_abc_impl"}:
                yield (owner, name), value


def _is_of_openai(kind: object) -> bool:
    return isinstance(kind, type) and str(kind.__module__).partition(".")[0] == "openai"

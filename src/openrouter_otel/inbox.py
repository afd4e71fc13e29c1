"""A queue that any thread, finalizer or signal handler may put into without ever waiting for a lock."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Inbox(Generic[_T]):
    """Items go in from anywhere; whoever settles hands them on in order, one thread at a time.

    `put` is one append. `settle` takes the lock only where it is free: where it is not, its holder finds the item.
    So a finalizer that the garbage collector runs inside our own locked region cannot deadlock.

    Args:
        take: gets each item. One whose `take` was cut short by an asynchronous exception (Ctrl-C, a time limit's
            signal) is offered again, so a taker that remembers the last item it has committed counts exactly once.
            One that fails a second time is dropped: it would block what stands behind it for ever.
    """

    def __init__(self, take: Callable[[_T], None]) -> None:
        self._take = take
        self._items: deque[_T] = deque()
        # Reentrant, so that a Ctrl-C between taking it and using it leaves it with a thread that can take it again.
        self._lock = threading.RLock()
        self._busy = False
        self._failed: _T | None = None

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: _T) -> None:
        """Leave an item; never waits."""
        self._items.append(item)

    def settle(self, wait: float = 0.0) -> None:
        """Hand on everything that lies here, waiting at most `wait` seconds for another thread that is at it."""
        while self._items:
            if not self._lock.acquire(timeout=wait):
                return
            try:
                if self._busy:
                    return  # we interrupted ourselves: the settling below us goes on afterwards
                self._busy = True
                try:
                    self._empty()
                finally:
                    self._busy = False
            finally:
                self._lock.release()

    def _empty(self) -> None:
        while self._items:
            item = self._items[0]
            try:
                self._take(item)
            except Exception:  # whatever a taker raises: it is raised again, only the item must not stay for ever
                if self._failed is item:
                    self._items.popleft()
                self._failed = item
                raise
            self._items.popleft()

"""Who is counting: a random name for this process, so that every process has series of its own.

One series per process is what makes counting exact: no counter ever resets, every first sample counts from zero, and
what was seen twice is merged by maximum.
"""

from __future__ import annotations

import os
import secrets
import time


class Identity:
    """The process that counts.

    Attributes:
        process: 16 hex digits.
        started_at: when it began to count, seconds since the epoch.
        inherited: names that belong to processes we were forked from.
    """

    def __init__(self) -> None:
        self.process = ""
        self.started_at = 0.0
        self.inherited: frozenset[str] = frozenset()
        self.renew()

    def renew(self) -> None:
        """Become somebody new: who starts counting from zero must not share a series with who counted before."""
        self.process = secrets.token_hex(8)
        self.started_at = time.time()

    def fork(self) -> None:
        """Become a child: the names so far are the parent's."""
        self.inherited |= {self.process}
        self.renew()


identity = Identity()

if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=identity.fork)

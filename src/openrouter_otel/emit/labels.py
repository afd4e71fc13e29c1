"""What a metric attribute may say: cleaned, told apart from words of ours, and bounded in number."""

from __future__ import annotations

import logging
import re
from typing import Final

from openrouter_otel import names

_log = logging.getLogger("openrouter_otel")

LABEL_LIMIT: Final = 128
WARN_AT: Final = 0.8
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def clean(value: str) -> str:
    """A value fit for a label: no control characters, at most 128 characters, never mistaken for a word of ours."""
    if not (value.isascii() and value.isprintable()):
        value = _CONTROL.sub("", value)
    value = value[:LABEL_LIMIT]
    return f"{value[: LABEL_LIMIT - 1]}_" if value.startswith("(") and value.endswith(")") else value


class Cap:
    """Counts towards a limit and says once, at 80 %, that it is near.

    Args:
        limit: how many fit.
        setting: the setting to name in the warning.
    """

    def __init__(self, limit: int, setting: str) -> None:
        self.limit = limit
        self._setting = setting
        self._warned = False

    def took(self, count: int) -> None:
        """Note that `count` of the limit are taken."""
        if not self._warned and count >= WARN_AT * self.limit:
            self._warned = True
            _log.warning(
                "%d of %s = %d are taken; what comes beyond is counted as %s, totals stay right",
                count,
                self._setting,
                self.limit,
                names.OTHER,
            )


class Users:
    """Admits the first users for the life of the process; the rest share "(other)".

    Args:
        limit: how many users appear by name.
        setting: the setting that says so.
    """

    def __init__(self, limit: int, setting: str) -> None:
        self._cap = Cap(limit, setting)
        self._admitted: dict[str, str] = {}

    def label(self, user: str | None) -> str:
        """The value of the ``user`` attribute."""
        if not user:
            return names.ANONYMOUS
        known = self._admitted.get(user)
        if known is not None:
            return known
        if len(self._admitted) >= self._cap.limit:
            return names.OTHER
        self._admitted[user] = label = clean(user) or names.ANONYMOUS
        self._cap.took(len(self._admitted))
        return label

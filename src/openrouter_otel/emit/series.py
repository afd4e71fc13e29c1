"""The attribute sets of one instrument, bounded so that a process that meets a million users stays small."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from openrouter_otel import names
from openrouter_otel.emit.labels import Cap, clean

# Their values come from a list of ours; all other attributes are free text.
_ENUMERATED: Final = frozenset(
    {names.PROCESS, names.OPERATION, names.OUTCOME, names.COST_SOURCE, names.TOKEN_TYPE, names.PAYEE}
)
_HEADROOM: Final = 0.1  # of max_series, that each of the two milder foldings may add


class Base:
    """The attributes that all metrics of a call share; one object per combination, compared by identity."""

    __slots__ = ("attributes",)

    def __init__(self, attributes: Mapping[str, str]) -> None:
        self.attributes = attributes


class Series:
    """One attribute set of one instrument; compared by identity, so that sums are looked up without hashing labels."""

    __slots__ = ("attributes",)

    def __init__(self, attributes: Mapping[str, str]) -> None:
        self.attributes = attributes


class Family:
    """All attribute sets of one instrument.

    Beyond `max_series` the user becomes "(other)", then the tags too, then the model and every other free text, first
    come, for the life of the process: totals stay right, and stay right by model for as long as they can.

    Args:
        metric: the instrument.
        process: the identity that every set carries.
        max_series: how many sets keep all their attributes.
    """

    def __init__(self, metric: names.Metric, process: str, max_series: int) -> None:
        self.metric = metric
        self._process = process
        self._cap = Cap(max_series, f"max_series of {metric.name}")
        self._series: dict[frozenset[tuple[str, str]], Series] = {}
        self._memo: dict[tuple[object, ...], Series] = {}

    def all(self) -> list[Series]:
        """Every series, as one atomic copy."""
        return list(self._series.values())

    def find(self, base: Base, user: str | None, extra: tuple[str | None, ...] = ()) -> Series:
        """The series of these attributes.

        Args:
            base: the attributes that all metrics of a call share.
            user: the ``user`` attribute; left out where the metric has none.
            extra: values of the metric's own attributes, in its order; None is absent.
        """
        key = (base, user, *extra)
        found = self._memo.get(key)
        if found is None:
            found = self._admit(self._attributes(base.attributes, user, extra))
            if len(self._memo) > 4 * self._cap.limit:
                self._memo.clear()  # what was folded away must not be remembered for ever
            self._memo[key] = found
        return found

    def _attributes(self, base: Mapping[str, str], user: str | None, extra: tuple[str | None, ...]) -> dict[str, str]:
        attributes = {names.PROCESS: self._process, **base}
        if self.metric.user and user is not None:
            attributes[names.USER] = user
        for name, value in zip(self.metric.attributes, extra, strict=True):
            if value and (cleaned := clean(value)):
                attributes[name] = cleaned
        return attributes

    def _admit(self, attributes: dict[str, str]) -> Series:
        room = self._cap.limit
        headroom = max(10, int(_HEADROOM * room))
        tags = [name for name in attributes if name.startswith(names.TAG_PREFIX)]
        user = [names.USER] if names.USER in attributes else []
        for fold, limit in ((), room), (user, room + headroom), (user + tags, room + 2 * headroom):
            found = self._get(_folded(attributes, fold), limit)
            if found is not None:
                return found
        everything = _folded(attributes, set(attributes) - _ENUMERATED - {names.REQUESTED_MODEL, names.UPSTREAM})
        everything.pop(names.REQUESTED_MODEL, None)
        everything.pop(names.UPSTREAM, None)
        return self._get(everything, None) or Series(everything)

    def _get(self, attributes: dict[str, str], limit: int | None) -> Series | None:
        key = frozenset(attributes.items())
        found = self._series.get(key)
        if found is None and (limit is None or len(self._series) < limit):
            found = self._series[key] = Series(attributes)
            self._cap.took(len(self._series))
        return found


def _folded(attributes: Mapping[str, str], fold: Collection[str]) -> dict[str, str]:
    return {name: names.OTHER if name in fold else value for name, value in attributes.items()}

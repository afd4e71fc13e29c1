"""Which raw series are one and the same counter.

With a `process` label, identity is that label and the contract's own; `instance`, `job`, `pod` and whatever else a
deployment adds are ignored, so that two scrape jobs or two replicas of Prometheus do not count twice. Without it only
the labels can tell two processes apart, and all of them count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from openrouter_otel import names

BUCKET: Final = "le"
OVERFLOWN: Final = names.label(names.SDK_OVERFLOW)
TAG: Final = names.label(names.TAG_PREFIX)
OURS: Final = frozenset(
    names.label(attribute)
    for attribute in (
        *names.BASE,
        names.USER,
        names.SDK_OVERFLOW,
        BUCKET,
        *(attribute for metric in names.METRICS for attribute in metric.attributes),
    )
)
# Labels that tell two copies of one sample apart, never two processes.
COPIES: Final = frozenset(
    {"__name__", "prometheus", "prometheus_replica", "replica", "otel_scope_name", "otel_scope_version"}
)
Labels = tuple[tuple[str, str], ...]
_PAIRS: Final[dict[tuple[str, str], tuple[str, str]]] = {}  # a hundred thousand series share a few thousand pairs


class Raw(dict[str, str]):
    """All labels of a series that is met again and again: its key is made once."""

    __slots__ = ("key",)

    key: Labels


def key(labels: Mapping[str, str]) -> Labels:
    """Raw labels as something to look up; equal pairs are one object."""
    if type(labels) is Raw:
        try:
            return labels.key
        except AttributeError:
            labels.key = made = _key(labels)
            return made
    return _key(labels)


def _key(labels: Mapping[str, str]) -> Labels:
    pairs = sorted(labels.items())
    return tuple(map(_PAIRS.setdefault, pairs, pairs))


@dataclass(frozen=True, slots=True)
class Series:
    """One counter of one process.

    Attributes:
        labels: its identity, sorted by name.
    """

    labels: Labels

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> Series:
        """The identity of a raw series."""
        unique = bool(labels.get(names.PROCESS))
        kept = {name: value for name, value in labels.items() if value and _counts(name, unique)}
        if BUCKET in kept:
            kept[BUCKET] = normal_bound(kept[BUCKET])
        return cls(key(kept))

    def get(self, label: str) -> str | None:
        """A label's value, None where it is absent."""
        for name, text in self.labels:
            if name == label:
                return text
        return None

    def without(self, label: str) -> Series:
        """The same without one label: the histogram a bucket belongs to."""
        return Series(tuple(pair for pair in self.labels if pair[0] != label))

    @property
    def process(self) -> str | None:
        """Who counted; None: known by its values only."""
        return self.get(names.PROCESS)

    @property
    def bound(self) -> float:
        """A bucket's upper bound in the metric's unit; NaN for what is no bucket."""
        return _bound(self.get(BUCKET) or "")


def normal_bound(text: str) -> str:
    """A bucket's bound as one text: Prometheus 2 keeps what was scraped, 3 rewrites it ("1" and "1.0")."""
    return str(_bound(text))


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _counts(name: str, unique: bool) -> bool:
    return name in OURS or name.startswith(TAG) if unique else name not in COPIES

"""Counters that only their values tell about: the points from which the ledger can see every visible fall. Pure.

Of each window are known the last value, the smallest, and whether the value fell within. Without a fall the smallest
is the first: two points say all. With one, all samples of the window are needed.
"""

from __future__ import annotations

from collections.abc import Iterable

from openrouter_otel.reporting.identity import Labels, key
from openrouter_otel.reporting.ledger import Reading


def fallen(falls: Iterable[Reading]) -> dict[Labels, set[int]]:
    """The windows' ends, by raw series, for which all samples are needed."""
    found: dict[Labels, set[int]] = {}
    for labels, points in falls:
        found.setdefault(key(labels), set()).update(at for at, _ in points)
    return found


def points(
    lasts: Iterable[Reading], smallest: Iterable[Reading], fell: dict[Labels, set[int]], samples: Iterable[Reading]
) -> list[Reading]:
    """All that is known, in order of time."""
    lowest = {(key(labels), at): text for labels, seen in smallest for at, text in seen}
    found: dict[Labels, Reading] = {}
    for labels, seen in lasts:
        raw = key(labels)
        kept = found.setdefault(raw, Reading(labels, [])).points
        for at, text in seen:
            if at in fell.get(raw, ()):
                continue
            first = lowest.get((raw, at), text)
            if first != text:
                kept.append((at - 1, first))
            kept.append((at, text))
    for labels, seen in samples:
        if key(labels) in fell:
            found.setdefault(key(labels), Reading(labels, [])).points.extend(seen)
    return [Reading(labels, sorted(seen, key=lambda point: point[0])) for labels, seen in found.values()]

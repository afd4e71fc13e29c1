"""Keeps the register of which processes were seen when, and says at the end what that leaves in doubt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting import beginnings, queries
from openrouter_otel.reporting.coverage import Coverage, Gap, Presence
from openrouter_otel.reporting.edges import hours
from openrouter_otel.reporting.period import HOUR, Interval
from openrouter_otel.reporting.pieces import Found
from openrouter_otel.reporting.scope import Scope

WATCHED: Final = (names.REQUESTS.prometheus, names.PROCESS_START.prometheus)
# Kinds of things in the cache.
SEEN, LATE, UP = "seen", "late", "up"


class Attendance:
    """The register of one reading.

    Args:
        scope: what is read.
        older: processes that had begun to count (ms) before the source's memory begins.
    """

    def __init__(self, scope: Scope, older: Mapping[str, int]) -> None:
        self._scope = scope
        self._older = older
        self._presence = Presence()

    def saw(self, span: Interval, found: Found, metric: str) -> None:
        """A stretch of a watched metric told who was there."""
        self._presence.add(found.seen)
        seen = {process: sorted(edges) for process, edges in found.seen.items()}
        self._scope.remember_value(f"{SEEN} {metric}", span, seen)

    def coverage(self, begun: Mapping[str, int], shown: Interval) -> Coverage:
        """How completely each process was seen.

        Args:
            begun: when processes began that the cache does not know.
            shown: the time that the report tells of.
        """
        frame, cache = self._scope.frame, self._scope.cache
        for metric in WATCHED:
            for _, seen in cache.values(f"{SEEN} {metric}"):
                self._presence.add(seen)
        new = Interval(frame.covered, frame.closed)
        since_when = {process: min(edges) for process, edges in self._presence.seen.items()}
        fresh = {
            process: start
            for process, start in begun.items()
            if process not in self._older and since_when[process] > frame.covered
        }
        late = {one for _, names_ in cache.values(LATE) for one in names_}
        now_late = set(beginnings.late(self._scope.fetch, fresh, since_when))
        cache.keep_value(LATE, new, sorted(one for one in now_late if since_when[one] <= frame.closed))
        edges = [hour.until for hour in hours(Interval(max(shown.since, frame.since), frame.now), frame.tz)]
        return Coverage(
            gaps=tuple(gap for gap in self._presence.gaps(edges) if not self._began_anew(gap)),
            late=tuple(sorted(one for one in late | now_late if since_when[one] in shown)),
            older=tuple(sorted(self._older)),
            lost=self._presence.lost_tails(self._outages(edges)),
        )

    def _began_anew(self, gap: Gap) -> bool:
        """Whether a target was simply down: it came back as a new process."""
        window = Interval(gap.since - HOUR, gap.until + HOUR)
        restarts = self._scope.restarts
        return any(
            dict(one).get(queries.INSTANCE) == gap.process and restarts.within(dict(one), window)
            for one in restarts.known
        )

    def _outages(self, edges: list[int]) -> list[Gap]:
        """Whole hours in which the source scraped nothing at all."""
        seen = {at for _, kept in self._scope.cache.values(UP) for at in kept}
        for span in self._scope.frame.pieces():
            windows = hours(span, self._scope.frame.tz)
            up = [at for one in self._scope.fetch.windows("up", windows, queries.anything) for at, _ in one.points]
            seen.update(up)
            self._scope.remember_value(UP, span, up)
        source = Presence()
        source.add({"up": seen} if seen else {})
        return list(source.gaps(edges))

"""Where the sums of a journal's series are shown: under which attributes of which metric, within the caps.

Attributes are admitted in the order of the series' ids, and whether or not they have been counted yet, so that an
exporter that is started again folds the same ones into "(other)": a series that has been shown never falls.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from openrouter_otel import names
from openrouter_otel.emit.labels import Users
from openrouter_otel.emit.series import Base, Family, Series
from openrouter_otel.settings import Settings

HISTOGRAM_SUMS: Final = {
    names.DURATION: "seconds",
    names.FIRST_TOKEN: "first_token_seconds",
    names.OUTPUT_RATE: "rate_sum",
}
"""The column with the sum of what a histogram observed."""
_METRICS: Final = (*names.USAGE_METRICS, names.RESOLVED)


class Place(NamedTuple):
    """One number of a journal's series, and the series of a metric to which it belongs.

    Attributes:
        column: of `journal.schema`, that has the number.
        at_zero: whether it is shown when it is zero: what was told to be free, unlike what was not told.
    """

    metric: names.Metric
    series: Series
    column: str
    at_zero: bool = False


class Service:
    """The calls of one service in one environment, which are served like those of one process.

    Reports take `process` and the call's own attributes as the identity of a counter, and ignore the resource's. So the
    first service has the journal's identity, and each further one an identity that is made from it.

    Args:
        identity: the journal's.
        name: ``service.name``, '' where not told.
        environment: ``deployment.environment.name``, likewise.
        first: whether it is the journal's first.
        settings: the caps.
    """

    def __init__(self, identity: str, name: str, environment: str, *, first: bool, settings: Settings) -> None:
        self.process = identity if first else _derived(identity, name, environment)
        self.resource = {
            attribute: value
            for attribute, value in ((names.SERVICE_NAME, name), (names.ENVIRONMENT, environment))
            if value
        }
        self.attributes = {names.PROCESS: self.process, **self.resource}
        self._families = {metric: Family(metric, self.process, settings.max_series) for metric in _METRICS}
        self._users = Users(settings.max_users, "max_users")
        self._histogram_users = Users(settings.max_histogram_users, "max_histogram_users")
        self._bases: dict[tuple[tuple[str, str], ...], Base] = {}
        self._siblings: dict[tuple[tuple[str, str], ...], Series] = {}

    def admit(self, stored: Mapping[str, str]) -> list[Place]:
        """Where the sums of a series go; series must come in the order of their ids."""
        base, user = self._base(stored), self._users.label(stored["user_id"])
        return [
            *self._counts(stored, base, user),
            *self._histograms(stored, base, self._histogram_users.label(stored["user_id"])),
        ]

    def timed(self, stored: Mapping[str, str]) -> Series | None:
        """Where the shortest and the longest call of a series go; None where they go nowhere."""
        return self._find(names.DURATION_MIN, self._base(stored)) if stored["outcome"] == names.OK else None

    def _counts(self, stored: Mapping[str, str], base: Base, user: str) -> Iterator[Place]:
        outcome, source = stored["outcome"], stored["cost_source"]
        requests = self._find(names.REQUESTS, base, user, outcome, source, stored["finish_reason"])
        yield Place(names.REQUESTS, requests, "requests")
        if stored["error_type"]:
            yield Place(names.ERRORS, self._find(names.ERRORS, base, user, stored["error_type"]), "requests")
        yield Place(names.RETRIES, self._find(names.RETRIES, base, user), "retries")
        if outcome == names.OK:
            yield Place(names.DURATION_SQUARED, self._find(names.DURATION_SQUARED, base), "seconds_squared")
        for kind in (names.INPUT, names.OUTPUT):
            yield Place(names.TOKENS, self._find(names.TOKENS, base, user, kind), f"{kind}_tokens")
        yield from self._details(base, user)
        yield from self._costs(base, user, outcome, source)
        if source == names.UNPRICED:
            yield Place(names.RESOLVED, self._find(names.RESOLVED, base, user, outcome), "resolved")

    def _details(self, base: Base, user: str) -> Iterator[Place]:
        shared = self._find(names.TOKENS_DETAIL, base, user, None)
        for kind in names.TOKEN_DETAILS:
            yield Place(names.TOKENS_DETAIL, self._beside(shared, {names.TOKEN_TYPE: kind}), kind)

    def _costs(self, base: Base, user: str, outcome: str, source: str) -> Iterator[Place]:
        if source == names.FREE_FAILURE:
            return
        told, column = (names.ESTIMATED, "estimated") if source == names.ESTIMATED else (names.REPORTED, "charged")
        cost = self._find(names.COST, base, user, told, names.OPENROUTER, outcome)
        yield Place(names.COST, cost, column, at_zero=source != names.UNPRICED)
        bill = self._beside(cost, {names.COST_SOURCE: names.ESTIMATED, names.PAYEE: names.PROVIDER})
        yield Place(names.COST, bill, "provider_cost")

    def _histograms(self, stored: Mapping[str, str], base: Base, user: str) -> Iterator[Place]:
        for metric, column in HISTOGRAM_SUMS.items():
            extra = [stored[attribute] for attribute in metric.attributes]
            yield Place(metric, self._find(metric, base, user, *extra), column)

    def _beside(self, series: Series, attributes: Mapping[str, str]) -> Series:
        """The same series with other values of the metric's own attributes, under the same place of the cap.

        Most of these never come, and nobody knows which: to reserve a place for each would waste most of the cap.
        """
        all_of_them = {**series.attributes, **attributes}
        return self._siblings.setdefault(tuple(all_of_them.items()), Series(all_of_them))

    def _find(self, metric: names.Metric, base: Base, user: str | None = None, *extra: str | None) -> Series:
        return self._families[metric].find(base, user, extra)

    def _base(self, stored: Mapping[str, str]) -> Base:
        model, requested = stored["model"], stored["requested_model"]
        tags: Mapping[str, str] = json.loads(stored["metric_tags"]) if stored["metric_tags"] else {}
        known = {
            names.MODEL: model,
            names.REQUESTED_MODEL: requested if requested != model else "",
            names.UPSTREAM: stored["provider"],
            names.OPERATION: stored["operation"],
            # By their labels: two programs may spell one label in two ways.
            **{f"{names.TAG_PREFIX}{names.label(tag)}": value for tag, value in tags.items()},
        }
        attributes = {name: value for name, value in known.items() if value}
        return self._bases.setdefault(tuple(attributes.items()), Base(attributes))


def _derived(identity: str, name: str, environment: str) -> str:
    return hashlib.sha256(f"{identity}\0{name}\0{environment}".encode()).hexdigest()[:16]

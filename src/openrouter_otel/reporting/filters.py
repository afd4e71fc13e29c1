"""Which calls a report is about: `--user`, `--model`, `--label` ... as a test of a raw series' labels. Pure.

Filters apply to the labels as the source has them, before identity drops those that tell no two counters apart.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting.identity import BUCKET

# What a series without the label is filed under, as in the report's own tables.
ABSENT: Final = {names.USER: names.ANONYMOUS}
# Labels of some metrics only: a report of one of them would miss every figure that is not kept by it.
PARTIAL: Final = frozenset(
    {BUCKET, *(names.label(attribute) for metric in names.USAGE_METRICS for attribute in metric.attributes)}
)
NEAREST: Final = 5


class FilterError(ValueError):
    """A filter that makes no sense; the text is one sentence for the user."""


@dataclass(frozen=True)
class Filters:
    """What was asked for; all of it must hold. Empty: everything. FilterError if a label cannot be filtered by.

    Attributes:
        user: as in `user_stats`; ``anonymous`` for calls without one.
        model: the model that served.
        provider: the upstream that served.
        service: ``service.name``.
        environment: ``deployment.environment.name``.
        label: any other labels, by their name on /metrics (``tag_team``) or as an attribute (``tag.team``);
            ``(unknown)`` for calls without it.
    """

    user: str | None = None
    model: str | None = None
    provider: str | None = None
    service: str | None = None
    environment: str | None = None
    label: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        asked = {names.label(name) for name in self.label}
        if partial := sorted(asked & PARTIAL):
            raise FilterError(f"--label {partial[0]}: only some metrics have that label, so a report of it would lie")
        if len(asked) < len(self.label) or asked & self._named.keys():
            raise FilterError("a label can be asked for only once")

    @property
    def wanted(self) -> dict[str, str]:
        """The labels that a series must carry, by name."""
        return self._named | {names.label(name): value for name, value in self.label.items()}

    @property
    def by_user(self) -> bool:
        """Whether they leave no place for metrics that are not kept by user."""
        return names.USER in self.wanted

    @property
    def _named(self) -> dict[str, str]:
        named = {
            names.USER: self.user,
            names.MODEL: self.model,
            names.UPSTREAM: self.provider,
            names.label(names.SERVICE_NAME): self.service,
            names.label(names.ENVIRONMENT): self.environment,
        }
        return {name: value for name, value in named.items() if value is not None}

    def keep(self, labels: Mapping[str, str]) -> bool:
        """Whether a series of these labels is asked for."""
        return all(value_of(labels, name) == value for name, value in self.wanted.items())

    def shown(self) -> dict[str, object]:
        """As the report repeats them: None where nothing was asked."""
        return {
            "user": self.user,
            "model": self.model,
            "provider": self.provider,
            "service": self.service,
            "environment": self.environment,
            "label": dict(self.label) or None,
        }


class Sieve:
    """Filters at work on the series of a source.

    Attributes:
        wanted: the labels that a series must carry, by name.
        values: what each of these labels was seen to be, kept or not.
    """

    def __init__(self, filters: Filters) -> None:
        self.values: defaultdict[str, set[str]] = defaultdict(set)
        self.wanted = filters.wanted

    def keep(self, labels: Mapping[str, str]) -> bool:
        """See `Filters.keep`."""
        kept = True
        for name, wanted in self.wanted.items():
            if seen := labels.get(name):
                self.values[name].add(seen)
            kept = kept and value_of(labels, name) == wanted
        return kept


def value_of(labels: Mapping[str, str], name: str) -> str:
    """A label as the report's tables file it."""
    return labels.get(name) or ABSENT.get(name, names.UNKNOWN)


def labels(pairs: Iterable[str]) -> dict[str, str]:
    """``name=value`` of the command line, each name once; FilterError if one is none."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if not name or not value:
            raise FilterError(f"--label {pair!r} must look like tag.team=search")
        if name in found:
            raise FilterError("a label can be asked for only once")
        found[name] = value
    return found


def unmatched(filters: Filters, values: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Why nothing at all passed the filters: one sentence each for what nobody has, with what there is instead."""
    strange = False
    for name, asked in filters.wanted.items():
        there_are = sorted(values.get(name, ()))
        if asked not in there_are:
            strange = True
            yield f"no call has the {name} {asked!r}; {_nearest(asked, there_are)}"
    if filters.wanted and not strange:
        yield "no call has all at once of what the filters ask for"


def _nearest(asked: str, there_are: list[str]) -> str:
    if not there_are:
        return "no call has any"
    close = difflib.get_close_matches(asked, there_are, NEAREST)
    shown = [*close, *(value for value in there_are if value not in close)][:NEAREST]
    more = f" and {len(there_are) - len(shown)} more" if len(there_are) > len(shown) else ""
    return f"there are {', '.join(repr(value) for value in shown)}{more}"

"""Budgets: how much may be spent by whom in a day, a week or a month.

One YAML file says it once, for the boards, the alerts and the report::

    budgets:
      - usd: 200            # everything, per calendar month
        period: month
      - usd: 25
        period: week        # from Monday on
        user: alice         # or `model: openai/gpt-5-mini`, or `tag: {team: search}`
        name: Alice         # shown and alerted under this name; made from the rest where it is missing
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal, cast

from openrouter_otel import names

Period = Literal["day", "week", "month"]
Scope = Literal["all", "model", "user", "tag"]
PERIODS: Final = ("day", "week", "month")
KEYS: Final = ("usd", "period", "name", names.MODEL, names.USER, "tag")


class BudgetError(ValueError):
    """A budget file that cannot be used; the message says in one line what is wrong and where."""


@dataclass(frozen=True)
class Budget:
    """One limit.

    Attributes:
        name: unique within a file.
        usd: the limit, above zero.
        period: the calendar period after which it starts again.
        scope: what it is about.
        label: the Prometheus label that it narrows to a value; None where it is about everything.
        value: that label's value; None where it is about everything.
    """

    name: str
    usd: Decimal
    period: Period
    scope: Scope = "all"
    label: str | None = None
    value: str | None = None


def read_budgets(text: str) -> tuple[Budget, ...]:
    """The budgets that a file's text lists, in its order.

    Raises:
        BudgetError: for text that is no such list.
        ImportError: where PyYAML is not installed (the extra ``budgets``).
    """
    import yaml  # an extra: only who has budgets needs it

    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BudgetError(f"not YAML: {' '.join(str(error).split())}") from None
    except (ValueError, RecursionError) as error:  # a date that does not exist, an absurd nesting
        raise BudgetError(f"not YAML: {error}") from None
    return parse_budgets(content)


def parse_budgets(content: object) -> tuple[Budget, ...]:
    """The budgets in a file's content; BudgetError where it is none."""
    if not isinstance(content, dict) or set(content) != {"budgets"} or not isinstance(content["budgets"], list):
        raise BudgetError("expected one key, `budgets`, with a list below it")
    budgets = tuple(_budget(place, entry) for place, entry in enumerate(content["budgets"], 1))
    taken: set[str] = set()
    for place, budget in enumerate(budgets, 1):
        if budget.name in taken:
            raise BudgetError(f"budget {place}: there is one named {budget.name!r} already")
        taken.add(budget.name)
    return budgets


def _budget(place: int, entry: object) -> Budget:
    try:
        if not isinstance(entry, dict):
            raise BudgetError("expected keys such as `usd` and `period`")
        strangers = sorted(str(key) for key in entry if key not in KEYS)
        if strangers:
            raise BudgetError(f"there is no {strangers[0]!r}; known are {', '.join(KEYS)}")
        usd, period = _usd(entry.get("usd")), entry.get("period")
        if period not in PERIODS:
            raise BudgetError(f"`period` must be one of {', '.join(PERIODS)}, not {period!r}")
        scopes = list(_scopes(entry))
        if len(scopes) > 1:
            raise BudgetError("only one of `model`, `user` and `tag` can be given")
        everything: tuple[Scope, str | None, str | None] = ("all", None, None)
        scope, label, value = scopes[0] if scopes else everything
        what = "All" if value is None else value
        name = _text("name", entry["name"]) if "name" in entry else f"{what} per {period}"
        return Budget(name, usd, cast(Period, period), scope, label, value)
    except BudgetError as error:
        raise BudgetError(f"budget {place}: {error}") from None


def _scopes(entry: Mapping[Any, Any]) -> Iterator[tuple[Scope, str, str]]:
    for scope in (names.MODEL, names.USER):
        if scope in entry:
            yield scope, names.label(scope), _text(scope, entry[scope])
    if "tag" in entry:
        tag = entry["tag"]
        if not isinstance(tag, dict) or len(tag) != 1:
            raise BudgetError("`tag` takes one name and its value, as in `{team: search}`")
        ((name, value),) = tag.items()
        yield "tag", names.label(f"{names.TAG_PREFIX}{_text('tag', name)}"), _text("tag", value)


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise BudgetError(f"`{key}` must be a text, not {value!r}; put it into quotes")
    return value


def _usd(value: object) -> Decimal:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            usd = Decimal(str(value))
        except InvalidOperation:
            usd = Decimal(0)
        if usd.is_finite() and usd > 0:
            return usd
    raise BudgetError(f"`usd` must be an amount above zero, not {value!r}")

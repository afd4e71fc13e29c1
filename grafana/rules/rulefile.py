"""Groups of rules and their text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import yaml

HEAD = "# Written by `python -m grafana.rules`: change that, not this file.\n"
FAST = "1m"
SLOW = "4m"  # inside the five minutes for which Prometheus remembers a value


@dataclass(frozen=True)
class Recording:
    """An expression that is kept as a series."""

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def as_data(self) -> dict[str, object]:
        """What goes into the file."""
        return {"record": self.record, "expr": self.expr, **({"labels": dict(self.labels)} if self.labels else {})}


@dataclass(frozen=True)
class Alert:
    """Something that somebody must know.

    Attributes:
        name: without the prefix that all of ours share.
        expr: true while it is so.
        lasting: how long it must be so.
        severity: `critical` wakes somebody, `warning` waits for the morning, `info` is good to know.
        summary: one line, the figure included.
        description: what it means and what is affected.
        board: where to look: the board and the title of the panel.
    """

    name: str
    expr: str
    lasting: str
    severity: str
    summary: str
    description: str
    board: tuple[str, str]


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other, at the same moment."""

    name: str
    interval: str
    rules: Sequence[Mapping[str, object]]


class _Text(str):
    """A text of several lines, written as such."""


def _block(dumper: yaml.SafeDumper, text: _Text) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")


class _Dumper(yaml.SafeDumper):
    """Leaves indentation as people write it."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists are indented below their key."""
        super().increase_indent(flow, False)


_Dumper.add_representer(_Text, _block)


def as_yaml(groups: Sequence[Group]) -> str:
    """The rule file, the same bytes on every run."""
    data = {
        "groups": [
            {"name": group.name, "interval": group.interval, "rules": [_readable(rule) for rule in group.rules]}
            for group in groups
        ]
    }
    return HEAD + yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)


def _readable(rule: Mapping[str, object]) -> dict[str, object]:
    return {key: _Text(value) if isinstance(value, str) and "\n" in value else value for key, value in rule.items()}

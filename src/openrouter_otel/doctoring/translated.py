"""Checks whether metrics of ours arrive as they were sent: under their names, with their labels, and once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from openrouter_otel import names
from openrouter_otel.doctoring.findings import Finding, note, problem
from openrouter_otel.doctoring.setup import Setup
from openrouter_otel.doctoring.source import START, WELL_NAMED, WINDOWS, one_of, within

HEX: Final = re.compile(r"[0-9a-f]{16}")


def spelling(setup: Setup) -> Iterator[Finding]:
    """Whether metrics have the names that reports ask for."""
    if setup.window is None:
        return
    everything = '{__name__=~"(.*[.:_])?openrouter[._].+"}'
    found = setup.source.ask(f"count by (__name__) ({within(everything, setup.window)})", setup.now)
    wrong = sorted(
        (stored, meant) for r in found if (stored := r.labels.get("__name__", "")) and (meant := _meant(stored))
    )
    if not wrong:
        return
    stored, meant = wrong[0]
    others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    yield problem(
        f"Prometheus stores {stored} where reports and boards ask for {meant}{others}: they find nothing",
        _respelt(stored),
    )


def _respelt(stored: str) -> str:
    if "." in stored:
        return (
            "have names escaped: `translation_strategy: UnderscoreEscapingWithSuffixes` under otlp,"
            " `metric_name_escaping_scheme: underscores` for scrapes"
        )
    if not stored.startswith("openrouter"):
        return "take the prefix away, such as `namespace` of the Collector's Prometheus exporter"
    return (
        "have unit and type appended: `add_metric_suffixes: true` in the Collector's exporter,"
        " `translation_strategy: UnderscoreEscapingWithSuffixes` under otlp in Prometheus"
    )


def _meant(stored: str) -> str | None:
    """The name that a misspelt metric should have; None where it is right, or nothing of ours."""
    if stored in _RIGHT:
        return None
    word = names.label(stored)
    return _BARE.get(_bare(word[word.index("openrouter_") :]))


def _bare(name: str) -> str:
    """A name without whatever a translation may append."""
    before = ""
    while name != before:
        before = name
        name = re.sub(r"_(total|seconds|ratio|bucket|count|sum|milliseconds|USD|1)$", "", name)
    return name


_EXPECTED: Final = [metric.prometheus for metric in names.METRICS + names.EXPORTER_METRICS]
_RIGHT: Final = {f"{name}{part}" for name in _EXPECTED for part in ("", "_bucket", "_count", "_sum", "_created")}
_BARE: Final = {_bare(name): name for name in _EXPECTED}


def identity(setup: Setup) -> Iterator[Finding]:
    """Whether every series says which process counts."""
    without = WELL_NAMED.removesuffix("}") + ',process!~"[0-9a-f]{16}"}'
    found = setup.source.ask(f"topk(1, {within(without, setup.window or 0)})", setup.now) if setup.window else []
    if not found:
        return
    labels = found[0].labels
    yield problem(f"{_changed(labels)}; reports then cannot be exact", _unchanged(labels))


def _renamed(labels: Mapping[str, str]) -> str | None:
    return next((name for name, text in sorted(labels.items()) if HEX.fullmatch(text)), None)


def _changed(labels: Mapping[str, str]) -> str:
    job = labels.get("job", "?")
    if (now := _renamed(labels)) is not None:
        return f"the label process of job {job} arrives as {now}"
    if names.PROCESS in labels:
        return f"the label process of job {job} is overwritten with {labels[names.PROCESS]!r}"
    return f"the label process of job {job} is missing"


def _unchanged(labels: Mapping[str, str]) -> str:
    if "exported_process" in labels:
        return "that target has a label process of its own: rename that one, or set honor_labels: true"
    return "leave the label alone in metric_relabel_configs (labeldrop, labelmap, replace), and in what is between"


def twice(setup: Setup) -> Iterator[Finding]:
    """Whether a process is scraped by more than one job or replica."""
    selector = f'{START}{{process!=""}}'
    found = setup.source.ask(f"count by (process) ({within(selector, min(WINDOWS))}) > 1", setup.now)
    if not found:
        return
    process = found[0].labels[names.PROCESS]
    places = setup.source.ask(
        f"count by (job, instance) ({within(START + one_of([process]), min(WINDOWS))})", setup.now
    )
    where = ", ".join(sorted(f"{p.labels.get('job', '?')} at {p.labels.get('instance', '?')}" for p in places))
    yield note(
        f"{len(found)} of our processes are seen more than once, such as by {where}; reports count them once",
        "one scrape each is enough and takes less room",
    )

"""The arrows of the design: who may import whom, read from the source."""

from __future__ import annotations

import ast
from fnmatch import fnmatch
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src" / "openrouter_otel"
FILES = {str(path.relative_to(SRC)): ast.parse(path.read_text("utf-8")) for path in SRC.rglob("*.py")}
IO = ("os", "io", "pathlib", "socket", "sqlite3", "subprocess", "urllib.request", "http", "logging", "time", "urllib3")
SIDES = ("openai", "opentelemetry", "prometheus_client", "wrapt")
OURS = "openrouter_otel"
REPORT = (f"{OURS}.report", f"{OURS}.reporting")

# Files, and what they must not import: a module stands for all that is below it.
ARROWS: list[tuple[str, tuple[str, ...]]] = [
    ("names.py", (*SIDES, *IO, OURS)),
    ("facts/*", (*SIDES, *IO, f"{OURS}.emit", f"{OURS}.names", f"{OURS}.call", f"{OURS}.record", *REPORT)),
    ("record.py", (*SIDES, *IO, f"{OURS}.emit", *REPORT)),
    ("call.py", (*SIDES, *(set(IO) - {"time"}), f"{OURS}.emit", *REPORT)),  # time: only for the clock it is given
    (
        "emit/*",
        ("openai", "prometheus_client", f"{OURS}.call", f"{OURS}.facts.usage", f"{OURS}.facts.response", *REPORT),
    ),
    ("emit/*", (f"{OURS}.facts.stream", f"{OURS}.facts.errors", f"{OURS}.facts.reading", f"{OURS}.watch")),
    ("journal/*", (*SIDES, f"{OURS}.emit", f"{OURS}.facts", f"{OURS}.record", f"{OURS}.settings", *REPORT)),
    (
        "exporting/*",
        ("openai", "sqlite3", f"{OURS}.call", f"{OURS}.watch", f"{OURS}.facts", f"{OURS}.runtime", *REPORT),
    ),
    ("exporting/{places,figures}.py", (*SIDES, *IO)),
    ("watch.py", ("opentelemetry", f"{OURS}.emit", f"{OURS}.names", *REPORT)),
    ("settings.py", SIDES),
    ("{budgets,budget_rules,promql}.py", (*SIDES, *IO, f"{OURS}.emit", *REPORT)),
    ("stacking/*", (*SIDES, f"{OURS}.emit", f"{OURS}.facts", f"{OURS}.call", *REPORT)),
    ("stacking/{links,folder,kubernetes}.py", (*SIDES, *IO)),
    ("reporting/*", (*SIDES, f"{OURS}.emit", f"{OURS}.facts", f"{OURS}.call", f"{OURS}.watch", f"{OURS}.telemetry")),
    (
        "reporting/{ledger,model,figures,edges,books,latency,restarts,values,histograms,coverage}.py",
        ("urllib3", "sqlite3", "socket", "os", "rich"),
    ),
    (
        "reporting/{ledger,model,figures,edges,books,latency,quantiles,rates,durations,tally,grouping,filters}.py",
        ("urllib3", "sqlite3", "socket", "os", "rich"),
    ),
    (
        "reporting/{distributions,order,single_calls,reconciled,reconciliation,journal/series}.py",
        ("urllib3", "sqlite3", "socket", "os", "rich"),
    ),
    (
        "reporting/{breakdowns,users,summaries,projection,fruitless,rows,trends,trust,period}.py",
        ("urllib3", "sqlite3", "socket", "os", "rich"),
    ),
    ("reporting/{account,account_status}.py", (*IO, "rich")),
    ("doctoring/{findings,observed,telling}.py", (*SIDES, *IO)),
    ("tailing/*", (*SIDES, "sqlite3", "urllib3")),
    ("reporting/render/*", ("urllib3", "sqlite3", "socket", "os", "urllib.request")),
    ("{instrumentor,runtime,watch,call,record,context,telemetry,metrics_endpoint,inbox,quiet,body}.py", REPORT),
]
# What only these files may touch.
OWNERS = {
    "openai": {"watch.py"},
    "urllib3": {"reporting/transport.py", "openrouter_api.py"},
    "os.environ": {"settings.py"},
    "os.getenv": {"settings.py"},
    "wrapt": {"watch.py", "running/bootstrap/sitecustomize.py"},
    "prometheus_client": {
        "exporter.py",
        "exporting/account.py",
        "exporting/page.py",
        "metrics_endpoint.py",
        "reader.py",
        "telemetry.py",
    },
    "sqlite3": {
        "journal/reading.py",
        "journal/store.py",
        "journal/sums.py",
        "journal/writing.py",
        "reporting/cache.py",
        "reporting/journal/opened.py",
    },
    "rich": {"reporting/render/terminal.py"},
    "altair": {"reporting/render/html/charts.py"},
    "vl_convert": {"reporting/render/html/libraries.py"},
    "jinja2": {"reporting/render/html/page.py"},
    "gc": {"finalizing.py", "report.py"},
}


def touched(tree: ast.AST) -> set[str]:
    """Dotted names that a file imports, and the attributes of modules that it reads."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide an arrow"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
    return found


def named(pattern: str) -> list[str]:
    """Files of a pattern; braces hold alternatives."""
    head, _, rest = pattern.partition("{")
    middle, _, tail = rest.partition("}")
    patterns = [f"{head}{choice}{tail}" for choice in middle.split(",")] if rest else [pattern]
    return [name for name in FILES if any(fnmatch(name, each) for each in patterns)]


def below(module: str, found: set[str]) -> set[str]:
    return {name for name in found if name == module or name.startswith(f"{module}.")}


@pytest.mark.parametrize(("pattern", "forbidden"), ARROWS, ids=[pattern for pattern, _ in ARROWS])
def test_an_arrow_is_followed_and_never_reversed(pattern: str, forbidden: tuple[str, ...]) -> None:
    files = named(pattern)
    against = {f"{name}: {x}" for name in files for module in forbidden for x in below(module, touched(FILES[name]))}

    assert files
    assert against == set()


@pytest.mark.parametrize("module", OWNERS)
def test_only_its_owners_touch(module: str) -> None:
    assert {name for name, tree in FILES.items() if below(module, touched(tree))} <= OWNERS[module]

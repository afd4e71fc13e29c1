"""The command line of `openrouter-otel stack` -> `Arguments`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

ADDRESS: Final = re.compile(r"https?://[\w.:\[\]@/?=&%+,;~!$*()-]+")
# What Kubernetes takes as a namespace, as a label's name and as its value.
NAMESPACE: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_WORD: Final = r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?"
LABEL: Final = re.compile(rf"(?P<name>([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?{_WORD})=(?P<value>({_WORD})?)", re.ASCII)

DESCRIPTION: Final = """\
Write the bundled stack: Prometheus with rules and alerts, Grafana with six
boards, Alertmanager. Into DIR for `docker compose up`, or as manifests for
Kubernetes."""
EPILOG: Final = """\
examples:
  openrouter-otel stack monitoring && cd monitoring && docker compose up
  openrouter-otel stack monitoring --budgets mine.yml
  # the boards alone, for a managed Prometheus and a Grafana of your own:
  openrouter-otel stack boards --raw
  # for Kubernetes:
  openrouter-otel stack --k8s --label release=prometheus |
    kubectl apply --server-side -f -
  # the rules of budgets alone:
  openrouter-otel stack --budgets mine.yml --output openrouter-budgets.rules.yml

exit status: 0 written; 1 with one line where it cannot be, and then nothing
is; 2 for bad arguments."""


class Arguments(NamedTuple):
    """What was asked for.

    Attributes:
        folder: where files go; None: standard output, or only budgets were asked for.
        budgets: a file of budgets; None: the examples in a folder, none in a cluster.
        output: where the rules of budgets alone go; None: standard output.
        raw: only boards, those that need no rules.
        force: overwrite what is there.
        k8s: manifests.
        namespace: of the manifests; None: that of whoever applies them.
        labels: put on every manifest.
        runbook_url: of the page to which alerts lead; None: the bundled Prometheus' own, in a cluster none.
        grafana_url: of the server to which alerts lead; None: the bundled Grafana, in a cluster none.
    """

    folder: Path | None
    budgets: Path | None
    output: Path | None
    raw: bool
    force: bool
    k8s: bool
    namespace: str | None
    labels: dict[str, str]
    runbook_url: str | None
    grafana_url: str | None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; --help tells more\n")


def parse(argv: Sequence[str]) -> Arguments:
    """Read the command line; one line on standard error and exit status 2 if it makes no sense."""
    parser = _Parser(
        prog="openrouter-otel stack",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    option = parser.add_argument
    option("folder", nargs="?", type=Path, metavar="DIR", help="where the files go; made if it is not there")
    option("--force", action="store_true", help="overwrite files of DIR that differ")
    option("--raw", action="store_true", help="only the boards, and those that need none of our rules")
    option("--budgets", metavar="FILE", type=Path, help="your budgets in YAML, in place of the examples")
    option("--output", metavar="FILE", type=Path, help="with --budgets alone: where its rules go, not to stdout")
    option("--runbook-url", metavar="URL", type=_address, help="where alerts find the runbook (`#alertname` follows)")
    option("--grafana-url", metavar="URL", type=_address, help="where alerts find the boards")
    cluster = parser.add_argument_group("Kubernetes").add_argument
    cluster(
        "--k8s",
        action="store_true",
        help="a ServiceMonitor, PrometheusRules and dashboard ConfigMaps, to stdout or DIR",
    )
    cluster("--namespace", metavar="NAME", type=_namespace, help="of the manifests; default: that of your context")
    cluster(
        "--label",
        dest="labels",
        metavar="NAME=VALUE",
        type=_label,
        action="append",
        default=[],
        help="on every manifest, such as the one that your Prometheus selects by; repeatable",
    )
    found = parser.parse_args(list(argv))
    arguments = Arguments(**vars(found))._replace(labels=dict(found.labels))
    complaint = _complaint(arguments)
    if complaint is not None:
        parser.error(complaint)
    return arguments


def _complaint(asked: Arguments) -> str | None:
    """What does not go together."""
    stack = asked.folder is not None or asked.k8s
    links = asked.runbook_url is not None or asked.grafana_url is not None
    rules = (
        (not stack and asked.budgets is None, "nothing to write: give a DIR, --k8s, or --budgets FILE"),
        (not stack and asked.raw, "--raw needs a DIR or --k8s"),
        (not stack and links, "--runbook-url and --grafana-url need a DIR or --k8s"),
        (asked.raw and asked.budgets is not None, "--raw writes no rules, and budgets are rules"),
        (asked.raw and links, "--raw writes no alerts, so nothing leads to --runbook-url or --grafana-url"),
        (asked.force and asked.folder is None, "--force needs a DIR"),
        (stack and asked.output is not None, "--output is for --budgets alone; DIR is where everything goes"),
        (not asked.k8s and asked.namespace is not None, "--namespace needs --k8s"),
        (not asked.k8s and bool(asked.labels), "--label needs --k8s"),
    )
    return next((complaint for broken, complaint in rules if broken), None)


def _address(text: str) -> str:
    if not ADDRESS.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no http:// or https:// address")
    return text


def _namespace(text: str) -> str:
    if not NAMESPACE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a namespace: lower case letters, digits and `-`")
    return text


def _label(text: str) -> tuple[str, str]:
    found = LABEL.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no label as Kubernetes knows them: NAME=VALUE")
    return found["name"], found["value"]

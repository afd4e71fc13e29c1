"""``openrouter-otel stack``: the bundled stack as files, the project's own, from wherever it is installed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from openrouter_otel.budget_rules import as_yaml, budget_rules
from openrouter_otel.budgets import BudgetError, read_budgets
from openrouter_otel.reporting import output
from openrouter_otel.stacking import folder, kubernetes
from openrouter_otel.stacking.arguments import Arguments, parse
from openrouter_otel.stacking.bundle import bundled
from openrouter_otel.stacking.links import GRAFANA, RUNBOOK, Links
from openrouter_otel.stacking.writing import KeptError, write


class _Budgets(NamedTuple):
    text: str | None = None
    rules: str | None = None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command: 0 when all is written, 1 with one line on standard error when it cannot be."""
    asked = parse(sys.argv[1:] if argv is None else argv)
    try:
        budgets = _Budgets() if asked.budgets is None else _read(asked.budgets)
        if asked.folder is not None:
            written = _files(asked, budgets)
            write(asked.folder, written, asked.force)
            output.write(f"{len(written)} files in {asked.folder}; {_next(asked)}\n", None)
        elif asked.k8s:
            output.write(kubernetes.joined(_files(asked, budgets).values()), None)
        else:
            output.write(budgets.rules or "", asked.output)
    except ImportError:
        return _failed("budgets need PyYAML: pip install 'openrouter-otel[budgets]'")
    except BudgetError as error:
        return _failed(f"{asked.budgets}: {error}")
    except UnicodeDecodeError:
        return _failed(f"{asked.budgets}: not UTF-8 text")
    except output.OutputError as error:
        return _failed(str(error))
    except KeptError as error:
        return _failed(f"{asked.folder}: {error}")
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}")
    return 0


def _files(asked: Arguments, budgets: _Budgets) -> Mapping[str, str]:
    """What to write, by path."""
    bundle = bundled()
    if asked.k8s:
        links = Links(asked.runbook_url, asked.grafana_url)
        cluster = kubernetes.Cluster(asked.namespace, asked.labels, links, rules=not asked.raw)
        return kubernetes.manifests(bundle, cluster, budgets.rules)
    if asked.raw:
        return folder.boards_without_rules(bundle)
    links = Links(asked.runbook_url or RUNBOOK, asked.grafana_url or GRAFANA)
    return folder.compose_stack(bundle, links, budgets.text, budgets.rules)


def _read(file: Path) -> _Budgets:
    text = file.read_text(encoding="utf-8")
    return _Budgets(text, as_yaml(budget_rules(read_budgets(text))))


def _next(asked: Arguments) -> str:
    if asked.k8s:
        return f"next: kubectl apply --server-side -f {asked.folder}"
    if asked.raw:
        return "mount its grafana/dashboards where grafana/provisioning says, or import the files by hand"
    return f"next: cd {asked.folder} && docker compose up -d, then python grafana/smoke.py"


def _failed(why: str) -> int:
    sys.stderr.write(f"openrouter-otel stack: {why}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())

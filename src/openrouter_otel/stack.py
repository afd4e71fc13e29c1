"""``openrouter-otel stack``: for now, the rule file that makes Prometheus know your budgets."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from openrouter_otel.budget_rules import as_yaml, budget_rules
from openrouter_otel.budgets import BudgetError, read_budgets


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command: 0 when the rules are written, 1 with one line on standard error when they cannot be."""
    parser = argparse.ArgumentParser(prog="openrouter-otel stack", description=__doc__)
    parser.add_argument("--budgets", metavar="FILE", type=Path, required=True, help="budgets in YAML")
    parser.add_argument("--output", metavar="FILE", type=Path, help="where the rules go; default: standard output")
    chosen = parser.parse_args(argv)
    try:
        rules = as_yaml(budget_rules(read_budgets(chosen.budgets.read_text(encoding="utf-8"))))
        if chosen.output is None:
            sys.stdout.write(rules)
        else:
            chosen.output.write_text(rules, encoding="utf-8")
    except ImportError:
        return _failed("budgets need PyYAML: pip install 'openrouter-otel[budgets]'")
    except BudgetError as error:
        return _failed(f"{chosen.budgets}: {error}")
    except UnicodeDecodeError:
        return _failed(f"{chosen.budgets}: not UTF-8 text")
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}")
    return 0


def _failed(why: str) -> int:
    sys.stderr.write(f"openrouter-otel stack: {why}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())

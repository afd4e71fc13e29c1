"""``--budgets FILE`` -> budgets: the file that Prometheus' rules are made of as well."""

from __future__ import annotations

from pathlib import Path

from openrouter_otel.budgets import Budget, BudgetError, read_budgets
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.render import MissingExtra


def budgets(path: str | Path | None, filters: Filters) -> tuple[Budget, ...] | None:
    """The budgets of a file, None where none is named.

    Raises:
        BudgetError: the file is no list of budgets, or the report is about some calls only.
        MissingExtra: PyYAML is not installed.
    """
    if path is None:
        return None
    if filters.wanted:
        raise BudgetError("--budgets counts every call: leave the filters out, or the budgets")
    try:
        return read_budgets(Path(path).read_text(encoding="utf-8"))
    except BudgetError as error:
        raise BudgetError(f"--budgets {path}: {error}") from error
    except UnicodeDecodeError as error:
        raise BudgetError(f"--budgets {path}: not UTF-8 text") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise BudgetError(f"--budgets {path}: {reason}") from error
    except ImportError as error:
        raise MissingExtra("--budgets needs PyYAML: pip install 'openrouter-otel[budgets]'") from error

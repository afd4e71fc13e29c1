"""``openrouter-otel``: one command, its subcommands in a table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Final

from openrouter_otel import doctor, exporter, key, report, resolve, run, stack, tail

COMMANDS: Final[dict[str, Callable[[Sequence[str]], int]]] = {
    "doctor": doctor.main,
    "report": report.main,
    "run": run.main,
    "exporter": exporter.main,
    "key": key.main,
    "resolve": resolve.main,
    "stack": stack.main,
    "tail": tail.main,
}
USAGE: Final = f"usage: openrouter-otel {{{','.join(COMMANDS)}}} [options]; each takes --help"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns its exit status, 2 where there is none of that name."""
    command, *rest = [*(sys.argv[1:] if argv is None else argv)] or [""]
    if command in COMMANDS:
        return COMMANDS[command](rest)
    if command in ("-h", "--help"):
        print(USAGE)
        return 0
    print(f"openrouter-otel: there is no command {command!r}; {USAGE}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

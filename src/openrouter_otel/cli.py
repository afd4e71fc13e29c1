"""``openrouter-otel``: one command, its subcommands in a table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Final

from openrouter_otel import doctor, exporter, report, resolve, run, stack, tail

COMMANDS: Final[dict[str, Callable[[Sequence[str]], int]]] = {
    "doctor": doctor.main,
    "report": report.main,
    "run": run.main,
    "exporter": exporter.main,
    "resolve": resolve.main,
    "stack": stack.main,
    "tail": tail.main,
}
LATER: Final = ("key",)
USAGE: Final = f"usage: openrouter-otel {{{','.join(COMMANDS)}}} [options]; each takes --help"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns its exit status, 2 where there is none of that name."""
    command, *rest = [*(sys.argv[1:] if argv is None else argv)] or [""]
    if command in COMMANDS:
        return COMMANDS[command](rest)
    if command in ("-h", "--help"):
        print(USAGE)
        return 0
    built = f"`{command}` is not built yet" if command in LATER else f"there is no command {command!r}; {USAGE}"
    print(f"openrouter-otel: {built}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

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
WHAT: Final = {
    "doctor": "look at a setup from end to end and say what is wrong",
    "report": "what calls cost, by model, provider, user, day and more",
    "run": "run a program and tell what its calls cost",
    "exporter": "serve a journal or the account to a Prometheus",
    "resolve": "find out prices that were not told when calls ended",
    "stack": "write Prometheus, Grafana and alerts, ready to start",
    "tail": "print calls as they happen",
    "key": "what is left of a key's limit and of the credit",
}
USAGE: Final = "usage: openrouter-otel COMMAND [options]"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns its exit status, 2 where there is none of that name."""
    command, *rest = [*(sys.argv[1:] if argv is None else argv)] or [""]
    if command in COMMANDS:
        return COMMANDS[command](rest)
    if command in ("-h", "--help"):
        print(_help())
        return 0
    if not command:
        print(_help(), file=sys.stderr)
        return 2
    known = ", ".join(COMMANDS)
    print(f"openrouter-otel: there is no command {command!r}; there are {known}", file=sys.stderr)
    return 2


def _help() -> str:
    commands = "\n".join(f"  {command:9} {WHAT[command]}" for command in sorted(COMMANDS))
    return f"{USAGE}\n\nWhat calls to OpenRouter cost, exactly.\n\n{commands}\n\nEach of them takes --help."


if __name__ == "__main__":
    sys.exit(main())

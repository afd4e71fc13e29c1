"""``openrouter-otel``: one command, its subcommands in a table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Final, NamedTuple

from openrouter_otel import doctor, exporter, key, report, resolve, run, stack, tail


class Command(NamedTuple):
    """A subcommand.

    Attributes:
        main: takes its arguments and gives the exit status.
        what: it does, for the list of them.
    """

    main: Callable[[Sequence[str]], int]
    what: str


COMMANDS: Final = {
    "doctor": Command(doctor.main, "look at a setup from end to end and say what is wrong"),
    "exporter": Command(exporter.main, "serve a journal or the account to a Prometheus"),
    "key": Command(key.main, "what is left of a key's limit and of the credit"),
    "report": Command(report.main, "what calls cost, by model, provider, user, day and more"),
    "resolve": Command(resolve.main, "find out prices that were not told when calls ended"),
    "run": Command(run.main, "run a program and tell what its calls cost"),
    "stack": Command(stack.main, "write Prometheus, Grafana and alerts, ready to start"),
    "tail": Command(tail.main, "print calls as they happen"),
}
USAGE: Final = "usage: openrouter-otel COMMAND [options]"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns its exit status, 2 where there is none of that name."""
    command, *rest = [*(sys.argv[1:] if argv is None else argv)] or [""]
    if command in COMMANDS:
        return COMMANDS[command].main(rest)
    if command in ("-h", "--help"):
        print(_help())
        return 0
    if command == "--version":
        print(f"openrouter-otel {metadata.version('openrouter-otel')}")
        return 0
    if not command:
        print(_help(), file=sys.stderr)
        return 2
    known = ", ".join(COMMANDS)
    print(f"openrouter-otel: there is no command {command!r}; there are {known}", file=sys.stderr)
    return 2


def _help() -> str:
    commands = "\n".join(f"  {name:9} {command.what}" for name, command in COMMANDS.items())
    more = "Each of them takes --help; --version tells the version of all."
    return f"{USAGE}\n\nWhat calls to OpenRouter cost, exactly.\n\n{commands}\n\n{more}"


if __name__ == "__main__":
    sys.exit(main())

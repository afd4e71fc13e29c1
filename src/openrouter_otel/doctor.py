"""``openrouter-otel doctor``: what is wrong with a setup, from the desk and from inside a program.

Exit status: 0 without a problem, 1 with one, 2 for bad arguments, 126 or 127 where a program cannot be started.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from openrouter_otel import settings
from openrouter_otel.doctoring import telling
from openrouter_otel.doctoring.arguments import Arguments, UsageError, parse
from openrouter_otel.doctoring.checks import examine
from openrouter_otel.doctoring.findings import PROBLEM, Finding
from openrouter_otel.doctoring.observed import Observed, most_telling
from openrouter_otel.doctoring.setup import Clock, Setup
from openrouter_otel.reporting import output
from openrouter_otel.reporting.access import AccessError
from openrouter_otel.reporting.address import AddressError
from openrouter_otel.running import bootstrap, child


def main(argv: Sequence[str] | None = None, clock: Clock = time.time) -> int:
    """Look at everything and tell what is found; returns the exit status."""
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        Setup(arguments)  # refuses what makes no sense before a program is run
        ran, observed = _run(arguments.command) if arguments.command else (None, None)
        findings = list(examine(Setup(arguments, ran, observed, clock)))
        _tell(findings, arguments)
    except (UsageError, AddressError, AccessError) as error:
        return _failed(error, 2)
    except child.CannotStart as error:
        return _failed(error, error.status)
    except output.OutputError as error:
        return _failed(error, 1)
    except KeyboardInterrupt:
        return 130
    return int(any(finding.status == PROBLEM for finding in findings))


def _run(command: Sequence[str]) -> tuple[int, Observed | None]:
    """Run a program to its end: its status, and what was seen inside."""
    with tempfile.TemporaryDirectory(prefix="openrouter-otel-", ignore_cleanup_errors=True) as folder:
        environment = settings.environment_of_doctor(str(Path(bootstrap.__file__).parent), folder)
        status = child.run(command, environment, lambda: None)
        return status, most_telling(_told(Path(folder)))


def _told(folder: Path) -> Iterator[Mapping[str, Any]]:
    for file in sorted(folder.glob("*.json")):
        yield json.loads(file.read_text(encoding="utf-8"))


def _tell(findings: Sequence[Finding], arguments: Arguments) -> None:
    """On standard output, or on standard error where the other one is the program's."""
    stream = sys.stderr if arguments.command else sys.stdout
    on_terminal = stream is not None and stream.isatty()
    columns = shutil.get_terminal_size().columns if on_terminal else None
    if arguments.format == "json":
        text = telling.as_json(findings)
    else:
        text = telling.terminal(findings, columns, colour=on_terminal and settings.colours())
    if arguments.command:
        sys.stderr.write(text)
    else:
        output.write(text, None)


def _failed(why: object, status: int) -> int:
    print(f"openrouter-otel: doctor: {why}", file=sys.stderr)
    return status

"""An environment of its own for each rival, made on first use under ``.cache/bench``; workers that run in them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks import REPOSITORY
from benchmarks.subjects import Subject

CACHE: Final = REPOSITORY / ".cache" / "bench"


class CannotInstall(Exception):
    """pip could not make a subject's environment."""


def python(subject: Subject) -> Path:
    """The interpreter that has a subject installed.

    Raises:
        CannotInstall: with pip's last words.
    """
    if not subject.pins:
        return Path(sys.executable)
    home = CACHE / subject.name
    interpreter, ready = home / "bin" / "python", home / "ready"
    wanted = "\n".join((*subject.pins, *subject.alone))
    if not ready.exists() or ready.read_text() != wanted:
        print(f"installing {subject.package} into {home.relative_to(REPOSITORY)} ...", file=sys.stderr, flush=True)
        _run([sys.executable, "-m", "venv", "--clear", str(home)])
        _pip(interpreter, *subject.pins)
        if subject.alone:
            _pip(interpreter, "--no-deps", *subject.alone)
        ready.write_text(wanted)
    return interpreter


def command(subject: Subject, module: str, *arguments: str) -> list[str]:
    """The command line of a worker.

    Raises:
        CannotInstall: see `python`.
    """
    return [str(python(subject)), "-W", "ignore::DeprecationWarning", "-m", module, *arguments]


def variables() -> dict[str, str]:
    """A worker's environment: nothing that a proxy or an exporter would act on, and no content is captured."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("OTEL_", "OPENROUTER_"))}
    return {
        **kept,
        "NO_PROXY": "*",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "false",
        "TRACELOOP_TRACE_CONTENT": "false",
        "TRACELOOP_TELEMETRY": "false",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_METRICS_EXPORTER": "none",
        "GENAI_ALLOW_EXTERNAL_EGRESS": "false",
    }


def _pip(interpreter: Path, *arguments: str) -> None:
    _run([str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments])


def _run(line: list[str]) -> None:
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotInstall((done.stderr.strip() or "it said nothing").splitlines()[-1])

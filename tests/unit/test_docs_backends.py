"""Every command of docs/backends.md is one that the report takes."""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from openrouter_otel.reporting import arguments
from openrouter_otel.reporting.address import Address
from openrouter_otel.reporting.sources import PrometheusSource

DOCS = Path(__file__).resolve().parents[2] / "docs" / "backends.md"
COMMANDS = [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("openrouter-otel report ")]


def test_there_is_a_command_for_each_backend() -> None:
    assert len(COMMANDS) == 7


@pytest.mark.parametrize("command", COMMANDS)
def test_a_documented_command_is_understood(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = [word.replace("~", str(tmp_path)) for word in shlex.split(command)]
    for word, value in pairwise(words):
        if word.endswith(("-file", "-cert")):
            (tmp_path / value).write_text("user:password\n")
    found = arguments.parse(words[2:]).source
    assert isinstance(found, PrometheusSource)
    asked = Address.parse(found.url).endpoint("query")
    base, _, query = found.url.partition("?")
    assert asked == f"{base}/api/v1/query{'?' if query else ''}{query}"

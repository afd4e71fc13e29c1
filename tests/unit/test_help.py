"""What `--help` says fits a terminal of 80 columns, the one that is told to users of all commands alike."""

from __future__ import annotations

from importlib import metadata

import pytest

from openrouter_otel import cli


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def helped(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    """What `--help` prints."""
    try:
        status: object = cli.main([*command, "--help"])
    except SystemExit as end:
        status = end.code
    assert status == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_a_commands_help_fits_80_columns(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = helped(capsys, command)
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert text.startswith(f"usage: openrouter-otel {command} ")


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_a_commands_help_says_its_exit_status_and_every_option_what_it_does(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = helped(capsys, command).splitlines()
    assert any(word in line.lower() for line in lines for word in ("exit status", "status 0"))
    described = [line.split(maxsplit=1) for line in lines if line.startswith("  -")]
    assert [option for option, *rest in described if not rest] == []


def test_the_commands_are_listed_with_what_they_do(capsys: pytest.CaptureFixture[str]) -> None:
    text = helped(capsys)
    assert max(map(len, text.splitlines())) <= 80
    listed = [line.split() for line in text.splitlines() if line.startswith("  ")]
    assert [command for command, *what in listed if what] == sorted(cli.COMMANDS)


def test_without_a_command_the_same_is_said_as_a_complaint(capsys: pytest.CaptureFixture[str]) -> None:
    text = helped(capsys)
    assert cli.main([]) == 2
    assert capsys.readouterr() == ("", text)


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr() == (f"openrouter-otel {metadata.version('openrouter-otel')}\n", "")

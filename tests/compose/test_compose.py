"""Docker Compose itself reads the compose files: the project's, and the one that ``openrouter-otel stack`` writes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from openrouter_otel import cli

ROOT = Path(__file__).resolve().parents[2]
WITH_ALERTS = ("--profile", "alerts")
BUNDLED = {"prometheus", "grafana"}


def compose() -> list[str]:
    """The plugin where there is one, else the command; FileNotFoundError where there is neither."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and not subprocess.run([*command, "version"], capture_output=True).returncode:
            return command
    raise FileNotFoundError("there is no Docker Compose: `make docker-compose` installs it")


def read(folder: Path, *options: str) -> dict[str, Any]:
    """What Docker Compose makes of the file in a folder; it must have nothing to say about it."""
    command = [*compose(), *options, "config"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    content = yaml.safe_load(done.stdout)
    assert isinstance(content, dict)
    return content


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stack")
    assert cli.main(["stack", str(folder)]) == 0
    return folder


@pytest.mark.parametrize("options", [(), WITH_ALERTS], ids=["alone", "with alerts"])
def test_only_the_project_has_the_demo(written: Path, options: tuple[str, ...]) -> None:
    ours, theirs = (set(read(folder, *options)["services"]) for folder in (ROOT, written))
    optional = {"alertmanager"}
    assert ours - theirs == {"demo"}
    assert theirs - optional == BUNDLED
    assert options == () or optional <= theirs  # Compose 1 lists it without its profile as well


@pytest.mark.parametrize("profile", [(), WITH_ALERTS], ids=["alone", "with alerts"])
def test_what_is_written_is_the_projects(written: Path, profile: tuple[str, ...]) -> None:
    ours, theirs = (read(folder, *profile)["services"] for folder in (ROOT, written))
    del ours["demo"]
    for service in (*ours.values(), *theirs.values()):
        del service["volumes"]  # absolute by now
        service.pop("secrets", None)
    assert ours == theirs


@pytest.mark.parametrize("folder", [ROOT, None], ids=["project", "written"])
def test_every_mounted_file_exists(written: Path, folder: Path | None) -> None:
    home = folder or written
    content = yaml.safe_load((home / "docker-compose.yml").read_text("utf-8"))
    sources = [volume.split(":")[0] for service in content["services"].values() for volume in service["volumes"]]
    ours = [source for source in sources if source.startswith("./")]
    assert ours
    assert [source for source in ours if not (home / source).exists()] == []

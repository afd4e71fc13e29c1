"""The wheel brings the stack along: built, installed where there is no source, and written out from there."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
import yaml

from openrouter_otel.stacking.bundle import bundled
from real_prometheus import binary, major_version

ROOT = Path(__file__).resolve().parents[2]
PACKED = "openrouter_otel/stacking/files/"


def run(*command: object, folder: Path | None = None) -> str:
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def built(source: Path, folder: Path) -> Path:
    """The wheel of a source tree, made offline by the build backend that is installed here."""
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet")
    run(sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, source)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def written(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What its command writes in an environment of its own, which borrows our dependencies but not our source."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    (site,) = (folder / "venv").glob("lib/*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    options = ("--no-deps", "--no-index", "--disable-pip-version-check", "--quiet")
    run(sys.executable, "-m", "pip", "install", *options, "--target", site, wheel)
    python = folder / "venv" / "bin" / "python"
    where = run(python, "-c", "import openrouter_otel; print(openrouter_otel.__file__)", folder=folder)
    assert Path(where.strip()).is_relative_to(folder)
    run(python, "-m", "openrouter_otel.cli", "stack", folder / "stack", folder=folder)
    return folder / "stack"


def test_the_wheel_holds_what_a_source_tree_finds(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {
            name.removeprefix(PACKED): archive.read(name).decode()
            for name in archive.namelist()
            if name.startswith(PACKED)
        }
    assert packed == bundled()
    assert not any("webhook_url" in path and not path.endswith(".example") for path in packed)


def test_the_installed_command_writes_the_projects_files(written: Path) -> None:
    found = {path.relative_to(written).as_posix(): path for path in written.rglob("*") if path.is_file()}
    assert set(found) == {path for path in bundled() if not path.startswith("grafana/dashboards-raw/")}
    for name, path in found.items():
        ours = (ROOT / name).read_bytes()
        assert path.read_bytes() == ours or b"<demo>" in ours  # test_stack_command.py says what is left out of these


def test_the_demos_container_can_build_the_package(tmp_path: Path) -> None:
    """From what is mounted there and copied, which is less than the project."""
    demo = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]["demo"]
    mounted = {volume.split(":")[0].removeprefix("./") for volume in demo["volumes"]}
    (copied,) = re.findall(r"^cp -r (.+) /tmp/source$", demo["command"][-1], re.MULTILINE)
    assert set(copied.split()) <= mounted
    run("cp", "-r", *copied.split(), tmp_path, folder=ROOT)
    wheel = built(tmp_path, tmp_path / "wheel")
    assert wheel.name.startswith("openrouter_otel-")


def test_promtool_takes_what_was_written(written: Path, tmp_path: Path) -> None:
    """The rules as they are; the configuration with its `otlp` block where this promtool is one of Prometheus 3."""
    rules = sorted((written / "grafana" / "prometheus" / "rules").glob("*.yml"))
    assert len(rules) == 4
    run(binary("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *rules)
    config = written / "grafana" / "prometheus" / "prometheus.yml"
    if major_version() < 3:
        known = {key: part for key, part in yaml.safe_load(config.read_text("utf-8")).items() if key != "otlp"}
        (tmp_path / "rules").symlink_to(config.parent / "rules")
        config = tmp_path / "prometheus.yml"
        config.write_text(yaml.safe_dump(known), encoding="utf-8")
    assert "4 rule files found" in run(binary("promtool"), "check", "config", config)

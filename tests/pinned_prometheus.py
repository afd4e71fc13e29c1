"""Builds the Prometheus that docker-compose.yml pins from its Go module, where there is Go, and prints its folder.

``make test-prometheus3`` runs this. It takes minutes once; all it needs and makes stays below ``.cache``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from binaries import CACHE

MODULE = "github.com/prometheus/prometheus"
COMPOSE = Path(__file__).resolve().parents[1] / "docker-compose.yml"
PROGRAMS = ("prometheus", "promtool")
# Without the interface's assets and the discovery of clouds, neither of which a test needs.
TAGS = "netgo,remove_all_sd"
GO = {
    "GOPATH": str(CACHE / "go"),
    "GOCACHE": str(CACHE / "go" / "build"),
    "GOFLAGS": "-mod=readonly -modcacherw",
    "GOWORK": "off",
    "CGO_ENABLED": "0",
}


class BuildError(Exception):
    """It cannot be built; the text is one line."""


def pinned() -> str:
    """The version that docker-compose.yml has, such as ``3.13.5``."""
    found = re.search(r"image: prom/prometheus:v(\d+\.\d+\.\d+)$", COMPOSE.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise BuildError("docker-compose.yml pins no version of prom/prometheus")
    return found[1]


def module_version(version: str) -> str:
    """What the Go module of a version is called: 3.13.5 is v0.313.5."""
    major, minor, patch = version.split(".")
    return f"v0.{major}{int(minor):02}.{patch}"


def built(version: str) -> Path:
    """The folder with the programs of a version, built now if it is not there."""
    folder = CACHE / f"prometheus-{version}"
    if all(os.access(folder / program, os.X_OK) for program in PROGRAMS):
        return folder
    if shutil.which("go") is None:
        raise BuildError(f"there is no Go to build Prometheus {version} with (https://go.dev/dl/)")
    print(f"building Prometheus {version} from its Go module (minutes, once) ...", file=sys.stderr, flush=True)
    module = json.loads(_go(["mod", "download", "-json", f"{MODULE}@{module_version(version)}"], CACHE))
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    unfinished.mkdir(parents=True, exist_ok=True)
    flags = ["-tags", TAGS, "-ldflags", f"-s -w -X github.com/prometheus/common/version.Version={version}"]
    # In the module's own folder, so that its go.mod and go.sum decide what goes in, as in a release.
    packages = [f"./cmd/{program}" for program in PROGRAMS]
    _go(["build", *flags, "-o", f"{unfinished}{os.sep}", *packages], Path(module["Dir"]))
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    shutil.rmtree(GO["GOPATH"])  # gigabytes, and of no further use
    return folder


def _go(arguments: list[str], folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["go", *arguments], cwd=folder, env={**os.environ, **GO}, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise BuildError(f"`go {arguments[0]}` failed")
    return done.stdout


if __name__ == "__main__":
    try:
        print(built(pinned()))
    except BuildError as error:
        sys.exit(str(error))

"""Builds a program that docker-compose.yml pins from its Go module, where there is Go, and prints its folder.

``python tests/pinned.py prometheus``, and the same for ``alertmanager``: ``make test-prometheus3`` runs both. It takes
minutes once; all it needs and makes stays below ``.cache``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from binaries import CACHE

COMPOSE = Path(__file__).resolve().parents[1] / "docker-compose.yml"


@dataclass(frozen=True)
class Pinned:
    """Somebody's programs, at the version that the compose file has.

    Attributes:
        name: of the image ``prom/...``, and of the module.
        programs: what is built of it.
        tags: what is left out.
    """

    name: str
    programs: tuple[str, ...]
    tags: str = "netgo"

    @property
    def module(self) -> str:
        """Its Go module."""
        return f"github.com/prometheus/{self.name}"

    def version(self) -> str:
        """The version that docker-compose.yml has, such as ``3.13.5``."""
        pattern = rf"image: prom/{self.name}:v(\d+\.\d+\.\d+)$"
        found = re.search(pattern, COMPOSE.read_text(encoding="utf-8"), re.MULTILINE)
        if found is None:
            raise BuildError(f"docker-compose.yml pins no version of prom/{self.name}")
        return found[1]


# Prometheus goes without its interface's assets and the discovery of clouds, neither of which a test needs, and
# Alertmanager's server cannot be built without its assets.
PINNED = {
    one.name: one
    for one in (
        Pinned("prometheus", ("prometheus", "promtool"), "netgo,remove_all_sd"),
        Pinned("alertmanager", ("amtool",)),
    )
}
GO = {
    "GOPATH": str(CACHE / "go"),
    "GOCACHE": str(CACHE / "go" / "build"),
    "GOFLAGS": "-mod=readonly -modcacherw",
    "GOWORK": "off",
    "CGO_ENABLED": "0",
}


class BuildError(Exception):
    """It cannot be built; the text is one line."""


def module_version(version: str) -> str:
    """What the Go module of a version is called: 3.13.5 is v0.313.5, and 0.34.1 is v0.34.1."""
    major, minor, patch = version.split(".")
    return f"v{version}" if major == "0" else f"v0.{major}{int(minor):02}.{patch}"


def built(wanted: Pinned) -> Path:
    """The folder with the programs, built now if it is not there."""
    version = wanted.version()
    folder = CACHE / f"{wanted.name}-{version}"
    if all(os.access(folder / program, os.X_OK) for program in wanted.programs):
        return folder
    if shutil.which("go") is None:
        raise BuildError(f"there is no Go to build {wanted.name} {version} with (https://go.dev/dl/)")
    print(f"building {wanted.name} {version} from its Go module (minutes, once) ...", file=sys.stderr, flush=True)
    module = json.loads(_go(["mod", "download", "-json", f"{wanted.module}@{module_version(version)}"], CACHE))
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    unfinished.mkdir(parents=True, exist_ok=True)
    flags = ["-tags", wanted.tags, "-ldflags", f"-s -w -X github.com/prometheus/common/version.Version={version}"]
    # In the module's own folder, so that its go.mod and go.sum decide what goes in, as in a release.
    packages = [f"./cmd/{program}" for program in wanted.programs]
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
        print(built(PINNED[sys.argv[1]]))
    except BuildError as error:
        sys.exit(str(error))

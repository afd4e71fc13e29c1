"""A server for a machine that has none: the distribution's own package, unpacked into the project's folder.

No root, nothing installed and nothing outside ``.cache/<package>`` touched: apt gets state, lists and cache of its
own there, and the system's configuration (proxies, sources, keys) without its hooks, which would tidy up elsewhere.
``python -m examples.demo.packages prometheus`` is how ``make`` calls it.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import binaries
import real_prometheus
import real_victoria_metrics


@dataclass(frozen=True)
class Package:
    """A package of the distribution's.

    Attributes:
        name: as apt knows it.
        programs: what we want of it.
        find: where a program is; FileNotFoundError if it is nowhere.
        advice: how else to get it.
    """

    name: str
    programs: tuple[str, ...]
    find: Callable[[str], Path]
    advice: str

    @property
    def home(self) -> Path:
        """Where it is unpacked."""
        return binaries.CACHE / self.name


PROMETHEUS: Final = Package(
    "prometheus",
    ("prometheus", "promtool"),
    real_prometheus.binary,
    "install Prometheus (https://prometheus.io/download/) so that `prometheus` and `promtool` are on the PATH",
)
VICTORIA_METRICS: Final = Package(
    "victoria-metrics",
    ("victoria-metrics",),
    real_victoria_metrics.binary,
    "install VictoriaMetrics (https://docs.victoriametrics.com) so that `victoria-metrics` is on the PATH",
)
_NO_HOOKS: Final = "\n".join(
    f"#clear {hook};"
    for hook in (
        "APT::Update::Pre-Invoke",
        "APT::Update::Post-Invoke",
        "APT::Update::Post-Invoke-Success",
        "DPkg::Pre-Invoke",
        "DPkg::Post-Invoke",
    )
)


class MissingProgramError(RuntimeError):
    """There is none and none can be had; the text is one line for the user."""


def ensure(package: Package) -> None:
    """Return once the programs of a package are there, unpacking them if need be."""
    if _missing(package):
        _unpack(package)


def _missing(package: Package) -> list[str]:
    return [name for name in package.programs if not _is_there(package, name)]


def _is_there(package: Package, name: str) -> bool:
    try:
        package.find(name)
    except FileNotFoundError:
        return False
    return True


def _unpack(package: Package) -> None:
    name, home = package.name, package.home
    if lacking := [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]:
        raise MissingProgramError(f"no {name} on the PATH and no {lacking[0]} to fetch it with: {package.advice}")
    print(f"no {name} on the PATH: unpacking the distribution's package into .cache/{name} ...", flush=True)
    apt = home / "apt"
    options = _apt_options(apt)
    try:
        _run(["apt-get", *options, "update"], apt)
        _run(["apt-get", *options, "download", name], apt)
        for archive in apt.glob(f"{name}_*.deb"):
            _run(["dpkg-deb", "-x", str(archive), "unpacked"], apt)
    except _FailedError as error:
        raise MissingProgramError(f"no {name} on the PATH, and {error}: {package.advice}") from error
    shutil.rmtree(home / "usr", ignore_errors=True)
    (apt / "unpacked" / "usr").rename(home / "usr")  # in one step: an interrupted run leaves no half of a program
    shutil.rmtree(apt)  # lists are large and of no further use
    if lacking := _missing(package):
        raise MissingProgramError(f"the distribution's package has no {lacking[0]}: {package.advice}")


def _apt_options(apt: Path) -> list[str]:
    shutil.rmtree(apt, ignore_errors=True)
    for folder in ("lists/partial", "cache/archives/partial", "apt.conf.d"):
        (apt / folder).mkdir(parents=True)
    for part in sorted(Path("/etc/apt/apt.conf.d").glob("*")):
        with contextlib.suppress(OSError):  # some are for root's eyes only
            shutil.copyfile(part, apt / "apt.conf.d" / part.name)
    (apt / "apt.conf.d" / "zzzz-no-hooks").write_text(_NO_HOOKS + "\n", encoding="utf-8")
    settings = {
        "Dir::Etc::Parts": apt / "apt.conf.d",
        "Dir::State": apt,
        "Dir::State::Lists": apt / "lists",
        "Dir::State::Status": "/var/lib/dpkg/status",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",  # else a root's apt downloads as a user of its own, who may not write here
        "Debug::NoLocking": "true",
    }
    return ["-qq", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]


class _FailedError(Exception):
    pass


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        reason = " ".join((done.stderr or done.stdout).split())[:300]
        raise _FailedError(f"`{_brief(command)}` failed ({reason})")


def _brief(command: list[str]) -> str:
    return " ".join([command[0], *(word for word in command[1:] if word in {"update", "download", "-x"})])


def main(argv: list[str]) -> int:
    """Have the named packages there, or say in one line why not; 1 then, unless that is no obstacle."""
    packages = {package.name: package for package in (PROMETHEUS, VICTORIA_METRICS)}
    parser = argparse.ArgumentParser(prog="python -m examples.demo.packages")
    parser.add_argument("packages", nargs="+", choices=packages)
    parser.add_argument("--optional", action="store_true", help="go on without")
    given = parser.parse_args(argv)
    try:
        for name in given.packages:
            ensure(packages[name])
    except MissingProgramError as error:
        if not given.optional:
            print(error, file=sys.stderr)
            return 1
        print(f"{error}. `make demo` and `make quick` do without it; `make test` needs it.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

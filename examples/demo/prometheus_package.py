"""A Prometheus for a machine that has none: the distribution's own package, unpacked into the project's folder.

No root, nothing installed and nothing outside ``.cache/prometheus`` touched: apt gets state, lists and cache of its
own there, and the system's configuration (proxies, sources, keys) without its hooks, which would tidy up elsewhere.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from real_prometheus import UNPACKED, binary

HOME: Final = UNPACKED.parents[1]  # where the tests look for it, too
_BINARIES: Final = ("prometheus", "promtool")
_ADVICE: Final = (
    "install Prometheus (https://prometheus.io/download/) so that `prometheus` and `promtool` are on the PATH"
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


class NoPrometheusError(RuntimeError):
    """There is none and none can be had; the text is one line for the user."""


def ensure() -> None:
    """Return once ``prometheus`` and ``promtool`` are there, unpacking them if need be."""
    if _missing():
        _unpack()


def _missing() -> list[str]:
    return [name for name in _BINARIES if not _is_there(name)]


def _is_there(name: str) -> bool:
    try:
        binary(name)
    except FileNotFoundError:
        return False
    return True


def _unpack() -> None:
    if lacking := [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]:
        raise NoPrometheusError(f"no prometheus on the PATH and no {lacking[0]} to fetch it with: {_ADVICE}")
    print("no prometheus on the PATH: unpacking the distribution's package into .cache/prometheus ...", flush=True)
    apt = HOME / "apt"
    options = _apt_options(apt)
    _run(["apt-get", *options, "update"], apt)
    _run(["apt-get", *options, "download", "prometheus"], apt)
    for package in apt.glob("prometheus_*.deb"):
        _run(["dpkg-deb", "-x", str(package), "unpacked"], apt)
    shutil.rmtree(HOME / "usr", ignore_errors=True)
    (apt / "unpacked" / "usr").rename(HOME / "usr")  # in one step: an interrupted run leaves no half of a program
    shutil.rmtree(apt)  # lists are large and of no further use
    if lacking := _missing():
        raise NoPrometheusError(f"the distribution's package has no {lacking[0]}: {_ADVICE}")


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


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        reason = " ".join((done.stderr or done.stdout).split())[:300]
        raise NoPrometheusError(f"no prometheus on the PATH, and `{_brief(command)}` failed ({reason}): {_ADVICE}")


def _brief(command: list[str]) -> str:
    return " ".join([command[0], *(word for word in command[1:] if word in {"update", "download", "-x"})])


if __name__ == "__main__":
    try:
        ensure()
    except NoPrometheusError as error:
        sys.exit(str(error))

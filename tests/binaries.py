"""Where the programs of other people's that tests and demo run are on this machine.

They come from a folder that the environment names, from the path, or from where ``make`` unpacks the distribution's
package. A missing one is an error and never a skipped test.
"""

from __future__ import annotations

import os
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / ".cache"


def unpacked(package: str) -> Path:
    """Where the programs of a package are once it is unpacked."""
    return CACHE / package / "usr" / "bin"


def find(name: str, package: str, setting: str) -> Path:
    """A program of a package, first in the folder that the environment's `setting` names; FileNotFoundError if none."""
    folders = [os.environ.get(setting, ""), *os.get_exec_path(), str(unpacked(package))]
    for folder in filter(None, folders):
        candidate = Path(folder) / name
        if os.access(candidate, os.X_OK):
            return candidate
    raise FileNotFoundError(f"no {name} in {setting}, on the path or in {unpacked(package)}")

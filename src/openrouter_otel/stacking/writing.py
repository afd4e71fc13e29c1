"""Files into a folder: all of them or none, and none over somebody's own."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Mapping
from pathlib import Path


class KeptError(Exception):
    """There are other files of these names; the text is one line that names them."""


def write(folder: Path, files: Mapping[str, str], force: bool) -> None:
    """Write the text of each file below a folder, made where it is missing; equal files stay as they are.

    Raises:
        KeptError: where a file is there with another content, and `force` is not set.
        OSError: where one cannot be written; then the folder is as it was.
    """
    others = [path for path, text in files.items() if _is_another(folder / path, text)]
    if others and not force:
        raise KeptError(f"there already, and not as we would write them: {', '.join(others)}; --force overwrites them")
    with contextlib.ExitStack() as undo:
        finished = {}
        for path, text in files.items():
            target = folder / path
            _make(target.parent, undo)
            unfinished = target.with_name(f".{target.name}.unfinished")
            undo.callback(unfinished.unlink, missing_ok=True)
            unfinished.write_text(text, "utf-8", newline="\n")
            finished[unfinished] = target
        for unfinished, target in finished.items():
            unfinished.replace(target)
        undo.pop_all()


def _is_another(path: Path, text: str) -> bool:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder, and ought to be a file", str(path))
    return path.is_symlink() or (path.exists() and path.read_bytes() != text.encode())


def _make(folder: Path, undo: contextlib.ExitStack) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir()
        undo.callback(each.rmdir)

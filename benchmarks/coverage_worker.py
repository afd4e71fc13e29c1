"""Runs every row in one subject's environment, first bare, then instrumented: ``NAME PORT OUTPUT PATH ...``.

What was told is written when the interpreter ends, after the subject's own exit handlers: a span may end as late.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import json
import sys
import warnings
from pathlib import Path
from typing import Any

from benchmarks import instruments, scenarios
from benchmarks.application import Application
from benchmarks.witness import Witness


def main() -> None:
    """Run them all."""
    name, port, output, *paths = sys.argv[1:]
    results: dict[str, dict[str, Any]] = {}
    witness = Witness()

    def write() -> None:
        told = {key: {**result, **witness.told(key)} for key, result in results.items()}
        document = {"versions": instruments.versions(name), "rows": told}
        Path(output).write_text(json.dumps(document, default=str))

    atexit.register(write)  # the first to be registered is the last to run
    loop = asyncio.new_event_loop()
    for instrumented in (False, True):
        if instrumented:
            instruments.switch_on(name)
        gc.freeze()  # each row collects garbage: not what was imported, again and again
        for row in scenarios.ROWS:
            if row.path in paths:
                for colour in row.colours:
                    key = f"{row.name} {colour}"
                    application = Application(int(port), loop if colour == "async" else None)
                    if instrumented:
                        witness.begin(key)
                    seen = _seen(row, application)
                    if instrumented:
                        witness.end()
                    results.setdefault(key, {})["seen" if instrumented else "bare"] = seen
                    if "still referred to" in row.name and instrumented:
                        _kept.append(application)


_kept: list[Application] = []


def _seen(row: scenarios.Row, application: Application) -> dict[str, Any]:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", RuntimeWarning)
        value = scenarios.run(row, application)
        gc.collect()
    return {
        "value": value,
        "kinds": application.kinds,
        "warned": sorted({str(w.message) for w in warned if issubclass(w.category, RuntimeWarning)}),
    }


if __name__ == "__main__":
    main()

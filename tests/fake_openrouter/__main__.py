"""``python -m fake_openrouter --port N``: the stand-in on its own, until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import threading

from .scenario import scenario
from .server import FakeOpenRouter


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="fake_openrouter", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--default", default="good", help="scenario laid under every request's own")
    arguments = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with FakeOpenRouter(arguments.port, scenario(arguments.default)) as openrouter:
        print(openrouter.base_url, flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()

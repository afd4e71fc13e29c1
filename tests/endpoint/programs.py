"""A user's program, run by an interpreter of its own, and what it shows on /metrics."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

PORTS: Final = range(9464, 9474)
PATIENCE: Final = 20.0  # seconds for a machine that does other things too

# What every program begins with; `say` and `hear` keep it in step with its test.
PRELUDE: Final = """
import json, logging, os, sys
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
logging.getLogger("httpx").setLevel(logging.WARNING); logging.getLogger("httpx2").setLevel(logging.WARNING)
from openai import OpenAI
from openrouter_otel import OpenRouterInstrumentor, metrics_reader, record, usage_context

def say(value=None):
    print(json.dumps(value), flush=True)

def hear():
    return os.read(0, 1)  # unbuffered: a forked child listens to the same pipe

def new_client():
    return OpenAI(base_url=os.environ["OPENROUTER_OTEL_BASE_URLS"], api_key="sk-or-v1-test", max_retries=1, timeout=10)

client = new_client()

def ask(scenario="good", client=client, **more):
    body = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}], **more}
    return client.chat.completions.create(**body, extra_headers={"x-scenario": scenario})
"""


class Program:
    """A context manager around one process.

    Args:
        folder: where its log goes.
        code: what it does after the prelude.
        environment: variables beside those of a plain shell; None takes one away.
        command: what runs a file, for launchers.
        prelude: what every program begins with.
    """

    def __init__(
        self,
        folder: Path,
        code: str,
        environment: Mapping[str, str | None],
        command: tuple[str, ...] = (sys.executable,),
        prelude: str = PRELUDE,
    ) -> None:
        script = folder / "program.py"
        script.write_text(prelude + code, "utf-8")
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "OPENROUTER_"))}
        known = {k: v for k, v in {**plain, **environment}.items() if v is not None}
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, str(script)], bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=known
            )

    def hear(self) -> Any:
        """What the program says next."""
        pipe = self._process.stdout
        assert pipe is not None
        ready, _, _ = select.select([pipe], [], [], PATIENCE)
        line = pipe.readline() if ready else b""
        if not line:
            raise AssertionError(f"the program said nothing; its log:\n{self.log}")
        return json.loads(line)

    def go_on(self) -> None:
        """Let a program that listens go on."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")

    def end(self) -> int:
        """Wait until the program has ended, and say its status."""
        return self._process.wait(PATIENCE)

    @property
    def log(self) -> str:
        """Everything that it has logged."""
        return self._log.read_text("utf-8")

    def lines(self, level: str) -> list[str]:
        """Log lines of ours of one level."""
        start = f"{level} openrouter_otel "
        return [line.removeprefix(start) for line in self.log.splitlines() if line.startswith(start)]

    @property
    def addresses(self) -> list[str]:
        """Where it says that its metrics are, in the order it said so."""
        return re.findall(r"metrics are at (http://\S+/metrics)", self.log)

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.terminate()
        self._process.wait(PATIENCE)


class Scrape:
    """One look at /metrics.

    Args:
        text: the exposition.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}

    @property
    def samples(self) -> list[Sample]:
        """All samples of ours."""
        return [s for family in self.families.values() for s in family.samples if s.name.startswith("openrouter_")]

    def values(self, name: str, **labels: str) -> list[Decimal]:
        """The values of a metric's samples that have these labels, by their text."""
        found = [s for s in self.samples if s.name == name and labels.items() <= s.labels.items()]
        return [Decimal(repr(sample.value)) for sample in found]

    def total(self, name: str, **labels: str) -> Decimal:
        """Their sum."""
        return sum(self.values(name, **labels), Decimal(0))

    @property
    def process(self) -> str:
        """The one process that all samples name."""
        [process] = {sample.labels["process"] for sample in self.samples}
        return process


def scrape(address: str) -> Scrape:
    """Look at /metrics."""
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        return Scrape(answer.read().decode())


def port(address: str) -> int:
    """The port of an address."""
    return int(address.rsplit(":", 1)[1].partition("/")[0])


def hosts() -> Iterator[str]:
    """Loopback addresses that nobody else uses: their ten ports are free, whatever else runs on this machine."""
    pid = os.getpid()
    for number in range(2, 255):
        yield f"127.{pid >> 8 & 255}.{pid & 255}.{number}"

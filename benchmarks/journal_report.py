"""How long a report of a big journal takes, how much memory it needs, and whether it is right to the last digit.

    python benchmarks/journal_report.py [--calls 10000000] [--days 365] [--journal FILE]

Writes a year of calls with the journal's own writer, remembers what they truly add up to, and asks the command for the
report in a process of its own. A journal that is there already is taken as it is, with the truth that lies beside it.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from openrouter_otel import names
from openrouter_otel.emit.entries import entry
from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.request import Request
from openrouter_otel.facts.response import Answer
from openrouter_otel.facts.usage import Usage
from openrouter_otel.journal.writing import Source, Writer
from openrouter_otel.record import Attribution, Record, cost_source

CALLS: Final = 10_000_000
DAYS: Final = 365
HOUR_NS: Final = 3600 * 10**9
MODELS: Final = (
    # name, provider, USD per input and output token, median seconds
    ("openai/gpt-5-mini", "OpenAI", Decimal("0.00000025"), Decimal("0.000002"), 2.4),
    ("anthropic/claude-sonnet-4.5", "Anthropic", Decimal("0.000003"), Decimal("0.000015"), 4.1),
    ("google/gemini-2.5-flash", "Google", Decimal("0.0000003"), Decimal("0.0000025"), 1.3),
    ("deepseek/deepseek-chat-v3.1", "DeepSeek", Decimal("0.0000002"), Decimal("0.0000008"), 6.0),
    ("meta-llama/llama-3.3-70b-instruct", "Together", Decimal("0.00000013"), Decimal("0.0000004"), 1.8),
)
USERS: Final = tuple(f"user-{number:02}" for number in range(60))
LIMIT_SECONDS: Final = 30.0  # of a machine with much else to do
REFUSED: Final = Failure("rate_limit_exceeded", "Rate limit exceeded", answered=True)


class Truth:
    """What the calls add up to."""

    def __init__(self) -> None:
        self.cost = Decimal(0)
        self.counts: Counter[str] = Counter()
        self.seconds: list[float] = []

    def take(self, record: Record) -> None:
        """Count one call."""
        self.cost += record.cost or 0
        self.counts["requests"] += 1
        self.counts["errors"] += record.outcome == names.ERROR
        if (usage := record.answer.usage) is not None:
            self.counts["tokens"] += (usage.input_tokens or 0) + (usage.output_tokens or 0)
        if record.outcome == names.OK and record.duration is not None:
            self.seconds.append(record.duration)

    def told(self) -> dict[str, Any]:
        """As a report has it."""
        self.seconds.sort()
        rank = math.ceil(Decimal("0.95") * len(self.seconds))
        p95 = round(self.seconds[rank - 1] * 1000, 6)
        return {"cost": str(self.cost), "p95": p95, **self.counts}


def call(chance: random.Random, ended_at: int) -> Record:
    """One call of anybody's."""
    model, provider, input_price, output_price, median = MODELS[min(4, int(chance.expovariate(0.9)))]
    user = USERS[int(len(USERS) * chance.random() ** 2)]
    seconds = median * math.exp(chance.gauss(0, 0.5))
    streamed, failed, session = chance.random() < 0.4, chance.random() < 0.02, chance.random() < 0.2
    prompt, answer = chance.randrange(50, 4000), chance.randrange(5, 900)
    usage = None if failed else Usage(prompt, answer, (), prompt * input_price + answer * output_price)
    failure = REFUSED if failed else None
    outcome = names.ERROR if failed else names.OK
    return Record(
        Request("chat", model, streamed, "openrouter.ai", None),
        Attribution(user, f"session-{ended_at // HOUR_NS}-{user}" if session else None, {}),
        Answer(f"gen-{chance.getrandbits(64):x}", None if failed else model, provider, ("stop",), None, usage, failure),
        outcome,
        cost_source(usage, outcome, failure),
        failure,
        ended_at - round(seconds * 1e9),
        seconds,
        seconds / 5 if streamed and not failed else None,
    )


def write(path: Path, calls: int, days: int) -> None:
    """Write a journal, and the truth beside it."""
    chance, truth = random.Random(7), Truth()
    writer = Writer(str(path), Source("0123456789abcdef", None, "shop", "", "production"))
    end = time.time_ns() // HOUR_NS * HOUR_NS
    hours = days * 24
    for hour in range(hours):
        begin = end - (hours - hour) * HOUR_NS
        share = calls * (hour + 1) // hours - calls * hour // hours
        records = [call(chance, begin + round(HOUR_NS * (n + 0.5) / share)) for n in range(share)]
        for record in records:
            truth.take(record)
        writer.write([entry(record, ()) for record in records])
    writer.close()
    _beside(path).write_text(json.dumps(truth.told()))


def report(path: Path, days: int, *options: str) -> tuple[dict[str, Any], float, int]:
    """A report, the seconds it took, and the most memory (bytes) it had."""
    command = [sys.executable, "-m", "openrouter_otel.report", "--journal", str(path), "--since", f"{days}d", *options]
    command.append("--no-account")
    begun = time.perf_counter()
    made = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    took = time.perf_counter() - begun
    return json.loads(made), took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def wrong(found: dict[str, Any], truth: dict[str, Any]) -> list[str]:
    """What differs from the truth."""
    total = found["summary"]["period"]
    told = {
        "cost": total["total_cost"],
        "requests": total["total_requests"],
        "errors": total["total_errors"],
        "tokens": total["total_tokens"],
        "p95": found["latency_overall"]["p95"],
    }
    known = {**truth, "cost": float(truth["cost"])}
    return [f"{key} is {told[key]} and should be {known[key]}" for key in told if told[key] != known[key]]


def _beside(path: Path) -> Path:
    return path.with_suffix(".truth.json")


def main() -> int:
    """Print what it took; 1 where a figure is wrong or it took too long."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--journal", type=Path, help="kept there; default: a temporary file")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = asked.journal or Path(folder) / "usage.db"
        if not path.exists():
            begun = time.perf_counter()
            write(path, asked.calls, asked.days)
            print(f"written in {time.perf_counter() - begun:.0f} s, {path.stat().st_size / 1e6:,.0f} MB")
        truth = json.loads(_beside(path).read_text())
        month = report(path, 30)
        year = report(path, asked.days + 1)
    for label, (_, took, memory) in (("30 days", month), (f"{asked.days} days", year)):
        print(f"{label:>10}: {took:6.2f} s, {memory / 1e6:,.0f} MB at most")
    differences = wrong(year[0], truth)
    print(f"{truth['requests']:,} calls, {truth['cost']} USD: {'; '.join(differences) or 'every figure is right'}")
    return int(bool(differences) or year[1] > LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())

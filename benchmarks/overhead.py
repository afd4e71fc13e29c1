"""``python -m benchmarks.overhead``: what a call costs instrumented, by us and by our rivals, and what it might cost.

Every subject runs in a process and an environment of its own, on a mock transport, with content capture off. Blocks of
calls alternate, bare and instrumented in one process and subject after subject, so that a noisy neighbour hits all.
Microseconds are the 10th percentile of the instrumented blocks less that of the bare ones: the quiet moments of each.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks import REPOSITORY, environments
from benchmarks.subjects import JOURNALED, OURS, SUBJECTS, Subject

RESULTS: Final = environments.CACHE / "overhead.json"
CHUNKS: Final = 200
SHAPES: Final = ("plain", "plain, async", "stream", "stream, async")
FLOOR, FLOOR_IN_A_CALL, WRAPPER = "floor", "floor in a call", "wrapper"
SUSTAINED: Final = "sustained"
# Calls in a block and pairs of blocks in a round. We count 32 calls in a row: a block has its share of that.
_ASKED: Final = {
    "plain": (64, 2),
    "plain, async": (64, 2),
    "stream": (1, 2),
    "stream, async": (1, 2),
    FLOOR: (100, 5),
    FLOOR_IN_A_CALL: (64, 2),
    WRAPPER: (100_000, 1),
    SUSTAINED: (4000, 1),  # more than a second, so that what is done every so often has its share
}
_OURS_ALONE: Final = {OURS.name: (FLOOR, FLOOR_IN_A_CALL, WRAPPER, SUSTAINED), JOURNALED.name: (SUSTAINED,)}
FULL: Final = 20  # rounds
QUICK: Final = 3

GOAL_RIVAL: Final = 0.4
GOAL_FLOOR: Final = 1.5
GOAL_CHUNK: Final = 1.2  # microseconds
GOAL_JOURNAL: Final = 1.3


class Worker:
    """A subject's process.

    Args:
        subject: who.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115  # lives as long as the process
        self._process = subprocess.Popen(
            environments.command(subject, "benchmarks.overhead_worker", subject.name),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            cwd=REPOSITORY,
            env=environments.variables(),
        )
        self.versions: dict[str, str] = self._read()

    def ask(self, shape: str) -> list[tuple[float, float]]:
        """A round's pairs of blocks, bare and instrumented."""
        assert self._process.stdin
        print(json.dumps([shape, *_ASKED[shape]]), file=self._process.stdin, flush=True)
        return [(bare, instrumented) for bare, instrumented in self._read()]

    def stop(self) -> None:
        """No more questions."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def _read(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            self._complaints.seek(0)
            raise RuntimeError(f"its process ended with status {status}: {self._complaints.read().strip()[-200:]}")
        return json.loads(line)


@dataclass
class Result:
    """What was measured of one subject: pairs of blocks by shape."""

    versions: dict[str, str]
    pairs: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def bare(self, shape: str) -> float:
        """Microseconds of the bare client in quiet moments."""
        return p10(bare for bare, _ in self.pairs[shape])

    def added(self, shape: str) -> float:
        """Microseconds more, in quiet moments."""
        return p10(instrumented for _, instrumented in self.pairs[shape]) - self.bare(shape)

    def median_added(self, shape: str) -> float:
        """The median of the differences of adjacent blocks."""
        return statistics.median(instrumented - bare for bare, instrumented in self.pairs[shape])

    def ratio(self, shape: str) -> float:
        """The median of the ratios of adjacent blocks."""
        return statistics.median(instrumented / bare for bare, instrumented in self.pairs[shape])


def p10(values: Iterable[float]) -> float:
    """The 10th percentile."""
    ordered = sorted(values)
    return ordered[math.floor(0.1 * len(ordered))]


def measure(subjects: Sequence[Subject], rounds: int) -> tuple[dict[str, Result], dict[str, str]]:
    """Results by subject, and why the others have none."""
    workers, missing = _start(subjects)
    results = {worker.subject.name: Result(worker.versions) for worker in workers}
    try:
        for number in range(-1, rounds):  # the first one warms up
            for worker in workers:
                for shape in (*SHAPES, *_OURS_ALONE.get(worker.subject.name, ())):
                    pairs = worker.ask(shape)
                    if number >= 0:
                        results[worker.subject.name].pairs.setdefault(shape, []).extend(pairs)
            _progress(number + 1, rounds)
    finally:
        for worker in workers:
            worker.stop()
    return results, missing


def _start(subjects: Sequence[Subject]) -> tuple[list[Worker], dict[str, str]]:
    started = {subject.name: _started(subject) for subject in subjects}
    workers = [worker for worker in started.values() if isinstance(worker, Worker)]
    return workers, {name: str(error) for name, error in started.items() if isinstance(error, Exception)}


def _started(subject: Subject) -> Worker | Exception:
    try:
        return Worker(subject)
    except (environments.CannotInstall, RuntimeError) as error:
        return error


def _progress(done: int, rounds: int) -> None:
    if sys.stderr.isatty():
        print(f"\rround {done} of {rounds} ", end="\n" if done == rounds else "", file=sys.stderr, flush=True)


# --- what it comes to ---
@dataclass(frozen=True)
class Goal:
    """A promise and whether it holds."""

    promise: str
    measured: float
    limit: float

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return self.measured <= self.limit


def goals(results: Mapping[str, Result]) -> list[Goal]:
    """The promises that these results can speak to."""
    ours = results.get(OURS.name)
    if ours is None:
        return []
    plain = ours.added("plain")
    rivals = {name: result.added("plain") for name, result in results.items() if SUBJECTS[name].package != OURS.package}
    found = [
        Goal("a plain call / the floor", plain / ours.added(FLOOR), GOAL_FLOOR),
        Goal("a stream's chunk, our wrapper alone, us", ours.added(WRAPPER), GOAL_CHUNK),
    ]
    if rivals:
        cheapest = min(rivals, key=rivals.__getitem__)
        found.insert(0, Goal(f"a plain call / the cheapest rival's ({cheapest})", plain / rivals[cheapest], GOAL_RIVAL))
    if (journaled := results.get(JOURNALED.name)) is not None:
        found.append(Goal("a plain call with a journal / without", journaled.added("plain") / plain, GOAL_JOURNAL))
        sustained = journaled.median_added(SUSTAINED) / ours.median_added(SUSTAINED)
        found.append(Goal("the same, calls without a pause, the writing included", sustained, GOAL_JOURNAL))
    return found


def as_json(results: Mapping[str, Result], missing: Mapping[str, str]) -> dict[str, Any]:
    """All of it, for another program."""
    return {
        "date": datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
        "python": platform.python_version(),
        "subjects": {
            name: {
                "versions": result.versions,
                "microseconds": {
                    shape: {
                        "bare_p10": result.bare(shape),
                        "added_p10": result.added(shape),
                        "added_median": result.median_added(shape),
                        "ratio_median": None if shape == FLOOR else result.ratio(shape),
                    }
                    for shape in result.pairs
                },
            }
            for name, result in results.items()
        },
        "missing": dict(missing),
        "goals": [{**vars(goal), "holds": goal.holds} for goal in goals(results)],
    }


def show(results: Mapping[str, Result], missing: Mapping[str, str]) -> Iterator[str]:
    """The table, line by line."""
    head = [*SHAPES, "a chunk", "a chunk, async"]
    yield "microseconds added to a call (10th percentiles' difference | median of differences | median ratio)"
    yield f"{'':14}" + "".join(f"{title:>26}" for title in head)
    for name, result in results.items():
        cells = [
            f"{result.added(shape):.0f} | {result.median_added(shape):.0f} | x{result.ratio(shape):.2f}"
            for shape in SHAPES
        ]
        cells += [f"{result.added(shape) / CHUNKS:.2f}" for shape in ("stream", "stream, async")]
        yield f"{name:14}" + "".join(f"{cell:>26}" for cell in cells)
    for name, result in results.items():
        bare = ", ".join(f"{shape} {result.bare(shape):.0f}" for shape in SHAPES)
        parts = ", ".join(f"{part} {version}" for part, version in result.versions.items())
        yield f"{name:14}bare: {bare}; {parts}"
    for name, why in missing.items():
        yield f"{name:14}not measured: {why}"
    if OURS.name in results:
        ours = results[OURS.name]
        yield f"floor: {ours.added(FLOOR):.1f} (one SDK span with 12 attributes and four SDK metric records)"
        yield f"the same done after each bare call, in cold caches: {ours.added(FLOOR_IN_A_CALL):.1f}"
        yield f"our stream wrapper alone: {ours.added(WRAPPER):.2f} a chunk (plain iterator {ours.bare(WRAPPER):.3f})"
    for goal in goals(results):
        verdict = "holds" if goal.holds else "MISSED"
        yield f"goal {verdict}: {goal.promise}: {goal.measured:.2f}, at most {goal.limit}"


def main() -> int:
    """Measure and show; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} rounds in about a minute, not {FULL}")
    parser.add_argument("--rounds", type=int, help="so many instead")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=list(SUBJECTS), help="these subjects")
    parser.add_argument("--json", type=Path, metavar="PATH", default=RESULTS, help="where the results go as well")
    arguments = parser.parse_args()
    rounds = arguments.rounds or (QUICK if arguments.quick else FULL)
    results, missing = measure([SUBJECTS[name] for name in arguments.only], rounds)
    print("\n".join(show(results, missing)))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(as_json(results, missing), indent=1))
    return 0 if all(goal.holds for goal in goals(results)) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Asks a Prometheus-compatible API and hands back raw readings.

Every way in which a source can fail becomes a `SourceError` whose text is one sentence for the user, and `TooMuch`
where a smaller question may be answered. Nothing that lets us in is ever shown. Several threads may ask at once.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any, Final, TypeVar

from openrouter_otel.reporting import queries
from openrouter_otel.reporting.access import Access
from openrouter_otel.reporting.address import Address, one_line
from openrouter_otel.reporting.decoding import NotJsonError, decode
from openrouter_otel.reporting.evidence import SourceError
from openrouter_otel.reporting.ledger import Reading
from openrouter_otel.reporting.transport import NoAnswerError, TooSlowError, Transport

T = TypeVar("T")
SANE_CLOCK: Final = range(946_684_800_000, 4_102_444_800_000)  # this century, in ms
MISSHAPEN: Final = (KeyError, IndexError, TypeError, ValueError, OverflowError)
ADVICE: Final[dict[int, str]] = {
    401: "refused us: it wants credentials, or others than those given",
    403: "refused us: these credentials may not query it",
    404: "has no Prometheus API at this path; is the URL's path prefix right?",
    429: "has too much to do; try again later",
    502: "is behind a gateway that cannot reach it",
    503: "cannot answer now",
    504: "is behind a gateway that lost patience",
}
# VictoriaMetrics moves what is asked to multiples of the step and half a minute back, so as to cache it, unless it is
# told not to; nobody else knows this word.
LITERALLY: Final = {"nocache": "1"}
MOVED: Final = "answered for other instants than it was asked for; its query cache must not align them with the step"
PARTIAL: Final = "a part of the source was away, and its answers are partial"
TOO_MUCH: Final = (422, 503, 504)  # too many samples, a query that timed out, a gateway that did


class TooMuch(SourceError):
    """The question was too big for the source, or it is too busy: half of it may be answered."""


class Prometheus:
    """A source. Safe to be used from several threads at once.

    Args:
        url: ``http(s)://[user:password@]host[:port][/prefix][?query]``; AddressError if it is not.
        access: how it lets us in; AccessError if that cannot be.
        timeout: seconds that one answer may take.

    Attributes:
        url: the same without anything secret.
        key: the same, different for different tenants.
        warnings: what the source itself warned of, such as partial answers, in order of appearance.
    """

    def __init__(self, url: str, access: Access, timeout: float) -> None:
        address = Address.parse(url)
        self.url = address.shown
        # Tenants share an address; only who asks for whom is told apart, no secret can be had from it.
        asking = (address.parts.username, address.parts.query, sorted(access.headers.items()))
        self.key = f"{self.url} {hashlib.sha256(repr(asking).encode()).hexdigest()[:16]}"
        self.warnings: dict[str, None] = {}
        self._warning = threading.Lock()
        self._transport = Transport(address, access, timeout)

    def now(self) -> int:
        """The source's clock in ms."""
        found = self._ask("query", {"query": queries.now()}, lambda part: part)
        try:
            # A scalar, or with VictoriaMetrics a vector of one.
            now = int(float((found[0]["value"] if isinstance(found[0], dict) else found)[1]) * 1000)
        except MISSHAPEN as error:
            raise self._strange() from error
        if now not in SANE_CLOCK:
            raise self._failed("has a clock that is decades off")
        return now

    def instant(self, query: str, at: int) -> list[Reading]:
        """Evaluate `query` at one instant (ms); a range selector gives raw samples."""
        return self._ask("query", {"query": query, "time": _seconds(at)}, _Readings(at))

    def range(self, query: str, first: int, last: int, step: int) -> list[Reading]:
        """Evaluate `query` at every `step` ms from `first` to `last`, both included."""
        times = {"start": _seconds(first), "end": _seconds(last), "step": _seconds(step)}
        shape = _Readings(last, range(first, last + 1, step))
        return self._ask("query_range", {"query": query, **times}, shape)

    def _ask(self, endpoint: str, form: Mapping[str, str], shape: Callable[[Any], T]) -> list[T]:
        def read(status: int, pieces: Iterator[bytes]) -> list[T]:
            try:
                envelope, found = decode(pieces, shape)
            except NotJsonError as error:
                raise self._refused(status, _not_json(status, error)) from error
            except _MovedError as error:
                raise self._failed(MOVED) from error
            except MISSHAPEN as error:
                raise self._strange() from error
            self._check(status, envelope)
            return found

        try:
            return self._transport.post(endpoint, {**form, **LITERALLY}, read)
        except TooSlowError as error:
            raise self._failed(str(error), TooMuch) from error
        except NoAnswerError as error:
            raise self._failed(str(error)) from error

    def _check(self, status: int, envelope: Any) -> None:
        if not isinstance(envelope, dict):
            raise self._strange()
        if status >= 400 or envelope.get("status") != "success":
            said = self._said(envelope.get("error") or "")
            advice = ADVICE.get(status, f"refused the query (HTTP {status})")
            raise self._refused(status, f"{advice}{': ' if said else ''}{said}")
        warnings = envelope.get("warnings")
        told = [self._said(text) for text in warnings] if isinstance(warnings, list) else []
        if envelope.get("isPartial"):  # how a cluster of VictoriaMetrics says it, with no warning
            told.append(PARTIAL)
        with self._warning:
            self.warnings.update(dict.fromkeys(told))
        data = envelope.get("data")
        if not isinstance(data, dict) or not isinstance(data.get("result"), list):
            raise self._strange()

    def _said(self, text: object) -> str:
        return one_line(self._transport.discreet(str(text)))

    def _strange(self) -> SourceError:
        return self._failed("answered JSON that is not Prometheus'; is this the URL of a Prometheus?")

    def _refused(self, status: int, what: str) -> SourceError:
        return self._failed(what, TooMuch if status in TOO_MUCH else SourceError)

    def _failed(self, what: str, kind: type[SourceError] = SourceError) -> SourceError:
        return kind(f"Prometheus at {self.url} {what}")


class _Readings:
    """Shapes the series of one answer; what they share, such as their instants, is held once.

    Args:
        at: the instant of values that come without one.
        asked: the instants that others may have; None for any.
    """

    def __init__(self, at: int, asked: Container[int] | None = None) -> None:
        self._at = at
        self._instants = _Instants(asked)

    def __call__(self, found: Any) -> Reading:
        labels = found["metric"]
        if not isinstance(labels, dict) or not all(isinstance(text, str) for text in labels.values()):
            raise TypeError(labels)
        return Reading(labels, self._points(found))

    def _points(self, found: Mapping[str, Any]) -> list[tuple[int, str]]:
        if "values" not in found:
            # Neither is a native histogram, which none of our metrics is.
            return [(self._at, _number(found["value"][1]))] if "value" in found else []
        points, instants = [], self._instants
        last = ""
        for seconds, text in found["values"]:
            if text != last:  # an idle counter repeats itself
                last = _number(text)
            points.append((instants[seconds], last))
        return points


class _Instants(dict[float, int]):
    """Seconds since the epoch -> ms, for those that were asked for."""

    def __init__(self, asked: Container[int] | None) -> None:
        super().__init__()
        self._asked = asked

    def __missing__(self, seconds: float) -> int:
        instant = round(seconds * 1000)
        if self._asked is not None and instant not in self._asked:
            raise _MovedError
        self[seconds] = instant
        return instant


class _MovedError(Exception):
    pass


def _number(text: str) -> str:
    float(text)  # the text itself is kept, with every digit
    if not isinstance(text, str):
        raise TypeError(text)
    return text


def _seconds(instant: int) -> str:
    return f"{instant // 1000}.{instant % 1000:03d}"


def _not_json(status: int, kind: NotJsonError) -> str:
    if status in ADVICE:
        return ADVICE[status]
    return f"answered {kind} (HTTP {status}); is this the URL of a Prometheus, and not of a board or a login page?"

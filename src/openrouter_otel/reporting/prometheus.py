"""Asks a Prometheus-compatible API and hands back raw readings; the only file of the report that speaks HTTP.

Every way in which a source can fail becomes a `SourceError` whose text is one sentence for the user. Credentials in
the URL are sent as basic auth to that very host, and never shown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import urllib3

from openrouter_otel.reporting import queries
from openrouter_otel.reporting.access import Access
from openrouter_otel.reporting.address import Address, one_line
from openrouter_otel.reporting.ledger import Reading

CONNECT_TIMEOUT: Final = 10.0
PIECE: Final = 1 << 16
SANE_CLOCK: Final = range(946_684_800_000, 4_102_444_800_000)  # this century, in ms
MISSHAPEN: Final = (KeyError, IndexError, TypeError, ValueError, OverflowError)
ADVICE: Final[dict[int, str]] = {
    401: "refused us: it wants credentials, or others than those in the URL",
    403: "refused us: these credentials may not query it",
    404: "has no Prometheus API at this path; is the URL's path prefix right?",
    429: "has too much to do; try again later",
    502: "is behind a gateway that cannot reach it",
    503: "cannot answer now",
    504: "is behind a gateway that lost patience",
}


class SourceError(Exception):
    """The source cannot be reached or does not answer; the text is one sentence for the user."""


class Prometheus:
    """A connection to one source.

    Args:
        url: ``http(s)://[user:password@]host[:port][/prefix][?query]``; AddressError if it is not.
        access: how it lets us in.
        timeout: seconds that one answer may take.

    Attributes:
        url: the same without anything secret.
        warnings: what the source itself warned of, such as partial answers, in order of appearance.
    """

    def __init__(self, url: str, access: Access, timeout: float) -> None:
        self._address = Address.parse(url)
        self.url = self._address.shown
        self.warnings: dict[str, None] = {}
        self._timeout = timeout
        self._http = urllib3.PoolManager(
            headers={"Accept": "application/json", "Accept-Encoding": "gzip", **self._address.authorization},
            # Authorization goes to no other host (urllib3 drops it); a query is never repeated behind the user's back.
            retries=urllib3.Retry(total=5, connect=0, read=0, status=0, other=0, redirect=5),
            timeout=urllib3.Timeout(connect=min(CONNECT_TIMEOUT, timeout), read=timeout),
        )

    def now(self) -> int:
        """The source's clock in ms."""
        data = self._ask("query", {"query": queries.now()})
        try:
            now = int(float(data["result"][1]) * 1000)
        except MISSHAPEN as error:
            raise self._strange() from error
        if now not in SANE_CLOCK:
            raise self._failed("has a clock that is decades off")
        return now

    def instant(self, query: str, at: int) -> list[Reading]:
        """Evaluate `query` at one instant (ms); a range selector gives raw samples."""
        return self._readings(self._ask("query", {"query": query, "time": _seconds(at)}), at)

    def range(self, query: str, first: int, last: int, step: int) -> list[Reading]:
        """Evaluate `query` at every `step` ms from `first` to `last`, both included."""
        times = {"start": _seconds(first), "end": _seconds(last), "step": _seconds(step)}
        return self._readings(self._ask("query_range", {"query": query, **times}), last)

    def _readings(self, data: Mapping[str, Any], at: int) -> list[Reading]:
        try:
            return [Reading(_texts(found["metric"]), _points(found, at)) for found in data["result"]]
        except MISSHAPEN as error:
            raise self._strange() from error

    def _ask(self, endpoint: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            status, body = self._post(endpoint, form)
        except urllib3.exceptions.HTTPError as error:
            raise self._failed(_cause(error, self._timeout)) from error
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise self._failed(_not_json(status, body)) from error
        return self._data(status, answer)

    def _post(self, endpoint: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        url = self._address.endpoint(endpoint)
        headers = {**self._http.headers, "Content-Type": "application/x-www-form-urlencoded"}
        deadline = time.monotonic() + self._timeout
        with self._http.request("POST", url, body=urlencode(form), headers=headers, preload_content=False) as response:
            pieces = []
            for piece in response.stream(PIECE, decode_content=True):
                pieces.append(piece)
                if time.monotonic() > deadline:  # urllib3's own timeout starts anew with every byte
                    raise self._failed(_too_slow(self._timeout))
            return response.status, b"".join(pieces)

    def _data(self, status: int, answer: Any) -> Mapping[str, Any]:
        if not isinstance(answer, dict):
            raise self._strange()
        if status >= 400 or answer.get("status") != "success":
            said = one_line(str(answer.get("error") or ""))
            advice = ADVICE.get(status, f"refused the query (HTTP {status})")
            raise self._failed(f"{advice}{': ' if said else ''}{said}")
        self.warnings.update(dict.fromkeys(one_line(str(text)) for text in answer.get("warnings") or ()))
        data = answer.get("data")
        if not isinstance(data, dict):
            raise self._strange()
        return data

    def _strange(self) -> SourceError:
        return self._failed("answered JSON that is not Prometheus'; is this the URL of a Prometheus?")

    def _failed(self, what: str) -> SourceError:
        return SourceError(f"Prometheus at {self.url} {what}")


def _points(found: Mapping[str, Any], at: int) -> list[tuple[int, str]]:
    if "values" in found:
        return [(round(seconds * 1000), _number(text)) for seconds, text in found["values"]]
    if "value" in found:
        return [(at, _number(found["value"][1]))]
    return []  # a native histogram, which none of our metrics is


def _number(text: str) -> str:
    float(text)  # the text itself is kept, with every digit
    if not isinstance(text, str):
        raise TypeError(text)
    return text


def _texts(labels: Mapping[str, Any]) -> Mapping[str, str]:
    if not isinstance(labels, dict) or not all(isinstance(text, str) for text in labels.values()):
        raise TypeError(labels)
    return labels


def _seconds(instant: int) -> str:
    return f"{instant // 1000}.{instant % 1000:03d}"


def _not_json(status: int, body: bytes) -> str:
    if status in ADVICE:
        return ADVICE[status]
    kind = "HTML" if body.lstrip()[:1] == b"<" else "something that is not JSON"
    return f"answered {kind} (HTTP {status}); is this the URL of a Prometheus, and not of a board or a login page?"


def _cause(error: urllib3.exceptions.HTTPError, timeout: float) -> str:
    if isinstance(error, urllib3.exceptions.MaxRetryError):
        if isinstance(error.reason, urllib3.exceptions.HTTPError):
            return _cause(error.reason, timeout)
        return "cannot be reached"
    return next((said for kind, said in _causes(timeout) if isinstance(error, kind)), "broke the connection")


def _too_slow(timeout: float) -> str:
    return f"did not answer within {timeout:g} s; --timeout allows more"


def _causes(timeout: float) -> tuple[tuple[type[urllib3.exceptions.HTTPError], str], ...]:
    """From the special to the general: the first that fits is what to tell."""
    return (
        (urllib3.exceptions.NameResolutionError, "cannot be reached: there is no such host"),
        (urllib3.exceptions.ConnectTimeoutError, "cannot be reached: nothing answers there"),
        (urllib3.exceptions.NewConnectionError, "cannot be reached: nothing listens there"),
        (urllib3.exceptions.TimeoutError, _too_slow(timeout)),
        (urllib3.exceptions.SSLError, "cannot be reached safely: its certificate or TLS is not in order"),
        (urllib3.exceptions.ResponseError, "redirects without end"),
    )

"""Carries questions to a source and answers back; the only file of the report that speaks HTTP. Safe for many threads.

What lets us in goes to that very host and to no other: redirects are followed here, and elsewhere we come with nothing.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3

from openrouter_otel.reporting.access import Access
from openrouter_otel.reporting.address import Address

T = TypeVar("T")
CONNECTIONS: Final = 8  # kept open; more threads than that open further ones
CONNECT_TIMEOUT: Final = 10.0
PIECE: Final = 1 << 18
WANTS_CERTIFICATE: Final = "; if it wants a client certificate, --client-cert has one"
REDIRECTS: Final = 5
WAITS: Final = (0.2, 0.5, 1.0)  # seconds between attempts
ASTRAY: Final = "redirects to where nobody can follow"
LONGEST_WAIT: Final = 5.0
SHORTEST_SECRET: Final = 6  # a shorter one may be a word of any message
QUICK: Final = 5.0  # a failure within so many seconds is a hiccup; one that took longer would take as long again
HICCUPS: Final = (429, 502, 503, 504)
HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Content-Type": "application/x-www-form-urlencoded",
    "User-Agent": "openrouter-otel",
}


class NoAnswerError(Exception):
    """There is no answer; the text goes on a sentence that begins with who should have given it."""


class TooSlowError(NoAnswerError):
    """There is no answer in time."""


class Transport:
    """A few connections to one source.

    Args:
        address: whom to ask.
        access: how it lets us in; AccessError if it cannot.
        timeout: seconds that one answer may take.
    """

    def __init__(self, address: Address, access: Access, timeout: float) -> None:
        self._address = address
        self._timeout = timeout
        self._letting_in = access.carried(address.authorization)
        demanding = address.parts.scheme == "https" and access.client_cert is None
        self._broken = f"broke the connection{WANTS_CERTIFICATE if demanding else ''}"
        self._secrets = (*address.secrets, *_secrets(access, self._letting_in.values()))
        limits = urllib3.Timeout(connect=min(CONNECT_TIMEOUT, timeout), read=timeout)
        self._home = urllib3.PoolManager(
            maxsize=CONNECTIONS, timeout=limits, retries=False, ssl_context=access.tls(address.parts.scheme)
        )
        self._elsewhere = urllib3.PoolManager(timeout=limits, retries=False)

    def post(self, endpoint: str, form: Mapping[str, str], read: Callable[[int, Iterator[bytes]], T]) -> T:
        """Ask, and give what `read` makes of an answer's status and body; NoAnswerError or TooSlowError.

        Where asking again may help, that is done: `read` then begins anew.
        """
        return self._answered("POST", endpoint, urlencode(form), read)

    def get(self, endpoint: str, read: Callable[[int, Iterator[bytes]], T]) -> T:
        """The same for what takes no question."""
        return self._answered("GET", endpoint, None, read)

    def _answered(self, method: str, endpoint: str, body: str | None, read: Callable[[int, Iterator[bytes]], T]) -> T:
        for wait in WAITS:
            began = time.monotonic()
            try:
                with self._response(method, endpoint, body) as response:
                    if response.status not in HICCUPS or time.monotonic() - began > QUICK:
                        return read(response.status, self._pieces(response, began))
                    pause = _pause(response, wait)
            except urllib3.exceptions.HTTPError as error:
                if not _broke(error) or time.monotonic() - began > QUICK:
                    raise self._failure(error) from error
                pause = wait
            time.sleep(pause)
        return self._for_the_last_time(method, endpoint, body, read)

    def discreet(self, text: str) -> str:
        """What a server said, without the secrets that it may repeat."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _for_the_last_time(
        self, method: str, endpoint: str, body: str | None, read: Callable[[int, Iterator[bytes]], T]
    ) -> T:
        began = time.monotonic()
        try:
            with self._response(method, endpoint, body) as response:
                return read(response.status, self._pieces(response, began))
        except urllib3.exceptions.HTTPError as error:
            raise self._failure(error) from error

    def _response(self, method: str, endpoint: str, body: str | None) -> urllib3.BaseHTTPResponse:
        url = self._address.endpoint(endpoint)
        for _ in range(REDIRECTS + 1):
            ours = self._address.owns(url)
            response = (self._home if ours else self._elsewhere).request(
                method,
                url,
                body=body,
                headers={**HEADERS, **(self._letting_in if ours else {})},
                redirect=False,
                preload_content=False,
            )
            location = response.get_redirect_location()
            if not location:
                return response
            response.close()
            url = _joined(url, location)
        raise NoAnswerError("redirects without end")

    def _failure(self, error: urllib3.exceptions.HTTPError) -> NoAnswerError:
        if _broke(error):
            return NoAnswerError(self._broken)
        if isinstance(error, (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NewConnectionError)):
            return NoAnswerError(f"cannot be reached: {_unreachable(error)}")
        if isinstance(error, urllib3.exceptions.TimeoutError):
            return TooSlowError(_too_slow(self._timeout))
        if isinstance(error, urllib3.exceptions.SSLError):
            return NoAnswerError(_untrusted(error))
        if isinstance(error, urllib3.exceptions.LocationValueError):
            return NoAnswerError(ASTRAY)
        if isinstance(error, urllib3.exceptions.DecodeError):
            return NoAnswerError("answered something packed that cannot be unpacked")
        return NoAnswerError(self._broken)

    def _pieces(self, response: urllib3.BaseHTTPResponse, began: float) -> Iterator[bytes]:
        for piece in response.stream(PIECE, decode_content=True):
            yield piece
            if time.monotonic() - began > self._timeout:  # urllib3's own timeout starts anew with every byte
                raise TooSlowError(_too_slow(self._timeout))


def _secrets(access: Access, values: Collection[str]) -> Iterator[str]:
    password = (access.basic_auth or "").partition(":")[2]
    words = (password, *values, *(value.split()[-1] for value in values))
    return (word for word in words if len(word) >= SHORTEST_SECRET)


def _joined(url: str, location: str) -> str:
    try:
        joined = urljoin(url, location)
        urlsplit(joined).port  # noqa: B018 - raises where it is none
    except ValueError as error:
        raise NoAnswerError(ASTRAY) from error
    return joined


def _pause(response: urllib3.BaseHTTPResponse, wait: float) -> float:
    asked = response.headers.get("Retry-After", "")
    return max(wait, min(float(asked), LONGEST_WAIT)) if asked.isdecimal() else wait


def _broke(error: urllib3.exceptions.HTTPError) -> bool:
    """Whether an open connection ended; inside TLS that has an error of its own."""
    cause = error.args[0] if error.args else None
    return isinstance(error, urllib3.exceptions.ProtocolError) or isinstance(cause, ssl.SSLEOFError)


def _too_slow(timeout: float) -> str:
    return f"did not answer within {timeout:g} s; --timeout allows more"


def _unreachable(error: urllib3.exceptions.HTTPError) -> str:
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return "there is no such host"
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "nothing listens there"
    return "nothing answers there"


def _untrusted(error: urllib3.exceptions.SSLError) -> str:
    cause = error.args[0] if error.args else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"cannot be trusted: {cause.verify_message.rstrip('.')}; --ca-file names an authority to trust"
    reason = str(getattr(cause, "reason", None) or "")
    if any(alert in reason for alert in ("ALERT_CERTIFICATE", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA")):
        return "refused us: it wants a client certificate, or another one; see --client-cert"
    if "WRONG_VERSION" in reason or "HTTP_REQUEST" in reason or "RECORD_LAYER" in reason:
        return "does not speak TLS at this port; is it http:// there?"
    return "cannot be reached safely: its certificate or TLS is not in order"

"""OpenRouter's own API: JSON over HTTP, money as Decimal, asked again where that may help.

The key goes to that very server and to no other, and stands in no message, neither ours nor what a server said.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3

from openrouter_otel.settings import OPENROUTER_API

HICCUPS: Final = (408, 429, 500, 502, 503, 504, 524, 529)
WAITS: Final = (0.5, 2.0)  # seconds between attempts
LONGEST_WAIT: Final = 30.0  # whoever asks for more patience than that is told of in the error instead
REDIRECTS: Final = urllib3.Retry(  # to another server: without the key, which urllib3 sees to
    total=None, connect=False, read=False, status=False, other=False, redirect=5
)

FAILURES: Final = (
    (urllib3.exceptions.NameResolutionError, "there is no such host"),
    (urllib3.exceptions.NewConnectionError, "nothing listens there"),
    (urllib3.exceptions.TimeoutError, "it timed out"),
    (urllib3.exceptions.SSLError, "its certificate or TLS is not in order"),
    (urllib3.exceptions.MaxRetryError, "it redirects without end"),
    (ValueError, "it redirects to where nobody can follow"),
)


class OpenRouterError(Exception):
    """There is no answer, or none to work with; the text is one sentence that says why.

    Attributes:
        status: the HTTP status of what was answered; None where nothing was.
        retry_after: seconds after which to ask again, where OpenRouter said so.
    """

    def __init__(self, text: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.retry_after = retry_after

    @property
    def refused(self) -> bool:
        """Whether the key is the reason."""
        return self.status in (401, 403)


class OpenRouter:
    """OpenRouter as one key sees it. Safe for many threads.

    Args:
        base_url: of the API.
        key: an API key; None for what is public.
        timeout: seconds to wait for a connection, and for each part of an answer.
        waits: seconds before each further attempt after a hiccup; none for a single attempt.
        sleep: how to wait.

    Raises:
        ValueError: the address or the key cannot be one; the text does not repeat it.
    """

    def __init__(
        self,
        base_url: str = OPENROUTER_API,
        key: str | None = None,
        *,
        timeout: float = 10.0,
        waits: tuple[float, ...] = WAITS,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._base_url = _checked(base_url)
        if key is not None and not re.fullmatch(r"[!-~]+", key):  # it would break the header and be quoted for it
            raise ValueError("an API key of OpenRouter is one word of plain letters and signs")
        self._key = key
        self._waits = waits
        self._sleep = sleep
        self._headers = {"Accept": "application/json", "User-Agent": "openrouter-otel"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        self._pool = urllib3.PoolManager(timeout=timeout, retries=REDIRECTS)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """What is at a path such as ``/key``: JSON with numbers as int and Decimal; OpenRouterError otherwise."""
        return self._asked("GET", path, fields=query)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer to a JSON body, as `get` gives it; OpenRouterError otherwise."""
        return self._asked("POST", path, json=body)

    def _asked(self, method: str, path: str, **content: Any) -> Any:
        for wait in self._waits:
            try:
                return self._once(method, path, content)
            except OpenRouterError as error:
                pause = max(wait, error.retry_after or 0.0)
                if error.status not in (None, *HICCUPS) or pause > LONGEST_WAIT:
                    raise
            self._sleep(pause)
        return self._once(method, path, content)

    def _once(self, method: str, path: str, content: dict[str, Any]) -> Any:
        url = f"{self._base_url}{path}"
        try:
            response = self._pool.request(method, url, headers=self._headers, **content)
        except (urllib3.exceptions.HTTPError, ValueError) as error:  # ValueError: redirected to what is no address
            why = next((why for kind, why in FAILURES if isinstance(error, kind)), "the connection broke")
            raise OpenRouterError(f"{url} cannot be reached: {why}") from error
        if response.status != 200:
            raise OpenRouterError(
                f"{url} answered status {response.status}{self._said(response)}",
                response.status,
                _retry_after(response),
            )
        try:
            return json.loads(response.data, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise OpenRouterError(f"{url} answered something that is no JSON: {error}", 200) from None

    def _said(self, response: urllib3.BaseHTTPResponse) -> str:
        """OpenRouter's own words on what went wrong; what else is in the body may quote a prompt."""
        try:
            message = json.loads(response.data)["error"]["message"]
        except (ValueError, LookupError, TypeError, RecursionError):
            return ""
        return f": {self._discreet(message)}" if isinstance(message, str) and message.strip() else ""

    def _discreet(self, text: str) -> str:
        """Foreign text on one line, short, with nothing a terminal obeys and no key of anybody's."""
        if self._key is not None:
            text = text.replace(self._key, "***")
        text = re.sub(r"sk-or-[\w-]+", "sk-or-***", text)
        return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:200]


def _checked(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        port = 0
    usable = port != 0 and parts.scheme in ("http", "https") and parts.hostname and base_url.isprintable()
    if not usable or parts.username is not None or parts.query or parts.fragment or " " in base_url:
        raise ValueError(f"the address of OpenRouter's API, OPENROUTER_BASE_URL, must look like {OPENROUTER_API}")
    return base_url.rstrip("/")


def _retry_after(response: urllib3.BaseHTTPResponse) -> float | None:
    try:
        return REDIRECTS.get_retry_after(response)
    except urllib3.exceptions.InvalidHeader:
        return None


def _no_number(word: str) -> Decimal:
    raise ValueError(f"{word} is no number")

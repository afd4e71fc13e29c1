"""The URL of a source: what to ask, what to show, and what to keep to ourselves. Pure."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

PORTS: Final = {"http": 80, "https": 443}


class AddressError(ValueError):
    """What should be the URL of a Prometheus is none; the text is one sentence for the user."""


@dataclass(frozen=True)
class Address:
    """``http(s)://[user:password@]host[:port][/prefix][?query]``; build it with `parse`."""

    parts: SplitResult

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read a URL; AddressError, which does not repeat it, if it is none."""
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = None
        if not usable:
            raise AddressError("the URL of Prometheus must look like http://localhost:9090")
        return cls(parts)

    @property
    def shown(self) -> str:
        """Without credentials and query, either of which may be secret."""
        return one_line(urlunsplit((self.parts.scheme, self._host, self._prefix, "", "")))

    @property
    def authorization(self) -> dict[str, str]:
        """The header that basic auth needs, if the URL has credentials."""
        if self.parts.username is None:
            return {}
        return {"Authorization": basic(f"{unquote(self.parts.username)}:{unquote(self.parts.password or '')}")}

    def endpoint(self, name: str) -> str:
        """The URL to ask: without credentials, with the prefix and the query."""
        path = f"{self._prefix}/api/v1/{name}"
        return urlunsplit((self.parts.scheme, self._host, path, self.parts.query, ""))

    @property
    def secrets(self) -> tuple[str, ...]:
        """What of the URL must not be shown, as it may come back in a message of the server."""
        return tuple(filter(None, (self.parts.password, unquote(self.parts.password or ""), self.parts.query)))

    def owns(self, url: str) -> bool:
        """Whether a URL is of this very server: scheme, host and port; ValueError if it is no URL."""
        return _server(urlsplit(url)) == _server(self.parts)

    @property
    def _host(self) -> str:
        return self.parts.netloc.rpartition("@")[2]

    @property
    def _prefix(self) -> str:
        return self.parts.path.rstrip("/")


def _server(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)


def basic(credentials: str) -> str:
    """``user:password`` as the value of an Authorization header."""
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


def one_line(text: str) -> str:
    """Foreign text made fit for a message: one line, nothing a terminal obeys, at most 300 characters."""
    return re.sub(r"\s+", " ", "".join(char if char.isprintable() else " " for char in text))[:300].strip()

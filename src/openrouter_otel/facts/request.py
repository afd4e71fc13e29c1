"""Client and options to a request's facts, or None where it is not for OpenRouter or not inference.

The SDK's request options are the best place to read: positional arguments are merged and `NOT_GIVEN` is gone
(``json_data``), and ``extra_body`` stands apart (``extra_json``). The request is only read, never changed, and messages
are never touched: they may be a generator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from openrouter_otel.facts.endpoints import CHAT, ENDPOINTS, RESPONSES, Endpoint
from openrouter_otel.facts.reading import text

HOST: Final = "openrouter.ai"
API: Final = "/api/v1"
_OWN_PORTS: Final = {"http": 80, "https": 443}
_PLACES: Final = 256  # base URLs remembered
SESSION_HEADER: Final = "x-session-id"
PARAMETERS: Final = (
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "n",
)


class Request(NamedTuple):
    """What was asked.

    Attributes:
        operation: see `ENDPOINTS`.
        model: the requested model; None means the account's default.
        stream: a stream was asked for.
        host: the server's name.
        port: where it is not the scheme's own.
        user: the end user that the request names.
        session: the session that the request names.
        metadata: the request's own metadata, which become tags.
        parameters: sampling parameters as given.
        route: the endpoint's path below /api/v1, a key of `ENDPOINTS`.
    """

    operation: str
    model: str | None
    stream: bool
    host: str
    port: int | None
    user: str | None = None
    session: str | None = None
    metadata: Mapping[str, str] = {}
    parameters: tuple[tuple[str, int | float], ...] = ()
    route: str = CHAT

    @property
    def endpoint(self) -> Endpoint:
        """How its answer is read."""
        return ENDPOINTS[self.route]


class Place(NamedTuple):
    """Where a client's requests go; `port` is None where it is the scheme's own."""

    host: str
    port: int | None
    included: bool


class Destinations:
    """Which hosts are OpenRouter: openrouter.ai, its subdomains, and those listed.

    Args:
        listed: (host, port or None for any) pairs.
    """

    def __init__(self, listed: tuple[tuple[str, int | None], ...] = ()) -> None:
        self._listed = frozenset(listed)
        self._places: dict[int, tuple[object, Place]] = {}

    def of(self, base_url: object) -> Place:
        """Where a client's base URL points. URL objects are slow to ask, so the answer is kept with the very object."""
        known = self._places.get(id(base_url))
        if known is not None and known[0] is base_url:
            return known[1]
        parts = (getattr(base_url, name, None) for name in ("scheme", "host", "port"))
        place = self.place(*parts)
        if len(self._places) >= _PLACES:
            self._places.clear()
        self._places[id(base_url)] = (base_url, place)
        return place

    def place(self, scheme: str | None, host: str | None, port: int | None) -> Place:
        """Where a URL of these parts points."""
        own_port = _OWN_PORTS.get(scheme or "")
        return Place(host or "", None if port == own_port else port, self.include(host or "", port or own_port))

    def include(self, host: str, port: int | None) -> bool:
        """Whether a server is OpenRouter."""
        if host == HOST or host.endswith("." + HOST):
            return True
        return bool(self._listed) and ((host, port) in self._listed or (host, None) in self._listed)


def read_request(
    destinations: Destinations, base_url: object, headers: object, options: object, stream: bool
) -> Request | None:
    """The facts of a request, or None where it is none of ours.

    Args:
        destinations: which hosts are OpenRouter.
        base_url: the client's, with ``scheme``, ``host`` and ``port``.
        headers: the client's own default headers.
        options: the SDK's request options.
        stream: the SDK is asked for a stream.
    """
    url = getattr(options, "url", "")
    if "://" in url:
        parts = urlsplit(url)
        place, route = destinations.place(parts.scheme, parts.hostname, parts.port), parts.path.removeprefix(API)
    else:
        place, route = destinations.of(base_url), "/" + url.lstrip("/").partition("?")[0]
    endpoint = ENDPOINTS.get(route) if place.included else None
    if endpoint is None or getattr(options, "method", "").lower() != "post":
        return None
    body = _body(options)
    metadata = body.get("metadata")
    return Request(
        endpoint.operation,
        text(body.get("model")),
        stream or body.get("stream") is True,
        place.host,
        place.port,
        text(body.get("user")) or (text(body.get("safety_identifier")) if route == RESPONSES else None),
        text(body.get("session_id")) or _header(getattr(options, "headers", None)) or _header(headers),
        _texts(metadata) if isinstance(metadata, Mapping) else {},
        tuple([(name, value) for name in PARAMETERS if isinstance(value := body.get(name), (int, float))]),
        route,
    )


def _body(options: object) -> Mapping[str, object]:
    body, extra = getattr(options, "json_data", None), getattr(options, "extra_json", None)
    body = body if isinstance(body, Mapping) else {}
    return {**body, **extra} if isinstance(extra, Mapping) and extra else body


def _header(headers: object) -> str | None:
    if not headers or not isinstance(headers, Mapping):
        return None
    return next((text(value) for name, value in headers.items() if str(name).lower() == SESSION_HEADER), None)


def _texts(metadata: Mapping[object, object]) -> dict[str, str]:
    return {str(name): value for name, value in metadata.items() if isinstance(value, str)}

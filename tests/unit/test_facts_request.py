"""A request's facts, from what the SDK has merged by then; and whether it is for OpenRouter at all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from openrouter_otel.facts.request import Destinations, Request, read_request

OPENROUTER = "https://openrouter.ai/api/v1/"
NOT_GIVEN = object()


def base(url: str) -> object:
    """A base URL as the HTTP library shows it: `port` is None where it is the scheme's own."""
    parts = urlsplit(url)
    own = {"http": 80, "https": 443}[parts.scheme]
    return SimpleNamespace(host=parts.hostname, port=None if parts.port == own else parts.port, scheme=parts.scheme)


def read(
    body: Any = None,
    *,
    url: str = "/chat/completions",
    base_url: str = OPENROUTER,
    method: str = "post",
    extra: Any = None,
    headers: object = NOT_GIVEN,
    client_headers: object = None,
    stream: bool = False,
    listed: tuple[tuple[str, int | None], ...] = (),
) -> Request | None:
    options = SimpleNamespace(method=method, url=url, json_data=body, extra_json=extra, headers=headers)
    return read_request(Destinations(listed), base(base_url), client_headers, options, stream)


def facts(body: Any = None, **how: Any) -> Request:
    request = read(body, **how)
    assert request is not None
    return request


def test_a_request_is_read_with_all_it_says() -> None:
    body = {
        "model": "openai/gpt-5",
        "messages": [{"role": "user", "content": "my secret"}],
        "user": "alice",
        "session_id": "s-1",
        "metadata": {"team": "search", "n": 7, "none": None},
        "temperature": 0.5,
        "max_tokens": 100,
        "seed": None,
        "top_k": 3,
    }

    expected = Request(
        "chat",
        "openai/gpt-5",
        False,
        "openrouter.ai",
        None,
        "alice",
        "s-1",
        {"team": "search"},
        (("max_tokens", 100), ("temperature", 0.5)),
    )
    assert expected == facts(body)


@pytest.mark.parametrize("body", [None, {}, [], "text", {"model": None, "user": 7, "metadata": "x", "session_id": ""}])
def test_what_a_request_does_not_say_is_unknown(body: object) -> None:
    assert Request("chat", None, False, "openrouter.ai", None) == facts(body)


def test_extra_body_wins_since_the_sdk_lets_it_win_on_the_wire() -> None:
    request = facts({"model": "a", "user": "alice"}, extra={"model": "b", "session_id": "s-2"})

    assert (request.model, request.user, request.session) == ("b", "alice", "s-2")


@pytest.mark.parametrize("extra", [None, {}, "text", 7])
def test_no_extra_body_changes_nothing(extra: object) -> None:
    assert facts({"model": "a"}, extra=extra).model == "a"


@pytest.mark.parametrize(
    ("argument", "body", "expected"),
    [
        (True, {}, True),
        (False, {"stream": True}, True),
        (False, {"stream": False}, False),
        (False, {"stream": "yes"}, False),
    ],
)
def test_a_stream_is_asked_for_by_argument_or_body(argument: bool, body: dict[str, Any], expected: bool) -> None:
    assert expected is facts(body, stream=argument).stream


@pytest.mark.parametrize(
    ("body", "headers", "client_headers", "expected"),
    [
        ({}, {"X-Session-ID": "h"}, None, "h"),
        ({}, {"x-session-id": "h"}, {"x-session-id": "c"}, "h"),
        ({}, NOT_GIVEN, {"x-session-id": "c"}, "c"),
        ({}, {"other": "h"}, {"X-Session-Id": "c"}, "c"),
        ({"session_id": "b"}, {"x-session-id": "h"}, {"x-session-id": "c"}, "b"),
        ({}, {"x-session-id": NOT_GIVEN}, None, None),
        ({}, {}, {}, None),
    ],
)
def test_the_session_comes_from_the_body_else_the_requests_else_the_clients_header(
    body: dict[str, Any], headers: object, client_headers: object, expected: str | None
) -> None:
    assert expected == facts(body, headers=headers, client_headers=client_headers).session


# --- which requests are ours ---
@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        (OPENROUTER, "/chat/completions"),
        (OPENROUTER, "chat/completions"),
        (OPENROUTER, "/chat/completions?x=1"),
        ("https://eu.openrouter.ai/api/v1", "/chat/completions"),
        ("https://openrouter.ai:8443/api/v1", "/chat/completions"),
        ("https://api.openai.com/v1", "https://openrouter.ai/api/v1/chat/completions"),
        ("https://api.openai.com/v1", "https://EU.OpenRouter.ai:444/api/v1/chat/completions?x=1"),
    ],
)
def test_openrouter_and_its_subdomains_are_ours(base_url: str, url: str) -> None:
    assert read(base_url=base_url, url=url) is not None


@pytest.mark.parametrize(
    ("base_url", "url", "method"),
    [
        ("https://api.openai.com/v1", "/chat/completions", "post"),
        ("https://evilopenrouter.ai/api/v1", "/chat/completions", "post"),
        ("https://openrouter.ai.evil.com/api/v1", "/chat/completions", "post"),
        ("http://localhost:8080/v1", "/chat/completions", "post"),
        (OPENROUTER, "https://api.openai.com/v1/chat/completions", "post"),
        (OPENROUTER, "/chat/completions", "get"),
        (OPENROUTER, "/chat/completions", "delete"),
        (OPENROUTER, "/models", "post"),
        (OPENROUTER, "/chat/completions/gen-1", "post"),
        (OPENROUTER, "", "post"),
    ],
)
def test_other_hosts_methods_and_paths_are_none_of_ours(base_url: str, url: str, method: str) -> None:
    assert read(base_url=base_url, url=url, method=method) is None


@pytest.mark.parametrize("method", ["post", "POST"])
def test_a_method_is_a_method_in_either_case(method: str) -> None:
    assert read(method=method) is not None


@pytest.mark.parametrize(
    ("listed", "base_url", "ours"),
    [
        ((("gw", None),), "http://gw/v1", True),
        ((("gw", None),), "http://gw:8080/v1", True),
        ((("gw", 8080),), "http://gw:8080/v1", True),
        ((("gw", 8080),), "http://gw:8081/v1", False),
        ((("gw", 8080),), "http://gw/v1", False),
        ((("gw", None),), "http://sub.gw/v1", False),
        ((("a", None), ("gw", 1)), "http://gw:1/v1", True),
        # A port that is written out is the same as the scheme's own left out.
        ((("gw", 443),), "https://gw/v1", True),
        ((("gw", 443),), "https://gw:443/v1", True),
        ((("gw", 80),), "http://gw/v1", True),
        ((("gw", 443),), "http://gw/v1", False),
        ((("::1", 9000),), "http://[::1]:9000/v1", True),
    ],
)
def test_listed_hosts_are_ours_by_host_and_where_given_by_port(
    listed: tuple[tuple[str, int | None], ...], base_url: str, ours: bool
) -> None:
    assert ours is (read(base_url=base_url, listed=listed) is not None)


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("https://gw/api/v1/chat/completions", True),
        ("https://gw:443/api/v1/chat/completions", True),
        ("https://gw:444/api/v1/chat/completions", False),
    ],
)
def test_an_absolute_url_is_matched_by_its_own_port(url: str, ours: bool) -> None:
    assert ours is (read(url=url, base_url="http://other/v1", listed=(("gw", 443),)) is not None)


def test_the_port_is_told_where_it_is_not_the_schemes_own() -> None:
    assert facts(base_url="https://openrouter.ai:8443/v1").port == 8443
    assert facts(base_url="https://openrouter.ai/v1").port is None
    assert facts(url="https://openrouter.ai:443/api/v1/chat/completions").port is None


def test_messages_are_never_touched() -> None:
    class Messages:
        def __iter__(self) -> Any:
            raise AssertionError("somebody reads the messages")

        __len__ = __getitem__ = __iter__

    assert facts({"model": "a", "messages": Messages()}).model == "a"

"""The client of OpenRouter's own API: exact, patient where that helps, and silent about keys."""

from __future__ import annotations

import socket
import traceback
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from email.utils import format_datetime

import pytest

from account.api_standin import HANG_UP, Answer, as_json, serving
from openrouter_otel.openrouter_api import LONGEST_WAIT, OpenRouter, OpenRouterError

KEY = "sk-or-v1-0123456789abcdef"
GOOD = as_json({"data": 1})


def api(url: str, naps: list[float] | None = None) -> OpenRouter:
    return OpenRouter(url, KEY, sleep=(naps if naps is not None else []).append)


def error_of(*answers: Answer) -> tuple[OpenRouterError, list[float]]:
    naps: list[float] = []
    with serving(*answers) as served, pytest.raises(OpenRouterError) as caught:
        api(served.url, naps).get("/key")
    return caught.value, naps


def test_money_arrives_as_it_was_written() -> None:
    with serving((200, {}, b'{"data":{"usage":0.1234567890123456789,"requests":3,"tiny":1e-8}}')) as served:
        data = api(served.url).get("/key")["data"]
    assert data == {"usage": Decimal("0.1234567890123456789"), "requests": 3, "tiny": Decimal("1e-8")}
    assert type(data["requests"]) is int


def test_a_question_carries_the_key_and_its_parameters() -> None:
    with serving(GOOD) as served:
        api(served.url + "/").get("/activity", {"date": "2026-11-24"})
        api(served.url).post("/analytics/query", {"limit": 3})
    (get, path, headers), (post, other, more) = served.seen
    assert (get, path, headers["authorization"]) == ("GET", "/api/v1/activity?date=2026-11-24", f"Bearer {KEY}")
    assert (post, other, more["content-type"]) == ("POST", "/api/v1/analytics/query", "application/json")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 524, 529])
def test_a_hiccup_is_asked_again(status: int) -> None:
    naps: list[float] = []
    with serving((status, {}, b"busy"), HANG_UP, GOOD) as served:
        assert api(served.url, naps).get("/key") == {"data": 1}
    assert naps == [0.5, 2.0]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404])
def test_what_asking_again_does_not_help_is_asked_once(status: int) -> None:
    error, naps = error_of((status, {}, b"{}"), GOOD)
    assert (error.status, error.refused, naps) == (status, status in (401, 403), [])


def test_a_hiccup_without_end_is_an_error_after_the_last_attempt() -> None:
    error, naps = error_of(as_json({"error": {"code": 503, "message": "Over\x1b[31mloaded\n"}}, 503))
    assert (error.status, naps) == (503, [0.5, 2.0])
    assert str(error).endswith("answered status 503: Over [31mloaded")


def test_openrouter_says_how_long_to_wait() -> None:
    later = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=20), usegmt=True)
    naps: list[float] = []
    with serving((429, {"Retry-After": "7"}, b""), (503, {"Retry-After": later}, b""), GOOD) as served:
        api(served.url, naps).get("/key")
    assert naps[0] == 7
    assert 15 < naps[1] <= 20


def test_too_long_a_wait_is_left_to_whoever_asked() -> None:
    error, naps = error_of((429, {"Retry-After": "3600"}, b""), GOOD)
    assert (error.status, error.retry_after, naps) == (429, 3600, [])
    assert LONGEST_WAIT < 3600


def test_a_senseless_wait_is_none() -> None:
    naps: list[float] = []
    with serving((429, {"Retry-After": "soon"}, b""), GOOD) as served:
        api(served.url, naps).get("/key")
    assert naps == [0.5]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_key_does_not_follow_a_redirect_to_another_server(status: int) -> None:
    with serving(GOOD) as other, serving((status, {"Location": f"{other.url}/key"}, b"")) as served:
        assert api(served.url).get("/key") == {"data": 1}
    assert "authorization" in served.seen[0][2]
    assert "authorization" not in other.seen[0][2]


def test_the_key_follows_a_redirect_on_its_own_server() -> None:
    with serving((307, {"Location": "/api/v2/key"}, b""), GOOD) as served:
        api(served.url).get("/key")
    assert [(path, headers["authorization"]) for _, path, headers in served.seen] == [
        ("/api/v1/key", f"Bearer {KEY}"),
        ("/api/v2/key", f"Bearer {KEY}"),
    ]


@pytest.mark.parametrize("where", ["/api/v1/key", "http://[::1", "ftp://127.0.0.1/"])
def test_a_redirect_that_leads_nowhere_is_one_sentence(where: str) -> None:
    error, _ = error_of((302, {"Location": where}, b""))
    assert str(error).partition("/key ")[2] in (
        "cannot be reached: it redirects without end",
        "cannot be reached: it redirects to where nobody can follow",
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [(b"<html>", "no JSON"), (b'{"a":NaN}', "NaN is no number"), (b"\xff", "no JSON"), (b"[" * 99999, "no JSON")],
)
def test_an_answer_that_is_no_json_is_one_sentence(body: bytes, why: str) -> None:
    error, naps = error_of((200, {}, body))
    assert why in str(error)
    assert naps == []


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": f"No credentials for {KEY} nor sk-or-v1-another"}},
        {"error": {"message": f"{KEY}\n" * 99}},
        {"error": f"raw {KEY}"},
        {"error": {"metadata": {"raw": KEY}}},
        [KEY],
    ],
)
def test_no_key_is_ever_in_a_message(body: object) -> None:
    error, _ = error_of(as_json(body, 401))
    told = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    assert KEY not in told
    assert "another" not in told
    assert "\n" not in str(error)
    assert len(str(error)) < 300


@pytest.mark.parametrize(
    ("url", "why"),
    [("http://127.0.0.1:9/api/v1", "nothing listens there"), ("http://nobody.invalid/api/v1", "there is no such host")],
)
def test_where_nobody_is_it_says_so(url: str, why: str) -> None:
    with pytest.raises(OpenRouterError, match=f"{url}/key cannot be reached: {why}") as caught:
        api(url).get("/key")
    assert caught.value.status is None


def test_nobody_waits_longer_than_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(OpenRouterError, match="timed out"):
        OpenRouter(f"http://127.0.0.1:{silent.getsockname()[1]}", KEY, timeout=0.1, waits=()).get("/key")


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://a/b", "http://", "http://a:b@c/d", "http://a/b?c=d", "http://a b/", "http://[::1"]
)
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(
        ValueError,
        match=r"^the address of OpenRouter's API, OPENROUTER_BASE_URL, must look like https://openrouter.ai/api/v1$",
    ):
        OpenRouter(url, KEY)


@pytest.mark.parametrize("key", ["", "two words", "sk-or-v1-a\r\nX-Other: b", "schlüssel"])
def test_a_key_that_is_none_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(ValueError, match=r"^an API key of OpenRouter is one word of plain letters and signs$"):
        OpenRouter("http://127.0.0.1:9", key)

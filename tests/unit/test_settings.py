"""Every setting by keyword and by environment: good, bad, and which of the two wins."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from openrouter_otel.settings import Settings, metrics_address, prometheus_url, resolve, sdk_disabled

KEY = "0123456789abcdef"


@pytest.fixture(autouse=True)
def untouched_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("OPENROUTER_OTEL_", "OTEL_")) or name == "PROMETHEUS_URL":
            monkeypatch.delenv(name)


def variable(name: str) -> str:
    return f"OPENROUTER_OTEL_{name.upper()}"


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [entry.getMessage() for entry in caplog.records if entry.levelno >= logging.ERROR]


def test_nothing_set_gives_the_contracts_defaults(caplog: pytest.LogCaptureFixture) -> None:
    expected = {
        "base_urls": (),
        "serve_metrics": None,
        "metric_tags": (),
        "users": "plain",
        "user_hash_key": None,
        "max_users": 1000,
        "max_histogram_users": 100,
        "max_series": 5000,
        "latency_buckets": None,
        "estimate_costs": True,
        "semconv_metrics": False,
        "journal": None,
        "journal_retention_days": None,
    }

    assert expected == vars(resolve({}))
    assert caplog.records == []


@pytest.mark.parametrize(
    ("name", "value", "text", "expected"),
    [
        ("base_urls", ["gateway"], "gateway", (("gateway", None),)),
        ("base_urls", ["Gateway:8080"], "Gateway:8080", (("gateway", 8080),)),
        ("base_urls", ["http://gw:8080/api/v1"], "http://gw:8080/api/v1", (("gw", 8080),)),
        ("base_urls", ("https://gw/api/v1", "b:1"), " https://gw/api/v1 ,, b:1 ", (("gw", None), ("b", 1))),
        ("base_urls", "a,b:2", "a,b:2", (("a", None), ("b", 2))),
        ("base_urls", ["[::1]:8080"], "[::1]:8080", (("::1", 8080),)),
        ("serve_metrics", True, "on", True),
        ("serve_metrics", False, "0", False),
        ("serve_metrics", "no", "No", False),
        ("metric_tags", ["team", "a.b"], "team, a.b", ("team", "a.b")),
        ("users", "off", "off", "off"),
        ("max_users", 1, "1", 1),
        ("max_histogram_users", 7, " 7 ", 7),
        ("max_series", 20_000, "20000", 20_000),
        ("latency_buckets", [0.1, 1, 10], "0.1, 1, 10", (0.1, 1.0, 10.0)),
        ("latency_buckets", "E6", "e6", None),
        ("estimate_costs", False, "false", False),
        ("semconv_metrics", True, "on", True),
        ("journal", "/var/usage.db", "/var/usage.db", "/var/usage.db"),
        ("journal", Path("usage.db"), " usage.db ", str(Path.cwd() / "usage.db")),
        ("journal", "~/usage.db", "~/usage.db", str(Path.home() / "usage.db")),
        ("journal_retention_days", 30, "30", 30),
    ],
)
def test_a_good_value_is_taken_from_keyword_and_environment(
    name: str,
    value: Any,
    text: str,
    expected: object,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert expected == getattr(resolve({name: value}), name)

    monkeypatch.setenv(variable(name), text)
    assert expected == getattr(resolve({}), name)
    assert caplog.records == []


# Each row: the setting, a word that the message must have to say what it takes, bad keywords, bad texts.
BAD: list[tuple[str, str, list[Any], list[str]]] = [
    (
        "base_urls",
        "host:port",
        [7, [7], ["http://"], [":80"], ["h:99999"], ["two words"]],
        ["http://", "h:99999", "a b"],
    ),
    ("serve_metrics", "True or False", [None, 2, "maybe", []], ["maybe", "2"]),
    ("metric_tags", "different labels", [None, [1], ["a.b", "a_b"], ["x", "x"]], ["a.b,a_b", "ü,ö"]),
    ("users", "'hashed'", ["some", None, True, ["plain"]], ["PLAIN?", "none"]),
    ("user_hash_key", "16 characters", ["short", 17, b"0123456789abcdef"], ["short"]),
    ("max_users", "above 0", [0, -1, 1.5, "many", None, True], ["0", "-1", "1.5", "many"]),
    ("max_histogram_users", "above 0", [0, "x"], ["0", "x"]),
    ("max_series", "above 0", [0, "x"], ["0", "x"]),
    (
        "latency_buckets",
        "rising numbers of seconds",
        [[], [2, 1], [1, 1], [0], [-1], ["x"], [float("nan")], [float("inf")], [10**400], None, 5],
        ["2,1", "1,1", "0,1", "x", "nan", "inf"],
    ),
    ("estimate_costs", "True or False", ["perhaps", 3], ["perhaps"]),
    ("semconv_metrics", "True or False", ["perhaps"], ["perhaps"]),
    ("journal", "path of a file", [7, "", " ", "a\0b", b"usage.db", True], []),
    ("journal_retention_days", "days above 0", [0, -1, 1.5, "many", True], ["0", "-1", "many"]),
]


@pytest.mark.parametrize(("name", "takes", "value"), [(row[0], row[1], value) for row in BAD for value in row[2]])
def test_a_bad_keyword_is_a_value_error_that_names_the_setting_and_what_it_takes(
    name: str, takes: str, value: Any
) -> None:
    with pytest.raises(ValueError, match=f"^{name} takes .*{takes}"):
        resolve({name: value})


@pytest.mark.parametrize(("name", "takes", "text"), [(row[0], row[1], text) for row in BAD for text in row[3]])
def test_a_bad_environment_value_is_one_error_line_and_the_default(
    name: str, takes: str, text: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(variable(name), text)

    assert Settings() == resolve({})
    [line] = errors(caplog)
    assert line.startswith(f"{variable(name)} takes ")
    assert takes in line
    assert "\n" not in line


def test_an_unknown_keyword_is_a_value_error_that_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"^max_user is not a setting .*max_users"):
        resolve({"max_user": 1})


def test_a_keyword_beats_the_environment_even_a_bad_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENROUTER_OTEL_MAX_USERS", "5")
    monkeypatch.setenv("OPENROUTER_OTEL_MAX_SERIES", "nonsense")

    settings = resolve({"max_users": 7, "max_series": 8})

    assert (settings.max_users, settings.max_series) == (7, 8)
    assert errors(caplog) == []


def test_one_bad_variable_leaves_the_others_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_OTEL_MAX_USERS", "none")
    monkeypatch.setenv("OPENROUTER_OTEL_MAX_SERIES", "9")

    assert (resolve({}).max_users, resolve({}).max_series) == (1000, 9)


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("OPENROUTER_OTEL_USERS", "  ")

    assert Settings() == resolve({})
    assert errors(caplog) == []


# --- hashed users ---
def test_hashed_users_take_their_key_from_either_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_OTEL_USER_HASH_KEY", KEY)

    assert (resolve({"users": "hashed"}).users, resolve({"users": "hashed"}).user_hash_key) == ("hashed", KEY)
    assert resolve({"users": "hashed", "user_hash_key": KEY * 2}).user_hash_key == KEY * 2


def test_hashed_by_keyword_without_a_key_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"user_hash_key.*16 characters"):
        resolve({"users": "hashed"})


def test_hashed_by_environment_without_a_key_leaves_users_out_rather_than_tell_who_they_are(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENROUTER_OTEL_USERS", "hashed")

    assert resolve({}).users == "off"
    assert len(errors(caplog)) == 1


def test_a_hash_key_that_is_too_short_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENROUTER_OTEL_USER_HASH_KEY", "tooshortsecret")
    resolve({})
    with pytest.raises(ValueError, match="user_hash_key") as raised:
        resolve({"user_hash_key": "tooshortsecret"})

    assert "tooshortsecret" not in caplog.text + str(raised.value) + str(raised.value.__cause__)


# --- the variables of OpenTelemetry and Prometheus ---
@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("", "", ("127.0.0.1", None)),
        ("0.0.0.0", "", ("0.0.0.0", None)),
        ("", "9999", ("127.0.0.1", 9999)),
        (" ::1 ", " 9464 ", ("::1", 9464)),
        ("", "0", ("127.0.0.1", 0)),
    ],
)
def test_metrics_are_served_where_opentelemetrys_variables_say(
    host: str, port: str, expected: tuple[str, int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_HOST", host)
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_PORT", port)

    assert expected == metrics_address()


@pytest.mark.parametrize("text", ["http", "-1", "65536", "94 64", "²", "9464.0"])
def test_a_bad_port_is_one_error_line_and_the_default(
    text: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_PORT", text)

    assert metrics_address() == ("127.0.0.1", None)
    [line] = errors(caplog)
    assert line.startswith("OTEL_EXPORTER_PROMETHEUS_PORT takes a port number")


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), (" TRUE ", True), ("false", False), ("1", False), ("", False)]
)
def test_the_sdk_is_disabled_by_the_word_true(text: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", text)

    assert expected is sdk_disabled()


def test_the_reports_prometheus_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert prometheus_url() is None
    monkeypatch.setenv("PROMETHEUS_URL", "http://prom:9090")
    assert prometheus_url() == "http://prom:9090"


@pytest.mark.parametrize(("asked", "expected"), [(None, False), (False, False), (True, True)])
def test_with_a_journal_metrics_are_served_only_on_request_and_then_with_one_warning(
    asked: bool | None, expected: bool, caplog: pytest.LogCaptureFixture
) -> None:
    keywords = {"journal": "usage.db"} if asked is None else {"journal": "usage.db", "serve_metrics": asked}

    assert expected is resolve(keywords).serve_metrics
    warnings = [entry.getMessage() for entry in caplog.records]
    assert len(warnings) == (1 if expected else 0)
    assert all("twice" in warning for warning in warnings)

"""What a label may say, and how many users may have one."""

from __future__ import annotations

import logging

import pytest

from openrouter_otel.emit.labels import Cap, Users, clean


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("openai/gpt-5", "openai/gpt-5"),
        ("", ""),
        ("Größe 日本", "Größe 日本"),
        ("a\nb\tc\x00\x1b[31m\x7f\x85d", "abc[31md"),
        ("a\u2028b\u2029c", "abc"),
        ("a\ud800b", "ab"),  # half a surrogate pair cannot be written as UTF-8
        ("x" * 200, "x" * 128),
        ("\n" * 100 + "x" * 128, "x" * 128),
        ('quote " and \\', 'quote " and \\'),
        # --- words of ours ---
        ("(other)", "(other)_"),
        ("(unknown)", "(unknown)_"),
        ("(anything)", "(anything)_"),
        ("()", "()_"),
        ("(\n)", "()_"),
        ("(other)_", "(other)_"),
        ("(a) b", "(a) b"),
        ("a (b)", "a (b)"),
        ("(" + "x" * 126 + ")", "(" + "x" * 126 + "_"),
        ("(" + "x" * 126 + ")tail", "(" + "x" * 126 + "_"),
        ("(" + "x" * 200 + ")", "(" + "x" * 127),
    ],
)
def test_a_label_is_clean_short_and_never_a_word_of_ours(value: str, expected: str) -> None:
    assert clean(value) == expected
    assert len(clean(value)) <= 128


@pytest.mark.parametrize("nobody", [None, ""])
def test_nobody_is_anonymous(nobody: str | None) -> None:
    assert Users(1, "max_users").label(nobody) == "anonymous"


def test_the_first_users_have_a_name_for_ever_and_the_rest_share_one() -> None:
    users = Users(2, "max_users")

    assert [users.label(user) for user in ("a", "b", "c", "a", "d", "b")] == ["a", "b", "(other)", "a", "(other)", "b"]
    assert users.label(None) == "anonymous"  # takes no place


def test_users_are_told_apart_from_words_of_ours() -> None:
    users = Users(5, "max_users")

    assert users.label("(other)") == "(other)_"
    assert users.label("x" * 200) == "x" * 128
    assert users.label("\x00") == "anonymous"


def test_a_cap_says_once_at_80_percent_which_setting_is_near(caplog: pytest.LogCaptureFixture) -> None:
    users = Users(10, "max_users")

    for number in range(7):
        users.label(f"u{number}")
    assert caplog.records == []
    for number in range(30):
        users.label(f"u{number}")

    [line] = caplog.records
    assert line.levelno == logging.WARNING
    assert line.getMessage().startswith("8 of max_users = 10 are taken")


def test_a_cap_of_one_warns_too(caplog: pytest.LogCaptureFixture) -> None:
    cap = Cap(1, "max_users")
    cap.took(0)
    assert caplog.records == []

    cap.took(1)
    cap.took(1)

    assert len(caplog.records) == 1

"""A stand-in OpenRouter with an account of its own, and clients that spend on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from fake_openrouter import MANAGEMENT_KEY, FakeOpenRouter
from openrouter_otel.account.asking import Books

KEY = "sk-or-v1-the-application"
DAY = 86_400.0


@pytest.fixture
def account() -> Iterator[FakeOpenRouter]:
    """A stand-in whose terms a test may change."""
    with FakeOpenRouter() as openrouter:
        yield openrouter


@pytest.fixture
def spend(account: FakeOpenRouter) -> Iterator[Callable[..., Any]]:
    """Makes one call: a scenario, and what a request has besides."""
    with openai.OpenAI(base_url=account.base_url, api_key=KEY, max_retries=0) as client:

        def call(wanted: str = "good", model: str = "openai/gpt-5", key: str = KEY, **more: Any) -> Any:
            return client.with_options(api_key=key).chat.completions.create(
                model=model,
                messages=[{"role": "user", "content": "Hello"}],
                extra_headers={"x-scenario": wanted},
                **more,
            )

        yield call


@pytest.fixture
def tomorrow(account: FakeOpenRouter) -> None:
    """From now on it is tomorrow at OpenRouter: what was spent today is in its books."""
    account.clock = lambda: time.time() + DAY


@pytest.fixture
def keys(account: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None, str | None], None]:
    """Sets the environment's keys: the programs' and the account's."""

    def chosen(api_key: str | None, management_key: str | None) -> None:
        told = {"OPENROUTER_API_KEY": api_key, "OPENROUTER_MANAGEMENT_KEY": management_key}
        for variable, key in told.items():
            monkeypatch.delenv(variable, raising=False)
            if key is not None:
                monkeypatch.setenv(variable, key)

    monkeypatch.setenv("OPENROUTER_BASE_URL", account.base_url)
    monkeypatch.setenv("COLUMNS", "120")
    return chosen


@pytest.fixture
def books(account: FakeOpenRouter) -> Books:
    """All that both keys open, without patience."""
    return Books(account.base_url, KEY, MANAGEMENT_KEY, waits=())

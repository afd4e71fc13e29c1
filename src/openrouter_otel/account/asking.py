"""Asks OpenRouter for its own books, with whatever keys there are.

An inference key knows itself; a management key knows the account, and calls no model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from openrouter_otel import settings
from openrouter_otel.account import readings
from openrouter_otel.account.readings import Account, Booked, Credits, KeyStatistics, UnreadableError
from openrouter_otel.openrouter_api import OpenRouter, OpenRouterError

T = TypeVar("T")
KEYS: Final = f"{settings.API_KEY}, {settings.MANAGEMENT_KEY} or both"
MOST: Final = 10_000  # lines of an answer of the analytics: OpenRouter gives no more


def from_environment(**options: Any) -> Books | None:
    """The books that the environment's keys open, None where it has none; ValueError as `Books`, and its options."""
    keys = settings.api_key(), settings.management_key()
    return None if keys == (None, None) else Books(settings.openrouter_api(), *keys, **options)


class Books:
    """OpenRouter's books, as far as the keys at hand open them. Safe for many threads.

    Args:
        base_url: of OpenRouter's API.
        api_key: the one that programs call models with, or None.
        management_key: the account's, or None.
        options: further arguments of `OpenRouter`.

    Raises:
        ValueError: the address or a key cannot be one.
    """

    def __init__(self, base_url: str, api_key: str | None, management_key: str | None, **options: Any) -> None:
        self._inference = None if api_key is None else OpenRouter(base_url, api_key, **options)
        self._management = None if management_key is None else OpenRouter(base_url, management_key, **options)

    def account(self) -> Account:
        """All there is; OpenRouterError if a key is refused or OpenRouter does not answer."""
        return Account(self.key(), self.credits())

    def key(self) -> KeyStatistics | None:
        """The inference key's statistics, None without one; OpenRouterError if there is no answer."""
        if self._inference is None:
            return None
        with _naming(settings.API_KEY):
            return _understood("/key", readings.key_statistics, self._inference.get("/key"))

    def credits(self) -> Credits | None:
        """The account's credit, None without a management key; OpenRouterError if there is no answer.

        What ``/credits`` answers to an inference key is no figure: zeros have been seen. So the key is asked first.
        """
        if self._management is None:
            return None
        with _naming(settings.MANAGEMENT_KEY):
            if not _understood("/key", readings.key_statistics, self._management.get("/key")).management:
                raise OpenRouterError("it is a key for calls, and only a management key may see the credit", 403)
            return _understood("/credits", readings.credit, self._management.get("/credits"))

    def activity(self, key_hash: str | None = None) -> tuple[Booked, ...]:
        """The last 30 UTC days that are over, by model and provider; of one key where its hash is given.

        Raises:
            OpenRouterError: there is no answer.
            ValueError: there is no management key.
        """
        query = {} if key_hash is None else {"api_key_hash": key_hash}
        manager = self._manager()
        with _naming(settings.MANAGEMENT_KEY):
            return _understood("/activity", readings.activity, manager.get("/activity", query))

    def of_user(self, user: str, first: str, after: str, key_hash: str | None = None) -> tuple[Booked, ...]:
        """One end user's days by model: from the UTC day `first`, up to but without `after`; raises as `activity`."""
        filters = [("external_user", user), *([] if key_hash is None else [("api_key_id", key_hash)])]
        question = {
            "metrics": ["credits_usage", "total_usage", "request_count"],
            "dimensions": ["model"],
            "granularity": "day",
            "time_range": {"start": f"{first}T00:00:00+00:00", "end": f"{after}T00:00:00+00:00"},
            "filters": [{"field": field, "operator": "eq", "value": value} for field, value in filters],
            "limit": MOST,
        }
        manager = self._manager()
        with _naming(settings.MANAGEMENT_KEY):
            return _understood("/analytics/query", readings.analytics, manager.post("/analytics/query", question))

    def _manager(self) -> OpenRouter:
        if self._management is None:
            raise ValueError("only a management key opens the account's books")
        return self._management


@contextmanager
def _naming(variable: str) -> Iterator[None]:
    """Whoever is told that a key was refused is told which."""
    try:
        yield
    except OpenRouterError as error:
        if not error.refused:
            raise
        raise OpenRouterError(f"{variable} was refused: {error}", error.status) from error


def _understood(path: str, read: Callable[[object], T], answer: object) -> T:
    try:
        return read(answer)
    except UnreadableError as error:
        raise OpenRouterError(f"{path} of OpenRouter answered something unexpected", 200) from error

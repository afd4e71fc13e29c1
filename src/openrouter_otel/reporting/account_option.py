"""``--account`` and ``--no-account`` -> whether OpenRouter is asked what it says of key and account, and how patiently.

Who asks for it gets it or no report. Otherwise OpenRouter is asked where the environment has a key for that, once and
only while the report is made anyway: nobody waits long for what nobody asked for.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError  # the builtin one only from Python 3.11 on
from dataclasses import dataclass
from threading import Thread
from typing import Final

from openrouter_otel import settings
from openrouter_otel.account.asking import KEYS, from_environment
from openrouter_otel.account.readings import Account
from openrouter_otel.openrouter_api import OpenRouterError

PATIENCE: Final = 5.0  # seconds for all that was not insisted on


class AccountError(ValueError):
    """There is no key, no place for the answer, or no way to ask; the text is one sentence for the user."""


@dataclass(frozen=True)
class Question:
    """Something to ask OpenRouter.

    Attributes:
        ask: does it; OpenRouterError if there is no answer.
        insisted: without an answer there is to be no report.
        patience: seconds that an answer may take, unless it is insisted on.
    """

    ask: Callable[[], Account]
    insisted: bool
    patience: float = PATIENCE

    def begin(self) -> Callable[[], Account]:
        """Ask; the result gives the answer, or OpenRouterError.

        What is insisted on is asked here and now, so that a refused key is told before a long report is made;
        everything else meanwhile, in the background.
        """
        if self.insisted:
            account = self.ask()
            return lambda: account
        answer: Future[Account] = Future()
        due = time.monotonic() + self.patience
        Thread(target=_asked, args=(self.ask, answer), name="openrouter-otel-account", daemon=True).start()
        return lambda: self._awaited(answer, due)

    def _awaited(self, answer: Future[Account], due: float) -> Account:
        try:
            return answer.result(max(due - time.monotonic(), 0.0))
        except FutureTimeoutError:
            raise OpenRouterError(f"OpenRouter has not answered within {self.patience:g} s") from None


def add(options: argparse._ActionsContainer) -> None:
    """The two options, of a parser or of a group of its."""
    option = options.add_mutually_exclusive_group().add_argument
    told = f"what OpenRouter says of key and credit, or no report; without it that is asked where {KEYS} is set"
    option("--account", action="store_const", const=True, help=told)
    option("--no-account", action="store_const", const=False, dest="account", help="never ask OpenRouter")


def question(wanted: bool | None, no_place: str = "") -> Question | None:
    """What to ask, None for nothing.

    Args:
        wanted: as the options say; None for neither of them.
        no_place: the option that leaves no place for an answer, such as ``--format csv``.

    Raises:
        AccountError: it is wanted, and there is no key, no place, or the environment makes no sense.
    """
    if wanted and no_place:
        raise AccountError(f"--account has no place in what {no_place} gives")
    if wanted:
        return insisted()
    return None if no_place or wanted is not None else _offered()


def insisted() -> Question:
    """For a report that must have it; AccountError without a key, or where the environment makes no sense."""
    try:
        books = from_environment()
    except ValueError as error:
        raise AccountError(str(error)) from None
    if books is None:
        raise AccountError(f"the account takes a key to ask with: set {KEYS}")
    return Question(books.account, insisted=True)


def _offered() -> Question | None:
    return Question(_once, insisted=False) if settings.api_key() or settings.management_key() else None


def _once() -> Account:
    try:
        books = from_environment(timeout=PATIENCE, waits=())
    except ValueError as error:
        raise OpenRouterError(str(error)) from None
    return Account() if books is None else books.account()


def _asked(ask: Callable[[], Account], answer: Future[Account]) -> None:
    try:
        answer.set_result(ask())
    except OpenRouterError as error:
        answer.set_exception(error)

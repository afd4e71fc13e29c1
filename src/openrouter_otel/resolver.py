"""Prices calls of a journal that ended with no price told, such as streams left early, by asking OpenRouter later.

OpenRouter knows of a generation seconds after it has ended, sometimes much later. So a call is asked about when it is
two seconds old and then each time that its age has doubled; a day after its end, one more no is taken for an answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from openrouter_otel.exact import plus
from openrouter_otel.facts.reading import field, money, whole
from openrouter_otel.journal.money import LIMIT
from openrouter_otel.journal.resolving import Price, WaitingCall, WaitingCalls
from openrouter_otel.openrouter_api import OpenRouter, OpenRouterError

FIRST_AFTER: Final = 2.0  # seconds from a call's end to the first question
GIVES_UP_AFTER: Final = 86_400.0  # seconds
EVERY: Final = 0.2  # seconds between two questions: no more than five a second
_NO_SUCH: Final = (400, 404)  # it is not there yet, or no id of OpenRouter's
_TOKENS: Final = {
    "native_tokens_reasoning": "reasoning",
    "native_tokens_cached": "cache_read",
    "native_tokens_completion_images": "image_output",
}


class Resolver:
    """Asks about calls in good time, and no more often.

    Args:
        api: OpenRouter, with a key of the account that made the calls.
        clock: seconds since the epoch.
        sleep: how to wait between two questions.

    Attributes:
        priced: calls that were priced.
        cost: what they came to, USD.
        given_up: calls of which OpenRouter knows nothing.
    """

    def __init__(
        self,
        api: OpenRouter,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._api = api
        self._clock = clock
        self._sleep = sleep
        self._due: dict[int, float] = {}
        self.priced = 0
        self.cost = Decimal(0)
        self.given_up = 0

    def work(self, calls: WaitingCalls) -> float | None:
        """Ask about all whose time has come.

        Returns:
            When the next one's time comes, seconds since the epoch; None where no call waits.

        Raises:
            OpenRouterError: it does not answer, or not us.
            JournalError: the journal cannot be written.
        """
        waiting = calls.all()
        self._due = {call.id: self._due.get(call.id, call.ended_at / 1000 + FIRST_AFTER) for call in waiting}
        asked = False
        for call in waiting:
            if self._due[call.id] <= self._clock():
                if asked:
                    self._sleep(EVERY)
                self._ask(calls, call)
                asked = True
        return min(self._due.values(), default=None)

    def _ask(self, calls: WaitingCalls, call: WaitingCall) -> None:
        price = self._price(call)
        now = self._clock()
        age = now - call.ended_at / 1000
        if price is not None:
            added = calls.book(call, price, round(now * 1000))
            if added is not None:
                self.priced += 1
                self.cost = plus(added, self.cost)
        elif age > GIVES_UP_AFTER:
            self.given_up += calls.give_up(call)
        else:
            self._due[call.id] = now + max(age, FIRST_AFTER)
            return
        del self._due[call.id]

    def _price(self, call: WaitingCall) -> Price | None:
        try:
            return price(self._api.get("/generation", {"id": call.generation_id}))
        except OpenRouterError as error:
            if error.status in _NO_SUCH:
                return None
            raise


def price(answer: Any) -> Price | None:
    """The price that an answer of ``/generation`` tells; None where it tells none, or not all of it."""
    told = field(answer, "data")
    charged = money(field(told, "total_cost"))
    byok = field(told, "is_byok") is True
    # Without BYOK it may repeat the charge.
    bill = money(field(told, "upstream_inference_cost")) if byok else None
    if charged is None or (byok and bill is None) or max(charged, bill or charged) >= LIMIT:
        return None
    counts = {kind: whole(field(told, name)) for name, kind in _TOKENS.items()}
    return Price(
        charged,
        bill,
        # Those of the model's own tokenizer, which are the ones that answers tell and bills go by.
        whole(field(told, "native_tokens_prompt")),
        whole(field(told, "native_tokens_completion")),
        {kind: count for kind, count in counts.items() if count},
    )

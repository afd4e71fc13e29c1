"""One ended call as a frozen value: everything that a span, a metric or a journal row is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

from openrouter_otel import names
from openrouter_otel.exact import plus
from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.request import Request
from openrouter_otel.facts.response import Answer
from openrouter_otel.facts.usage import Usage


class Attribution(NamedTuple):
    """Who made a call: user, session and tags, as the privacy setting lets them be known."""

    user: str | None = None
    session: str | None = None
    tags: Mapping[str, str] = {}


class Record(NamedTuple):
    """One ended call; emitters are functions of it.

    Attributes:
        request: what was asked.
        attribution: who asked.
        answer: what was answered; empty where nothing was.
        outcome: ``ok``, ``error``, ``abandoned`` or ``cancelled``.
        cost_source: ``reported``, ``estimated``, ``unknown`` or ``none``.
        failure: why it failed; None unless the outcome is ``error``.
        started_at: nanoseconds since the epoch.
        duration: seconds until the end, None where it is not known.
        first_token: seconds until the first content of a stream.
        retries: attempts beyond the first.
        estimate: USD to OpenRouter at list prices, where it told usage but no cost.
        first_chunk: seconds until the first chunk of a stream, with content or without.
    """

    request: Request
    attribution: Attribution
    answer: Answer
    outcome: str
    cost_source: str
    failure: Failure | None
    started_at: int
    duration: float | None
    first_token: float | None = None
    retries: int = 0
    estimate: Decimal | None = None
    first_chunk: float | None = None

    @property
    def ended_at(self) -> int:
        """Nanoseconds since the epoch."""
        return self.started_at + round((self.duration or 0.0) * 1e9)

    @property
    def model(self) -> str | None:
        """The model that served; the requested one where none answered."""
        return self.answer.model or self.request.model

    @property
    def provider(self) -> str | None:
        """The upstream that served, or failed."""
        return self.answer.provider or (self.failure.provider if self.failure else None)

    @property
    def cost(self) -> Decimal | None:
        """USD to both payees, an estimate included; None where nothing is known."""
        usage = self.answer.usage
        if usage is None:
            return None
        charge = self.estimate if usage.cost is None else usage.cost
        if charge is None or usage.provider_cost is None:
            return usage.provider_cost if charge is None else charge
        return plus(charge, usage.provider_cost)

    @property
    def output_rate(self) -> float | None:
        """Output tokens per second after the first token of a stream that went well."""
        usage, duration, first = self.answer.usage, self.duration, self.first_token
        if self.outcome != names.OK or usage is None or duration is None or first is None or not usage.output_tokens:
            return None
        return usage.output_tokens / (duration - first) if duration > first else None


def estimated(record: Record, price: Callable[[Usage, str], Decimal | None]) -> Record:
    """The record with a price at list prices, where OpenRouter told usage but no cost.

    Not under BYOK, where the provider's bill is what is missing.
    """
    usage, model = record.answer.usage, record.model
    if record.cost_source != names.UNPRICED or usage is None or usage.cost is not None or usage.byok or model is None:
        return record
    if not usage.input_tokens and not usage.output_tokens:
        return record
    amount = price(usage, model)
    return record if amount is None else record._replace(cost_source=names.ESTIMATED, estimate=amount)


def cost_source(usage: Usage | None, outcome: str, failure: Failure | None) -> str:
    """Where a call's price came from; unknown is not zero.

    BYOK without the provider's figure counts as unpriced: OpenRouter's fee is only part of the spend. A failure that
    OpenRouter itself answered without any usage costs nothing; a timeout or a lost connection may have been charged.
    """
    if usage is not None and usage.cost is not None:
        return names.UNPRICED if usage.byok and usage.provider_cost is None else names.REPORTED
    if outcome == names.ERROR and usage is None and failure is not None and failure.answered:
        return names.FREE_FAILURE
    return names.UNPRICED

"""Blocks of calls: who makes them, and what they have cost so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from decimal import Decimal
from types import TracebackType
from typing import NamedTuple

from openrouter_otel import names
from openrouter_otel.exact import plus
from openrouter_otel.inbox import Inbox
from openrouter_otel.quiet import quietly
from openrouter_otel.record import Record

_left_behind: list[Callable[[], object]] = []


def settle_before_reading(settle: Callable[[], object]) -> None:
    """Have calls that finalizers left behind counted before anybody reads what a block has used."""
    _left_behind[:] = [settle]


class RunningUsage:
    """What a `usage_context` block has used so far; nested blocks and streams that end later included.

    Reading is exact at any time and from any thread.
    """

    def __init__(self) -> None:
        self._sums: tuple[Record | None, Decimal, int, int, int, int] = (None, Decimal(0), 0, 0, 0, 0)
        self._inbox: Inbox[Record] = Inbox(self._take)

    def _take(self, record: Record) -> None:
        last, cost, input_tokens, output_tokens, requests, unpriced = self._sums
        if last is record:
            return
        usage = record.answer.usage
        self._sums = (
            record,
            plus(cost, record.cost or 0),
            input_tokens + ((usage and usage.input_tokens) or 0),
            output_tokens + ((usage and usage.output_tokens) or 0),
            requests + 1,
            unpriced + (record.cost_source == names.UNPRICED),
        )

    def _settled(self) -> tuple[Record | None, Decimal, int, int, int, int]:
        self._settle()
        return self._sums

    @quietly
    def _settle(self) -> None:
        for settle in _left_behind:
            settle()
        self._inbox.settle(wait=1.0)

    @property
    def cost(self) -> Decimal:
        """USD to OpenRouter and, under BYOK, to providers; unpriced calls add nothing."""
        return self._settled()[1]

    @property
    def input_tokens(self) -> int:
        """Input tokens, cached ones included."""
        return self._settled()[2]

    @property
    def output_tokens(self) -> int:
        """Output tokens, reasoning included."""
        return self._settled()[3]

    @property
    def requests(self) -> int:
        """Calls that have ended."""
        return self._settled()[4]

    @property
    def unpriced(self) -> int:
        """Calls whose price nobody told."""
        return self._settled()[5]

    def __repr__(self) -> str:
        return f"<usage cost={self.cost} requests={self.requests} unpriced={self.unpriced}>"


class Block(NamedTuple):
    """One open block, what it inherits from those around it included."""

    user: str | None
    session: str | None
    tags: Mapping[str, str]
    usages: tuple[RunningUsage, ...]


_OUTSIDE = Block(None, None, {}, ())
_block: ContextVar[Block] = ContextVar("openrouter_otel_usage_context", default=_OUTSIDE)


class usage_context:  # used like a function: `with usage_context(user=...) as usage`
    """Attribute the calls of a block, and learn what they cost.

    Works as ``with`` and ``async with``, nests (the inner one wins, the outer one counts too), and follows
    `contextvars`: tasks inherit it, threads do when run in a copied context.

    Args:
        user: the end user.
        session: the conversation or session.
        tags: a mapping, or a list of words: ``["batch"]`` is ``{"batch": "true"}``.

    Yields:
        A `RunningUsage`: ``cost`` (Decimal, USD), ``input_tokens``, ``output_tokens``, ``requests``, ``unpriced``.
    """

    def __init__(
        self,
        user: str | None = None,
        session: str | None = None,
        tags: Mapping[str, object] | Iterable[str] | None = None,
    ) -> None:
        # Ids are often numbers; telemetry takes them as they come rather than fail the program.
        self._user = None if user is None else str(user)
        self._session = None if session is None else str(session)
        self._tags = _tags(tags) or {}
        self._tokens: list[Token[Block]] = []

    def __enter__(self) -> RunningUsage:
        outer, usage = _block.get(), RunningUsage()
        inner = Block(
            outer.user if self._user is None else self._user,
            outer.session if self._session is None else self._session,
            {**outer.tags, **self._tags},
            (*outer.usages, usage),
        )
        self._tokens.append(_block.set(inner))
        return usage

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # An async generator's block may be left in another context than it was entered in; nothing is set there.
        with suppress(ValueError):
            _block.reset(self._tokens.pop())

    async def __aenter__(self) -> RunningUsage:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


def as_tags(tags: Mapping[str, object] | Iterable[str] | None) -> dict[str, str]:
    """Tags as a mapping of texts; a list of words means each is ``"true"``."""
    if not tags:
        return {}
    if isinstance(tags, Mapping):
        return {str(name): str(value) for name, value in tags.items()}
    words = tags if isinstance(tags, Iterable) and not isinstance(tags, str) else [tags]
    return {str(word): "true" for word in words}


_tags = quietly(as_tags)  # whatever a tag's `__str__` does


def current() -> Block:
    """The block that is open here: its user, session and tags, and every usage it counts for, outermost first."""
    return _block.get()


def charge(usages: tuple[RunningUsage, ...], record: Record) -> None:
    """Add an ended call to the blocks it was started in."""
    for usage in usages:
        usage._inbox.put(record)
        usage._inbox.settle()

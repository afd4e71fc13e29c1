"""What the demo's applications ask for: a table of calls, the same on every run.

`scenario` tells the stand-in what to do with a call; a real application has no such thing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        user: who it is for; empty for nobody in particular.
        team: a tag.
        scenario: what the stand-in does with it.
        streamed: whether the answer is streamed.
        leave_after: chunks after which the application stops reading; 0 reads to the end.
        patience: seconds until the client gives up.
        cancel_after: seconds after which the application cancels the call; 0 never does, only asyncio can.
        retries: how often the client repeats a failed attempt.
    """

    model: str
    user: str = ""
    team: str = "search"
    scenario: str = "good"
    streamed: bool = False
    leave_after: int = 0
    cancel_after: float = 0.0
    patience: float = 20.0
    retries: int = 2


_GPT5: Final = "openai/gpt-5"
_MINI: Final = "openai/gpt-4o-mini"
_CLAUDE: Final = "anthropic/claude-sonnet-4.5"
_GEMINI: Final = "google/gemini-2.5-flash"
_LLAMA: Final = "meta-llama/llama-3.3-70b-instruct"
_DEEPSEEK: Final = "deepseek/deepseek-chat-v3.1"
_FREE: Final = "mistralai/mistral-small-3.2-24b-instruct:free"

# The bulk: what goes well.
_USUAL: Final = (
    Call(_MINI, "alice"),
    Call(_MINI, "bob", "support", streamed=True),
    Call(_GPT5, "carol", "research", "reasoning;reasoning=96;completion_tokens=400", streamed=True),
    Call(_CLAUDE, "alice", "support", "details"),
    Call(_CLAUDE, "dave", "support", "good;shape=B", streamed=True),
    Call(_GEMINI, "erin", "search", "good;shape=C", streamed=True),
    Call(_LLAMA, "frank", "batch"),
    Call(_DEEPSEEK, "grace", "batch", "tool", streamed=True),
    Call(_FREE, "heidi", "search"),
    Call("openrouter/auto", "ivan", "search"),
    Call(_GPT5, "", "research", "fallback"),
    Call(_CLAUDE, "judy", "research", "byok;fee=0.000125", streamed=True),
    Call(_GPT5, "judy", "research", "byok"),
    Call(_MINI, "bob", "support", "cache-hit"),
)
# What goes wrong, in every way the books must still balance after. Answers that get lost are not repeated here:
# every lost attempt is a generation of its own in OpenRouter's book, but only one call in ours.
_TROUBLE: Final = (
    Call(_GEMINI, "alice", "search", "flaky;retry_after=0.1"),
    Call(_LLAMA, "frank", "batch", "flaky;failures=1;status=429;retry_after=0.2", streamed=True),
    Call(_GPT5, "carol", "research", "error;status=502;retry_after=0.1"),
    Call(_CLAUDE, "dave", "support", "error;status=402"),
    Call("openai/gpt-6", "erin", "search", "error;status=404"),
    Call(_MINI, "heidi", "search", "error;status=403"),
    Call(_LLAMA, "frank", "batch", "error-in-200"),
    Call(_GEMINI, "grace", "batch", "choice-error"),
    Call(_GPT5, "carol", "research", "stream-error", streamed=True),
    Call(_DEEPSEEK, "grace", "batch", "stream-choice-error", streamed=True),
    Call(_MINI, "bob", "support", "drop", retries=0),
    Call(_CLAUDE, "dave", "support", "stream-drop", streamed=True),
    Call(_GPT5, "ivan", "search", "hang", patience=0.5, retries=0),
    Call(_GPT5, "carol", "research", "endless", streamed=True, leave_after=5),
    Call(_CLAUDE, "judy", "research", "endless", streamed=True, leave_after=2),
    Call(_CLAUDE, "dave", "support", "hang", cancel_after=0.4),
    Call(_MINI, "bob", "support", "endless", streamed=True, cancel_after=1.0),
    Call(_GPT5, "judy", "research", "byok-silent;fee=0.00005"),
    Call(_LLAMA, "", "batch", "no-usage"),
)
_LATENCY: Final = ";latency={:.3f};chunk_delay={:.3f}"


def traffic(seed: int, count: int, *, cancelling: bool) -> list[Call]:
    """`count` calls: all the trouble that this kind of application can have, spread among the usual."""
    dice = random.Random(seed)
    trouble = [call for call in _TROUBLE if cancelling or not call.cancel_after]
    usual = [dice.choice(_USUAL) for _ in range(count - len(trouble))]
    calls = [*usual, *trouble]
    dice.shuffle(calls)
    return [_paced(call, dice) for call in calls]


def _paced(call: Call, dice: random.Random) -> Call:
    latency = min(2.0, dice.lognormvariate(-1.6, 0.7))
    return replace(call, scenario=call.scenario + _LATENCY.format(latency, dice.uniform(0.005, 0.03)))

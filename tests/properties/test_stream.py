"""However an answer is cut into chunks, and in whichever shape it ends, it folds to the same facts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from openrouter_otel.facts.response import Answer, read_choices
from openrouter_otel.facts.stream import StreamFacts
from openrouter_otel.facts.usage import Usage, read_usage
from openrouter_otel.record import cost_source

JSON = dict[str, Any]

# --- answers ---
# Amounts as OpenRouter tells them: a number of up to twelve decimals, or its text.
amounts = st.integers(0, 10**14).map(lambda n: Decimal(n).scaleb(-12))
told_amounts = amounts.flatmap(lambda a: st.sampled_from([float(a), str(a)]))
untold: st.SearchStrategy[Any] = st.sampled_from([None, float("nan"), float("inf"), -1, "free", {}])
counts = st.integers(0, 10**7)
texts = st.text(min_size=1, max_size=12)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return strategy | untold


@st.composite
def usages(draw: st.DrawFn) -> JSON:
    """A usage with any of its members told, untold or absent."""
    members = {
        "prompt_tokens": maybe(counts),
        "completion_tokens": maybe(counts),
        "total_tokens": maybe(counts),
        "cost": maybe(told_amounts),
        "is_byok": st.sampled_from([True, False, None]),
        "prompt_tokens_details": st.none() | st.fixed_dictionaries({}, optional={"cached_tokens": maybe(counts)}),
        "completion_tokens_details": st.none()
        | st.fixed_dictionaries({}, optional={"reasoning_tokens": maybe(counts)}),
        "cost_details": st.none()
        | st.fixed_dictionaries({}, optional={"upstream_inference_cost": maybe(told_amounts)}),
    }
    usage: JSON = draw(st.fixed_dictionaries({}, optional=members))
    return usage


class Said(NamedTuple):
    """An answer, before it is cut into chunks."""

    head: JSON
    parts: list[str]
    finish: str
    usage: JSON | None


said = st.builds(
    Said,
    st.fixed_dictionaries({"id": texts, "model": texts, "provider": texts | st.none()}),
    st.lists(st.text(max_size=5), max_size=6),
    st.sampled_from(["stop", "length", "tool_calls", "content_filter"]),
    st.none() | usages(),
)


def whole(answer: Said) -> JSON:
    """The answer in one piece."""
    choice = {"index": 0, "message": {"content": "".join(answer.parts)}, "finish_reason": answer.finish}
    return {**answer.head, "choices": [choice], "usage": answer.usage}


def delta(answer: Said, content: str | None = None, finish: str | None = None, **members: Any) -> JSON:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return {**answer.head, "choices": [choice], **members}


@st.composite
def chunked(draw: st.DrawFn, answer: Said) -> list[Any]:
    """The answer cut up: comments, early usage, one of the three ends, and SDK models or JSON."""
    chunks = [delta(answer, part) for part in answer.parts]
    ends = {
        "A": [delta(answer, "", answer.finish), {**answer.head, "choices": [], "usage": answer.usage}],
        "B": [delta(answer, "", answer.finish), delta(answer, "", answer.finish, usage=answer.usage)],
        "b": [delta(answer, "", answer.finish), delta(answer, "", None, usage=answer.usage)],
        "C": [delta(answer, "", answer.finish, usage=answer.usage)],
    }
    if draw(st.booleans()):
        chunks.insert(0, {**answer.head, "choices": [], "debug": {}})
    if chunks and answer.usage is not None and draw(st.booleans()):
        chunks[-1]["usage"] = {"prompt_tokens": 1, "cost": 99}  # a running figure: the last one counts
    chunks += ends[draw(st.sampled_from(sorted(ends)))]
    if draw(st.booleans()):
        return [ChatCompletionChunk.construct(**chunk) for chunk in chunks]
    return chunks


def fold(chunks: list[Any]) -> StreamFacts:
    stream = StreamFacts()
    for chunk in chunks:
        stream.saw(chunk)
    return stream


# --- what holds for all of them ---
@settings(max_examples=60, deadline=None)
@given(st.data(), said)
def test_any_chunking_in_any_shape_tells_what_the_whole_answer_tells(data: st.DataObject, answer: Said) -> None:
    chunks = data.draw(chunked(answer))

    stream = fold(chunks)

    assert stream.answer() == read_choices(whole(answer))
    assert stream.has_content == any(answer.parts)


@settings(max_examples=60, deadline=None)
@given(st.data(), said)
def test_a_stream_cut_off_anywhere_tells_nothing_that_was_not_said(data: st.DataObject, answer: Said) -> None:
    chunks = data.draw(chunked(answer))
    seen = fold(chunks[: data.draw(st.integers(0, len(chunks)))]).answer()
    full = fold(chunks).answer()

    assert seen.failure is None
    for name in ("id", "model", "provider"):
        assert getattr(seen, name) in (None, getattr(full, name))
    assert seen.finish_reasons in ((), full.finish_reasons)


@settings(max_examples=60, deadline=None)
@given(st.data(), said)
def test_an_error_chunk_is_noticed_wherever_it_comes(data: st.DataObject, answer: Said) -> None:
    chunks = [delta(answer, part) for part in answer.parts]
    error = {"code": 502, "message": "gone", "metadata": {"error_type": "provider_unavailable"}}
    failed = data.draw(
        st.sampled_from(
            [
                delta(answer, "", "error", error=error),
                {**answer.head, "choices": [], "error": error},
                {**answer.head, "choices": [{"index": 0, "delta": {}, "finish_reason": "error", "error": error}]},
            ]
        )
    )
    after: list[JSON] = data.draw(st.sampled_from([[], [{**answer.head, "choices": [], "usage": answer.usage}]]))

    failure = fold([*chunks, failed, *after]).answer().failure

    assert failure is not None
    assert (failure.type, failure.answered) == ("provider_unavailable", True)


@settings(max_examples=60, deadline=None)
@given(usages())
def test_unknown_never_becomes_zero(usage: JSON) -> None:
    facts = read_usage(usage) or Usage()

    def told(value: object) -> bool:
        number = isinstance(value, (int, float, str)) and not isinstance(value, bool) and value != "free"
        return number and 0 <= float(str(value)) < float("inf")

    assert (facts.cost is None) is not told(usage.get("cost"))
    assert (facts.output_tokens is None) is not told(usage.get("completion_tokens"))
    if facts.input_tokens is None:
        assert not told(usage.get("prompt_tokens"))
    upstream = (usage.get("cost_details") or {}).get("upstream_inference_cost")
    assert (facts.provider_cost is None) is not (usage.get("is_byok") is True and told(upstream))
    if facts.cost is None:
        assert cost_source(facts, "ok", None) == "unknown"


@settings(max_examples=60, deadline=None)
@given(usages())
def test_money_is_told_to_the_last_digit(usage: JSON) -> None:
    facts = read_usage(usage)

    if facts is not None and facts.cost is not None:
        assert facts.cost == Decimal(str(usage["cost"]))


members = st.sampled_from(
    ["id", "choices", "usage", "error", "cost", "delta", "metadata", "code", "prompt_tokens", "finish_reason"]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(members, inner, max_size=4), max_leaves=12
)


@settings(max_examples=100, deadline=None)
@given(anything)
def test_no_answer_is_so_odd_that_reading_it_fails(body: object) -> None:
    answer = read_choices(body)

    assert isinstance(answer, Answer)
    assert all(isinstance(reason, str) for reason in answer.finish_reasons)

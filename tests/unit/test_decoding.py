"""Answers decoded piece by piece are what they are as a whole, wherever they are cut."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openrouter_otel.reporting.decoding import NotJsonError, decode

TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(['"result":[', "]},{", "\\", 'ü"'])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(TEXT, part, max_size=3),
    max_leaves=8,
)


def cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def whole(pieces: Iterator[bytes]) -> tuple[Any, list[Any]]:
    return decode(pieces, lambda element: element)


@settings(deadline=None)
@given(
    result=st.lists(JSON, max_size=6),
    before=TEXT,
    after=st.lists(TEXT, max_size=3),
    size=st.integers(1, 40),
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
)
def test_an_answer_in_pieces_of_any_size_is_the_answer(
    result: list[Any], before: str, after: list[str], size: int, indent: int | None, ascii_only: bool
) -> None:
    answer = {"status": before, "data": {"resultType": "matrix", "result": result}, "warnings": after}
    body = json.dumps(answer, indent=indent, ensure_ascii=ascii_only).encode()
    envelope, found = whole(cut(body, size))
    assert found == result
    assert envelope == {**answer, "data": {"resultType": "matrix", "result": []}}


@pytest.mark.parametrize("answer", [{"status": "error", "error": "no"}, [1, 2], {"data": {"result": None}}, 7])
def test_an_answer_without_a_result_is_its_envelope(answer: object) -> None:
    assert whole(cut(json.dumps(answer).encode(), 3)) == (answer, [])


WHOLE = b'{"status":"success","data":{"result":[[1,"2"],{"a":"\xc3\xbc"}]},"warnings":[]}'


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_an_answer_cut_short_is_not_json(length: int) -> None:
    with pytest.raises(NotJsonError):
        whole(cut(WHOLE[:length], 7))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b" <html>no</html>", "HTML"),
        (b"hello", "something that is not JSON"),
        (b"\xff\xfe", "something that is not JSON"),
        (b'{"data":{"result":[1 2]}}', "something that is not JSON"),
        (b'{"data":{"result":[1}}', "something that is not JSON"),
        (b'{"data":{"result":[' + b"[" * 100_000, "something that is not JSON"),
        (b"[" * 100_000, "something that is not JSON"),
    ],
)
def test_what_is_not_json_is_said_to_be(body: bytes, kind: str) -> None:
    with pytest.raises(NotJsonError, match=f"^{kind}$"):
        whole(cut(body, 1000))


def test_a_long_element_is_not_begun_anew_with_every_piece() -> None:
    """A raw series in a thousand pieces costs a few times, not five hundred times, what it costs as a whole."""
    body = json.dumps({"data": {"result": [[[at, "1"] for at in range(100_000)]]}}).encode()
    begun = time.process_time()
    json.loads(body)
    once = time.process_time() - begun
    assert decode(cut(body, len(body) // 1000), len) == ({"data": {"result": []}}, [100_000])
    assert time.process_time() - begun < 100 * once

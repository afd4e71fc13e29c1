"""Decodes an answer of the query API piece by piece: of a long one, only some series are held as JSON. Pure.

The one long part of an answer is the array `result`: its elements are decoded one by one and handed on at once. What is
around it, the envelope, is decoded as a whole, with the array empty.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

T = TypeVar("T")
# Inside a text its quotes would be escaped, so that this finds a key and nothing else.
RESULT: Final = re.compile(r'"result"\s*:\s*\[\s*')
BLANK: Final = re.compile(r"\s*")
DECODER: Final = json.JSONDecoder()


class NotJsonError(ValueError):
    """The answer is no JSON; the text says what it looks like."""


def decode(pieces: Iterator[bytes], shape: Callable[[Any], T]) -> tuple[Any, list[T]]:
    """The envelope, its `result` left empty, and that array's elements, each as `shape` makes it.

    What `shape` raises and what `pieces` raise comes through; NotJsonError if the answer is none.
    """
    unread = _Unread(pieces)
    try:
        while not (opening := RESULT.search(unread.text)):
            if not unread.more():
                return json.loads(unread.text), []
        head = unread.text[: opening.end()]
        unread.at = opening.end()
        found = [shape(element) for element in _elements(unread)]
        while unread.more():
            pass
        return json.loads(head + unread.text[unread.at :]), found
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        kind = "HTML" if unread.text.lstrip()[:1] == "<" else "something that is not JSON"
        raise NotJsonError(kind) from error


class _Unread:
    """Text that grows at its end as pieces arrive, and loses at its beginning what has been read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.text = ""
        self.at = 0

    def more(self) -> bool:
        """Take as much again as is unread, lest a long element begin anew with every piece; False at the end."""
        parts = [self.text[self.at :]]
        wanted, got = len(parts[0]), 0
        for piece in self._pieces:
            parts.append(self._decoder.decode(piece))
            got += len(piece)
            if got > wanted:
                break
        else:
            parts.append(self._decoder.decode(b"", final=True))
        self.text, self.at = "".join(parts), 0
        return got > 0

    def next_mark(self, start: int) -> int | None:
        """Where the first character that is not blank stands; None if it has not arrived."""
        blank = BLANK.match(self.text, start)
        end = blank.end() if blank else start
        return end if end < len(self.text) else None


def _elements(unread: _Unread) -> Iterator[Any]:
    """What an array holds, from behind its bracket to its closing one, where `unread` then stands."""
    while True:
        start = unread.next_mark(unread.at)
        if start is not None and unread.text[start] == "]":
            unread.at = start
            return
        element, mark = _element(unread, start)
        if mark is None:
            if not unread.more():
                raise json.JSONDecodeError("the array does not go on", unread.text, unread.at)
            continue
        unread.at = mark + (unread.text[mark] == ",")
        yield element


def _element(unread: _Unread, start: int | None) -> tuple[Any, int | None]:
    """One element and where the comma or bracket behind it stands; None if that has not arrived: a number may go on."""
    if start is None:
        return None, None
    try:
        element, end = DECODER.raw_decode(unread.text, start)
    except json.JSONDecodeError:
        return None, None
    mark = unread.next_mark(end)
    return element, mark if mark is not None and unread.text[mark] in ",]" else None

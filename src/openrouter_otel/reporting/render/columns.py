"""How much of a terminal a text takes, and how it is made to fit: some characters take two columns, some none. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

CUT: Final = "…"
_UPON: Final = ("Mn", "Me", "Cf")  # they are drawn upon their neighbour, or not at all
_JAMO: Final = range(0x1160, 0x1200)  # vowels and finals of a Korean syllable: its initial has taken the room
_BREAKS: Final = " /-_.:@|,"  # behind these a long name may go on in the next line


def width(text: str) -> int:
    """Columns of a terminal."""
    return len(text) if text.isascii() else sum(map(_width, text))


def padded(text: str, columns: int) -> str:
    """Blanks behind it, as ``str.ljust`` has them where every character takes one column."""
    return text + " " * (columns - width(text))


def cut(text: str, columns: int) -> str:
    """No wider than that; of what is too long the beginning is kept, and a sign says so."""
    return text if width(text) <= columns else _start(text, columns - 1) + CUT


def cut_before(text: str, columns: int) -> str:
    """The same, but the end is kept."""
    return text if width(text) <= columns else CUT + _end(text, columns - 1)


def folded(text: str, columns: int) -> str:
    """At most two lines of so many columns, at least 2; the first ends where a word does.

    Of what is still too long the middle is left out: names that begin alike often end differently.
    """
    if width(text) <= columns:
        return text
    first = _first(text, columns)
    rest = text[len(first) :]
    if width(rest) <= columns:
        return f"{first}\n{rest}"
    return f"{_start(text, columns - 1)}{CUT}\n{_end(text, columns)}"


def _first(text: str, columns: int) -> str:
    """As much as fits, up to a word's end unless that is far from the edge or leaves too much for one more line."""
    whole = _start(text, columns)
    part = whole[: max(map(whole.rfind, _BREAKS)) + 1]
    return part if len(part) > len(whole) // 2 and width(text[len(part) :]) <= columns else whole


def _start(text: str, columns: int) -> str:
    """As much of its beginning as fits, with what is drawn upon the last character."""
    taken = 0
    for place, char in enumerate(text):
        taken += _width(char)
        if taken > columns:
            return text[:place]
    return text


def _end(text: str, columns: int) -> str:
    """As much of its end as fits."""
    taken, place = 0, len(text)
    for char in reversed(text):
        taken += _width(char)
        if taken > columns:
            break
        place -= 1
    while place < len(text) and not _width(text[place]):  # its bearer did not fit
        place += 1
    return text[place:]


def _width(char: str) -> int:
    if unicodedata.category(char) in _UPON or ord(char) in _JAMO:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1

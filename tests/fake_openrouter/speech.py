"""``POST /audio/speech``: sound, and not a word about usage; the generation's id is in a header.

It is charged by the character, so the book calls characters its tokens.
"""

from __future__ import annotations

from typing import Final

from .book import Tokens
from .generation import Ask, Generation
from .operation import Operation
from .scenario import Scenario
from .usage import JSON, Flavour, Usage
from .wire import Media

_TAG: Final = b"ID3\x04\x00\x00\x00\x00\x00\x00"
_FRAME: Final = b"\xff\xfb\x90\x00" + bytes(413)  # one silent frame of MPEG layer III
_TYPES: Final = {"pcm": "audio/pcm"}


def _body(generation: Generation, _: Usage) -> Media:
    wanted = str(generation.ask.body.get("response_format") or "mp3")
    return Media(_TYPES.get(wanted, "audio/mpeg"), _TAG + _FRAME * max(1, generation.tokens.input // 4))


def _characters(ask: Ask, scenario: Scenario) -> Tokens:
    return Tokens(scenario.prompt_tokens if scenario.prompt_tokens >= 0 else len(ask.text), 0)


class _Silent(Flavour):
    def usage(self, generation: Generation) -> Usage:
        return Usage.untold()


def _nothing(_: Generation) -> JSON:
    return {}


OPERATION: Final = Operation("speech", _body, _Silent(_nothing, _nothing), tokens=_characters)

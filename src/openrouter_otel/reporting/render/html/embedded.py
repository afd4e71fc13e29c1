"""Text that goes between ``<script>`` tags as it is: what could end the tag is spelled differently. Pure."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any, Final

from markupsafe import Markup

# HTML looks for these inside a script whatever the script's language says.
ENDINGS: Final = re.compile(r"<(?=/script|script|!--)", re.IGNORECASE)


def data(value: Any) -> Markup:
    """JSON without any character that HTML or JavaScript could take for its own, ASCII only."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


def script(source: str) -> Markup:
    """A program; the only places where it may have these words are its strings."""
    return Markup(ENDINGS.sub(r"\\x3c", source))


def style(source: str) -> Markup:
    """A style sheet of ours."""
    return Markup(source)


def allowed(text: str) -> str:
    """What a content security policy names to let exactly this text run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

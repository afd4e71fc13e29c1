"""``multipart/form-data``, which audio is sent in."""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from typing import Any


def fields(content_type: str, content: bytes) -> dict[str, Any]:
    """The form's fields; a file's value is its bytes."""
    whole = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + content)
    parts = whole.get_payload()
    return dict(_field(part) for part in parts if isinstance(part, Message)) if isinstance(parts, list) else {}


def _field(part: Message) -> tuple[str, Any]:
    name = str(part.get_param("name", "", "content-disposition"))
    value = part.get_payload(decode=True)
    if not isinstance(value, bytes):
        return name, ""
    return name, value if part.get_filename() else value.decode()


def fingerprint(content_type: str, content: bytes) -> bytes:
    """What is the same in every attempt of a call; a client draws a new boundary for each."""
    _, _, boundary = content_type.partition("boundary=")
    return content.replace(boundary.encode(), b"") if boundary else content

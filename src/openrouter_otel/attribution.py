"""Who makes a call: the request's own word, else the block's, else baggage's; known as the privacy setting allows."""

from __future__ import annotations

import hashlib
import hmac

from opentelemetry import baggage

from openrouter_otel.context import current
from openrouter_otel.facts.request import Request
from openrouter_otel.record import Attribution

_BAGGAGE_USERS = ("user.id", "enduser.id")


class Privacy:
    """Lets users be known plainly, by a keyed hash, or not at all; every emitter sees the same.

    Args:
        users: ``plain``, ``hashed`` or ``off``.
        key: of the HMAC-SHA-256.
    """

    def __init__(self, users: str, key: str | None) -> None:
        self._users = users
        self._key = (key or "").encode()

    def known_as(self, user: str | None) -> str | None:
        """The name under which a user appears, None for nobody."""
        if user is None or self._users == "off":
            return None
        if self._users == "hashed":
            return hmac.new(self._key, user.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:16]
        return user


def attribute(request: Request, privacy: Privacy) -> Attribution:
    """Who makes this call: the request's own word, else the block's, else baggage's.

    For tags the block beats the request's metadata.
    """
    block = current()
    user = request.user or block.user or _baggage_user()
    return Attribution(
        privacy.known_as(user),
        request.session or block.session,
        {**request.metadata, **block.tags} if request.metadata else block.tags,
    )


def _baggage_user() -> str | None:
    for name in _BAGGAGE_USERS:
        user = baggage.get_baggage(name)
        if isinstance(user, str) and user:
            return user
    return None

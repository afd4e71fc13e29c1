"""A stand-in OpenRouter: a real HTTP server that answers as documented, fails on request and keeps its own book.

A test or the demo points real ``openai`` clients at it and picks a behaviour per call with a header, so that the
request's body stays what an application would send::

    with FakeOpenRouter() as openrouter:
        client = OpenAI(base_url=openrouter.base_url, api_key="sk-or-v1-test")
        client.chat.completions.create(..., extra_headers={"x-scenario": "byok;fee=0.001"})
        assert openrouter.book.totals().told.charge == Decimal("0.001")

It serves every endpoint of ``operations.py`` and the pages of ``accounts.py``. What a scenario can say is in
``scenario.py``; what the server charged and told is in ``book.py``.
"""

from .accounts import MANAGEMENT_KEY, Terms
from .book import Amounts, Book, Entry, Totals, key_hash
from .catalogue import MODELS
from .errors import SECRETS
from .scenario import PRESETS, Scenario, scenario
from .server import FakeOpenRouter, Received

__all__ = [
    "MANAGEMENT_KEY",
    "MODELS",
    "PRESETS",
    "SECRETS",
    "Amounts",
    "Book",
    "Entry",
    "FakeOpenRouter",
    "Received",
    "Scenario",
    "Terms",
    "Totals",
    "key_hash",
    "scenario",
]

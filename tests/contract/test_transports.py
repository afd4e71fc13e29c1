"""Whatever HTTP library carries them, calls are counted and endings told alike: the same tests over other transports.

The client's own transport is what the tests are written for. Here its place is taken by a client of httpx that the
application made itself (openai 3 has httpx2 of its own and accepts httpx too), and by aiohttp.
"""

# ruff: noqa: F401  # what is imported is collected and run here once more

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import openai
import pytest

from contract.driving import KEY, Caller
from contract.test_endings import (
    test_a_body_that_is_not_read_to_its_end_is_abandoned,
    test_a_call_that_ends_in_several_ways_counts_once,
    test_a_callers_exception_inside_a_with_block_abandons_its_stream,
    test_a_connection_that_is_lost_before_the_answer,
    test_a_connection_that_is_lost_in_the_middle,
    test_a_stream_that_nobody_reads_is_abandoned_where_it_began,
    test_a_task_that_is_cancelled_while_it_reads,
    test_a_task_that_is_cancelled_while_it_waits_for_the_answer,
    test_a_timeout_in_the_middle_of_a_stream,
    test_a_timeout_may_have_been_charged,
    test_an_error_at_any_place_of_a_stream,
    test_an_error_before_a_streams_first_byte,
    test_an_error_in_the_middle_of_lines_that_are_read_by_hand,
    test_breaking_off_and_forgetting_abandons_a_stream,
    test_breaking_off_on_the_finishing_chunk_counts_what_the_stream_had_shown,
    test_closing_a_generator_around_a_stream_abandons_it,
    test_closing_a_stream_abandons_it,
    test_closing_twice_counts_once,
    test_leaving_a_stream_helper_early_abandons_its_stream,
    test_leaving_a_with_block_early_abandons_its_stream,
)
from contract.test_invisible import (
    test_a_chunk_is_handed_on_before_the_next_one_exists,
    test_an_error_is_the_one_that_the_client_would_raise_with_the_same_last_frames,
    test_elapsed_of_a_raw_response_works,
    test_nothing_is_read_before_the_caller_reads,
    test_the_request_on_the_wire_is_the_same_to_the_byte,
)
from contract.test_shapes import test_every_way_to_call_is_counted_once_and_seen_unchanged
from fake_openrouter import FakeOpenRouter
from shapes import VERSION

# Before openai 2 a stream that breaks off is not closed, which aiohttp mentions, with or without us.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")


@dataclass(frozen=True)
class Transport:
    """What carries a client's requests.

    Attributes:
        name: of the library, and the colour.
        client: of the HTTP library.
        asynchronous: whose colour that is.
        since: the first version of the openai client that takes it.
    """

    name: str
    client: Callable[[], Any]
    asynchronous: bool
    since: tuple[int, int] = (1, 40)


ALL: Final = (
    Transport("httpx", lambda: httpx.Client(verify=False), False),
    Transport("httpx-async", lambda: httpx.AsyncClient(verify=False), True),
    Transport("aiohttp", lambda: openai.DefaultAioHttpClient(), True, since=(1, 89)),
)
TRANSPORTS: Final = tuple(transport for transport in ALL if transport.since <= VERSION)


def carried_by(transport: Transport, base_url: str, loop: asyncio.AbstractEventLoop) -> Iterator[Caller]:
    """A client with nothing special but its transport, which is closed in the end."""
    kind: Any = openai.AsyncOpenAI if transport.asynchronous else openai.OpenAI
    client = kind(base_url=base_url, api_key=KEY, max_retries=0, timeout=10, http_client=transport.client())
    made = Caller(client, loop if transport.asynchronous else None)
    yield made
    made.run(closed(made))


async def closed(made: Caller) -> None:
    await made.close(made.client)


@pytest.fixture(scope="module", params=TRANSPORTS, ids=lambda transport: transport.name)
def caller(
    request: pytest.FixtureRequest, _server: FakeOpenRouter, _loop: asyncio.AbstractEventLoop
) -> Iterator[Caller]:
    """In the place of the fixture that the tests above know by this name."""
    yield from carried_by(request.param, _server.base_url, _loop)


@pytest.fixture(scope="module", params=[t for t in TRANSPORTS if t.asynchronous], ids=lambda transport: transport.name)
def async_caller(
    request: pytest.FixtureRequest, _server: FakeOpenRouter, _loop: asyncio.AbstractEventLoop
) -> Iterator[Caller]:
    """Likewise, for what only tasks can do."""
    yield from carried_by(request.param, _server.base_url, _loop)

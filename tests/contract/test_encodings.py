"""However an answer is packed, whoever reads it by hand or as it came is counted like anybody else."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final

import brotli  # type: ignore[import-untyped]  # it has no stubs
import pytest

from contract import canned
from contract.driving import HTTPX, Caller, Measure, asking
from openrouter_otel import names


def raw_deflate(content: bytes) -> bytes:
    """As some servers understand the word."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def twice(content: bytes) -> bytes:
    return bytes(brotli.compress(gzip.compress(content)))


PACKERS: Final[dict[str, tuple[str, Callable[[bytes], bytes]]]] = {
    "plain": ("identity", bytes),
    "gzip": ("GZip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "br": ("br", brotli.compress),
    "gzip in br": ("gzip, br", twice),
    "an unheard-of one": ("x-nothing", bytes),
}


class Pieces(HTTPX.SyncByteStream, HTTPX.AsyncByteStream):  # type: ignore[misc]  # which library depends on the version
    """A body that arrives in small pieces."""

    def __init__(self, content: bytes) -> None:
        self._pieces = (content[start : start + 50] for start in range(0, len(content), 50))

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def packing(caller: Caller, packer: str) -> Caller:
    """A client whose answers come packed."""
    encoding, pack = PACKERS[packer]

    def answer(request: Any) -> Any:
        plain = canned.answer(request)
        headers = {"content-type": plain.headers["content-type"], "content-encoding": encoding}
        return HTTPX.Response(200, headers=headers, stream=Pieces(pack(plain.content)))

    http = HTTPX.AsyncClient if caller.asynchronous else HTTPX.Client
    client = caller.make(
        base_url=canned.BASE_URL, http_client=http(transport=HTTPX.MockTransport(answer), verify=False)
    )
    return Caller(client, caller._loop)


async def typed(caller: Caller, stream: bool) -> None:
    answer = await caller.create(stream=stream)
    if stream:
        await caller.read(answer)


async def lines(caller: Caller, stream: bool) -> None:
    async with caller.entered(caller.chat.with_streaming_response.create(**asking(stream=stream))) as response:
        await caller.read(response.iter_lines())


async def undecoded(caller: Caller, stream: bool) -> None:
    async with caller.entered(caller.chat.with_streaming_response.create(**asking(stream=stream))) as response:
        http = response.http_response
        await caller.read(http.aiter_raw() if caller.asynchronous else http.iter_raw())


async def raw(caller: Caller, stream: bool) -> None:
    answer = (await caller.given(caller.chat.with_raw_response.create(**asking(stream=stream)))).parse()
    if stream:
        await caller.read(answer)


@pytest.mark.parametrize("read", [typed, lines, undecoded, raw])
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("packer", PACKERS)
def test_a_packed_answer_is_counted_however_it_is_read(
    packer: str, streamed: bool, read: Callable[[Caller, bool], Awaitable[None]], caller: Caller, measure: Measure
) -> None:
    telemetry = measure(base_urls=[canned.BASE_URL])

    async def body() -> None:
        await read(packing(caller, packer), streamed)

    caller.run(body())
    assert telemetry.the_only_call()["openrouter.outcome"] == names.OK
    assert telemetry.total(names.COST) == canned.COST
    assert telemetry.total(names.TOKENS) == 30

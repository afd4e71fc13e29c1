"""Writes a Prometheus TSDB block of millions of chunks in seconds: counters that move at most once a chunk.

promtool's text input takes minutes for a hundred million samples. Here every chunk is of one shape, 120 samples of one
value at a steady rhythm, so that numpy can lay out all chunks of a series at once. What is written is an ordinary block
(https://github.com/prometheus/prometheus/tree/main/tsdb/docs/format): XOR chunks, index version 2, checksums and all.
"""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SAMPLES: Final = 120  # of a chunk, as Prometheus makes them
POLYNOMIAL: Final = 0x82F63B78  # Castagnoli, reflected
ULID: Final = "01JDB0000000000000000000{:02d}"
Bytes = NDArray[np.uint8]


def _table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


TABLE: Final = _table()
_PLAIN: Final = [int(entry) for entry in TABLE]


def crc32c_rows(rows: Bytes) -> NDArray[np.uint32]:
    """The checksum of every row."""
    crc = np.full(len(rows), 0xFFFFFFFF, dtype=np.uint32)
    for column in range(rows.shape[1]):
        crc = TABLE[(crc ^ rows[:, column]) & 0xFF] ^ (crc >> np.uint32(8))
    return crc ^ np.uint32(0xFFFFFFFF)


def crc32c(data: bytes) -> bytes:
    """The checksum of one piece, as the index has it."""
    if len(data) > 4096:  # many small steps: fold with numpy what would take Python minutes
        return struct.pack(">I", _long_crc(data))
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _PLAIN[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return struct.pack(">I", crc ^ 0xFFFFFFFF)


def _long_crc(data: bytes) -> int:
    """Pieces side by side, put together by the algebra of zeros."""
    width = 1024
    pad = -len(data) % width
    rows = np.frombuffer(b"\0" * pad + data, dtype=np.uint8).reshape(-1, width)
    crc = np.zeros(len(rows), dtype=np.uint32)  # without the initial value: linear
    for column in range(width):
        crc = TABLE[(crc ^ rows[:, column]) & 0xFF] ^ (crc >> np.uint32(8))
    shift = _zeros(width)
    total = 0
    for one in crc:
        total = _apply(shift, total) ^ int(one)
    start, matrix, length = 0xFFFFFFFF, _zeros(1), len(data)
    while length:
        if length & 1:
            start = _apply(matrix, start)
        matrix = [_apply(matrix, row) for row in matrix]
        length >>= 1
    return total ^ start ^ 0xFFFFFFFF


def _zeros(count: int) -> list[int]:
    """What `count` zero bytes do to each bit of a checksum."""
    columns = []
    for bit in range(32):
        crc = 1 << bit
        for _ in range(count):
            crc = _PLAIN[crc & 0xFF] ^ (crc >> 8)
        columns.append(crc)
    return columns


def _apply(matrix: list[int], value: int) -> int:
    result, bit = 0, 0
    while value:
        if value & 1:
            result ^= matrix[bit]
        value >>= 1
        bit += 1
    return result


def uvarint(value: int) -> bytes:
    """Protobuf's variable length integer."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def varint(value: int) -> bytes:
    """The same with a sign."""
    return uvarint((value << 1) ^ (value >> 63))


@dataclass
class _Written:
    labels: dict[str, str]
    first: int
    chunks: int
    reference: int
    width: int


class Block:
    """A block being written; a context manager.

    Args:
        data: the TSDB's folder.
        number: which of its blocks this is.
        step: ms between two samples.
    """

    def __init__(self, data: Path, number: int, step: int) -> None:
        self.folder = data / ULID.format(number)
        (self.folder / "chunks").mkdir(parents=True)
        self._name = self.folder.name
        self._step = step
        self._file = (self.folder / "chunks" / "000001").open("wb")
        self._file.write(struct.pack(">IB3x", 0x85BD40DD, 1))
        self._place = 8
        self._series: list[_Written] = []

    def __enter__(self) -> Block:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if error is None:
            self._finish()

    @property
    def span(self) -> int:
        """Ms from one chunk's first sample to that of the next."""
        return SAMPLES * self._step

    def add(self, labels: Mapping[str, str], first: int, values: NDArray[np.float64]) -> None:
        """One series: a value per chunk, the first chunk beginning at `first` (ms)."""
        times = first + self.span * np.arange(len(values), dtype=np.int64)
        zigzag = times.astype(np.uint64) << np.uint64(1)
        head = len(uvarint(int(zigzag[0])))
        delta = uvarint(self._step)
        bits = 1 + 2 * (SAMPLES - 2)
        size = 2 + head + 8 + len(delta) + -(-bits // 8)
        rows = np.zeros((len(values), 2 + size + 4), dtype=np.uint8)
        rows[:, 0] = size
        rows[:, 1] = 1  # XOR
        rows[:, 3] = SAMPLES
        for place in range(head):
            last = place == head - 1
            part = (zigzag >> np.uint64(7 * place)) & np.uint64(0x7F)
            rows[:, 4 + place] = part | np.uint64(0 if last else 0x80)
        rows[:, 4 + head : 12 + head] = values.astype(">f8").view(np.uint8).reshape(-1, 8)
        rows[:, 12 + head : 12 + head + len(delta)] = np.frombuffer(delta, dtype=np.uint8)
        rows[:, -4:] = crc32c_rows(rows[:, 1:-4]).astype(">u4").view(np.uint8).reshape(-1, 4)
        self._file.write(rows.tobytes())
        self._series.append(_Written(dict(labels), first, len(values), self._place, rows.shape[1]))
        self._place += rows.size

    def _finish(self) -> None:
        self._series.sort(key=lambda one: sorted(one.labels.items()))
        (self.folder / "tombstones").write_bytes(struct.pack(">IB", 0x0130BA30, 1) + crc32c(b""))
        self._index()
        length = self.span - self._step
        meta: dict[str, Any] = {
            "ulid": self._name,
            "minTime": min(one.first for one in self._series),
            "maxTime": max(one.first + (one.chunks - 1) * self.span + length for one in self._series) + 1,
            "stats": {
                "numSamples": SAMPLES * sum(one.chunks for one in self._series),
                "numSeries": len(self._series),
                "numChunks": sum(one.chunks for one in self._series),
            },
            "compaction": {"level": 1, "sources": [self._name]},
            "version": 1,
        }
        (self.folder / "meta.json").write_text(json.dumps(meta))

    def _index(self) -> None:
        words = {"", *(word for one in self._series for pair in one.labels.items() for word in pair)}
        symbols = {word: place for place, word in enumerate(sorted(words, key=str.encode))}
        with (self.folder / "index").open("wb") as file:
            file.write(struct.pack(">IB", 0xBAAAD700, 2))
            toc = [file.tell()]
            text = b"".join(uvarint(len(word.encode())) + word.encode() for word in symbols)
            file.write(_framed(struct.pack(">I", len(symbols)) + text))
            toc.append(file.tell())
            postings = self._write_series(file, symbols)
            toc += [file.tell(), file.tell()]  # label indices: no reader of today wants them
            file.write(_framed(struct.pack(">I", 0)))
            toc.append(file.tell())
            offsets = []
            for pair in sorted(postings, key=lambda pair: (pair[0].encode(), pair[1].encode())):
                offsets.append((pair, file.tell()))
                refs = postings[pair]
                file.write(_framed(struct.pack(">I", len(refs)) + np.array(refs, dtype=">u4").tobytes()))
                file.write(b"\0" * (-file.tell() % 4))
            toc.append(file.tell())
            rows = [
                b"\2" + b"".join(uvarint(len(word.encode())) + word.encode() for word in pair) + uvarint(offset)
                for pair, offset in offsets
            ]
            file.write(_framed(struct.pack(">I", len(rows)) + b"".join(rows)))
            end = struct.pack(">6Q", *toc)
            file.write(end + crc32c(end))

    def _write_series(self, file: Any, symbols: dict[str, int]) -> dict[tuple[str, str], list[int]]:
        postings: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        length = self.span - self._step
        for one in self._series:
            file.write(b"\0" * (-file.tell() % 16))
            number = file.tell() // 16
            postings["", ""].append(number)
            pairs = sorted(one.labels.items())
            for pair in pairs:
                postings[pair].append(number)
            body = uvarint(len(pairs))
            body += b"".join(uvarint(symbols[name]) + uvarint(symbols[text]) for name, text in pairs)
            body += uvarint(one.chunks) + varint(one.first) + uvarint(length) + uvarint(one.reference)
            body += (uvarint(self._step) + uvarint(length) + varint(one.width)) * (one.chunks - 1)
            file.write(uvarint(len(body)) + body + crc32c(body))
        return postings


def _framed(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body + crc32c(body)

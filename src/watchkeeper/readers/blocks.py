"""Bytes cut into blocks of whole lines or whole CSV records, by what they hold alone.

A record is the same whatever sizes the bytes came in, so it does not matter where they were cut.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from watchkeeper.core.errors import InputError
from watchkeeper.readers.blobs import Blob
from watchkeeper.readers.csv_records import byte_length, quoted_records
from watchkeeper.readers.part_values import Limits

GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
_NOT_FOR_POLARS = (BOM, b"x", b"(", b"\x1f")  # it would take a mark off, and unpack what begins as if packed
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_PIECE = 4 * 1024 * 1024
_SHOWN = 200
_FEED = 0x0A
IN_CACHE = 1 << 16  # bytes looked at in one step: they stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records from byte `start` to `stop`, the first on line `first_line`.

    `too_long` is one line over the limit, of which `data` has the start alone.
    """

    start: int
    stop: int
    first_line: int
    data: bytes
    too_long: bool = False


@dataclass(slots=True)
class _Stream:
    pieces: Iterator[bytes]
    done: bool = False

    def take(self, wanted: int) -> bytes:
        """At least `wanted` bytes where there are as many."""
        got, size = [], 0
        while size < wanted and not self.done:
            piece = next(self.pieces, None)
            self.done = piece is None
            got.append(piece or b"")
            size += len(got[-1])
        return b"".join(got)


def blocks(pieces: Iterable[bytes], limits: Limits, quotes: bool, start: int = 0) -> Iterator[Block]:
    """Blocks of about `limits.chunk_bytes`: of CSV records with `quotes`, else of lines that end with LF."""
    held, line, stream = b"", 1, _Stream(iter(pieces))
    while held or not stream.done:
        held += stream.take(limits.chunk_bytes)
        end = _whole(held, stream.done, limits, quotes)
        if end:
            yield Block(start, start + end, line, held[:end])
            line, start, held = line + line_ends(held[:end], quotes), start + end, held[end:]
        elif _over(held, limits) and not _last_end(held, stream.done, quotes):
            shown, (length, held) = held[:_SHOWN], _skip_line(held, stream, quotes)
            yield Block(start, start + length, line, shown, too_long=True)
            line, start = line + 1, start + length


def line_ends(data: bytes, quotes: bool) -> int:
    """How many lines end in it: with LF, of CSV with CR as well."""
    count = data.count(b"\n")
    return count + data.count(b"\r") - data.count(b"\r\n") if quotes else count


def pieces_of(blob: Blob, limits: Limits, start: int = 0) -> Iterator[bytes]:
    """A blob's bytes in order, some at a time."""
    size, piece = blob.size(), min(_PIECE, limits.chunk_bytes)
    for at in range(start, size, piece):
        yield blob.read(at, min(at + piece, size))


def text_pieces(blob: Blob, limits: Limits) -> Iterator[bytes]:
    """A blob's bytes in order, gzip and byte order mark taken off. Raises InputError for UTF-16."""
    pieces = pieces_of(blob, limits)
    first = next(pieces, b"")
    while len(first) < len(BOM) and (more := next(pieces, b"")):
        first += more
    if first.startswith(GZIP):
        yield from _unmarked(_inflated(_chain(first, pieces), blob.name, limits), blob.name)
    else:
        yield from _unmarked(_chain(first, pieces), blob.name)


def is_gzip(blob: Blob) -> bool:
    """Seen by the first bytes, not by the name."""
    return blob.read(0, min(2, blob.size())) == GZIP


def mark_length(blob: Blob) -> int:
    """The length of the byte order mark, 0 for none. Raises InputError for UTF-16."""
    return len(BOM) - len(_without_mark(blob.read(0, min(len(BOM), blob.size())).ljust(3), blob.name))


def line_series(data: bytes) -> pl.Series:
    """Lines that end with LF, without their ends; what ends with LF has no further line.

    Raises UnicodeDecodeError for bytes that are no UTF-8.
    """
    if data and not data.startswith(_NOT_FOR_POLARS) and b"\x01" not in data and b"\r" not in data:
        try:
            lines = pl.read_csv(
                data, has_header=False, schema={"line": pl.String}, separator="\x01", quote_char=None
            ).to_series()
        except pl.exceptions.PolarsError:  # no UTF-8: decoding it says where
            lines = pl.Series(dtype=pl.String)
        if len(lines) == _feeds(data) + (not data.endswith(b"\n")):
            return lines.fill_null("")
    return pl.Series("line", data.decode().removesuffix("\n").split("\n"), dtype=pl.String)


def _feeds(data: bytes) -> int:
    """What `data.count` of LF is, at more than twice its speed."""
    found = np.frombuffer(data, np.uint8)
    steps = range(0, len(found), IN_CACHE)
    return sum(int(np.count_nonzero(found[at : at + IN_CACHE] == _FEED)) for at in steps)


def _whole(held: bytes, done: bool, limits: Limits, quotes: bool) -> int:
    """Where the last record ends that is surely whole, 0 when none is."""
    end = len(held) if done else _last_end(held, done, quotes)
    if done or not quotes or b'"' not in held[:end]:
        return end
    lines = list(io.StringIO(held[:end].decode(errors="surrogateescape"), newline=""))
    for record in quoted_records(lines, limits.line_bytes, after=len(held) - end):
        if record.open:
            return byte_length("".join(lines[: record.first]))
    return end


def _over(held: bytes, limits: Limits) -> bool:
    return len(held) - held.endswith(b"\r") > limits.line_bytes


def _last_end(data: bytes, done: bool, quotes: bool) -> int:
    """Where the last line ends; a CR at the very end may be half of a CRLF and waits for more."""
    end = data.rfind(b"\n") + 1
    if not quotes:
        return end
    return max(end, data.rfind(b"\r", 0, len(data) if done else max(len(data) - 1, 0)) + 1)


def _skip_line(held: bytes, stream: _Stream, quotes: bool) -> tuple[int, bytes]:
    """The length of the line that `held` begins, its end included, and what was read beyond it."""
    length = 0
    while True:
        end = _first_end(held, stream.done, quotes)
        if end:
            return length + end, held[end:]
        if stream.done:
            return length + len(held), b""
        keep = 1 if held.endswith(b"\r") else 0
        length, held = length + len(held) - keep, held[len(held) - keep :] + stream.take(_PIECE)


def _first_end(data: bytes, done: bool, quotes: bool) -> int:
    feed = data.find(b"\n") + 1
    turn = data.find(b"\r", 0, feed or len(data)) + 1 if quotes else 0
    if not turn or turn == feed - 1:
        return feed
    return 0 if turn == len(data) and not done else turn


def _chain(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _unmarked(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    first = b""
    while len(first) < len(BOM) and (more := next(pieces, b"")):
        first += more
    yield _without_mark(first, name)
    yield from pieces


def _without_mark(data: bytes, name: str) -> bytes:
    if data.startswith(_WIDE):
        raise InputError(f"read {name}: want UTF-8, got UTF-16 (by its byte order mark); convert it first")
    return data.removeprefix(BOM)


def _inflated(pieces: Iterable[bytes], name: str, limits: Limits) -> Iterator[bytes]:
    """What gzip members hold, one after another, never much of it at once."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        for piece in pieces:
            data = piece
            while data:
                if inflater.eof:
                    data = data.lstrip(b"\0")  # zeros may fill up the end
                    if not data:
                        break
                    inflater = zlib.decompressobj(wbits=31)
                if text := inflater.decompress(data, min(_PIECE, limits.chunk_bytes)):
                    yield text
                data = inflater.unconsumed_tail or inflater.unused_data
    except zlib.error as error:
        raise InputError(f"read {name}: the gzip file is damaged: {error}") from None
    if not inflater.eof:
        raise InputError(f"read {name}: the gzip file is cut off; copy it again")

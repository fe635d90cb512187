"""CSV, gzipped or not, as parts.

Lines without a quote are cut at their commas once these were counted; records with quotes are what
Python's csv module makes of them. So nothing is guessed, and a line of another width is a bad one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from watchkeeper.core.errors import InputError
from watchkeeper.readers.blobs import Blob
from watchkeeper.readers.blocks import (
    Block,
    blocks,
    is_gzip,
    line_series,
    mark_length,
    pieces_of,
    text_pieces,
)
from watchkeeper.readers.csv_records import byte_length, quoted_records
from watchkeeper.readers.part_values import (
    JOINED,
    LINE,
    Chunk,
    CsvLayout,
    Limits,
    Part,
    Rejects,
    check_names,
    part_of,
)

_HEADER_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Head:
    """The columns, and where the rows begin: at which byte and on which line."""

    names: tuple[str, ...]
    start: int
    first_line: int


def cut_csv(blob: Blob, layout: CsvLayout, limits: Limits) -> Iterator[Chunk]:
    """Chunks of whole records; a gzip file is one. Raises InputError for a file without columns."""
    size = blob.size()
    if not size:
        raise InputError(f"read {blob.name}: want {_wanted(layout)}, got an empty file")
    if is_gzip(blob):
        yield Chunk(blob, layout, 0, size, 0, limits=limits)
        return
    mark, small = mark_length(blob), replace(limits, chunk_bytes=min(limits.chunk_bytes, _HEADER_BYTES))
    head = _head(blocks(pieces_of(blob, small, mark), small, quotes=True, start=mark), layout, blob.name)
    known = CsvLayout(header=False, names=head.names, joined=layout.joined)
    if size - head.start <= limits.chunk_bytes:
        yield Chunk(blob, known, head.start, size, 0, head.first_line, limits=limits)
        return
    found = blocks(pieces_of(blob, limits, head.start), limits, quotes=True, start=head.start)
    for number, block in enumerate(found):
        line = head.first_line + block.first_line - 1
        yield Chunk(blob, known, block.start, block.stop, number, line, block.too_long, limits)


def load_csv(chunk: Chunk, layout: CsvLayout) -> Iterator[Part]:
    """The chunk's parts; each bad line is with the first part of its block."""
    if layout.names and not layout.header and not is_gzip(chunk.blob):
        data = chunk.blob.read(
            chunk.start, min(chunk.stop, chunk.start + 200) if chunk.too_long else chunk.stop
        )
        block = Block(chunk.start, chunk.stop, chunk.first_line, data, chunk.too_long)
        yield from _parts(chunk, block, _columns(layout.names, layout))
        return
    head, number = None, 0
    for block in blocks(text_pieces(chunk.blob, chunk.limits), chunk.limits, quotes=True):
        if head is None:
            head = _head(iter([block]), layout, chunk.blob.name)
            block = replace(block, data=block.data[head.start :], first_line=head.first_line)
        for part in _parts(chunk, block, _columns(head.names, layout)):
            yield replace(part, number=number)
            number += 1
    if head is None:
        raise InputError(f"read {chunk.blob.name}: want {_wanted(layout)}, got an empty file")


def _wanted(layout: CsvLayout) -> str:
    return "a header line and rows" if layout.header else "rows"


def _head(found: Iterator[Block], layout: CsvLayout, name: str) -> _Head:
    """From the first record that is not blank."""
    for block in found:
        if block.too_long:
            raise InputError(f"read {name}: want a first line within the limit, got {block.stop:,} bytes")
        lines = list(io.StringIO(block.data.decode(errors="surrogateescape"), newline=""))
        reader = csv.reader(lines, strict=True)
        try:
            row = next((row for row in reader if row), None)
        except csv.Error as error:
            raise InputError(f"read {name}, line {reader.line_num}: the first record: {error}") from None
        if row is not None:
            taken = reader.line_num if layout.header else 0
            length = len("".join(lines[:taken]).encode(errors="surrogateescape"))
            names = _names(row, layout, name)
            return _Head(names, block.start + length, block.first_line + taken)
    raise InputError(f"read {name}: want {_wanted(layout)}, got blank lines only")


def _names(row: Sequence[str], layout: CsvLayout, name: str) -> tuple[str, ...]:
    if not layout.header:
        width = len(row) - (len(JOINED) if layout.joined else 0)
        if width < 1:
            raise InputError(
                f"read {name}: want rows with an inference id and a time, got {len(row)} columns"
            )
        names = layout.names or tuple(f"_c{place}" for place in range(width))
    else:
        names = tuple(text or f"_c{place}" for place, text in enumerate(row))
    for text in names:
        if not _is_utf8(text):
            raise InputError(f"read {name}: want a header in UTF-8, got other bytes in column {text!a}")
    check_names(names, name)
    return names


def _columns(names: tuple[str, ...], layout: CsvLayout) -> tuple[str, ...]:
    return (*names, *JOINED) if layout.joined else names


def _parts(chunk: Chunk, block: Block, names: Sequence[str]) -> Iterator[Part]:
    rejects = Rejects(chunk.blob.name)
    frame = _frame(block, names, chunk.limits, rejects)
    if tuple(names[-len(JOINED) :]) == JOINED:
        frame = _of_job(frame, names, rejects)
    first = part_of(chunk, frame.head(chunk.limits.part_rows), rejects)
    yield first
    for start in range(chunk.limits.part_rows, frame.height, chunk.limits.part_rows):
        yield Part(first.name, first.number, frame.slice(start, chunk.limits.part_rows))


def _of_job(frame: pl.DataFrame, names: Sequence[str], rejects: Rejects) -> pl.DataFrame:
    """The rows of a batch transform, those without an id or a time left out."""
    joined, timed = JOINED
    times = frame[timed].str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    fit = times.is_not_null() & (frame[joined] != "")
    for cells in frame.filter(~fit).select(LINE, *names).iter_rows():
        reason = f'want an inference id and a time at the end, got "{cells[-2]}" and "{cells[-1]}"'
        rejects.add(cells[0], reason, ",".join(cells[1:]))
    known = [times.alias(timed), frame[joined].alias("_event_id")]
    return frame.with_columns(known).filter(fit)


def _frame(block: Block, names: Sequence[str], limits: Limits, rejects: Rejects) -> pl.DataFrame:
    if block.too_long:
        rejects.add(block.first_line, f"a line longer than {limits.line_bytes:,} bytes", block.data)
        return _plain(pl.Series(dtype=pl.String), pl.Series(dtype=pl.Int64), names, rejects)
    data = block.data
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        lines = (
            pl.Series(dtype=pl.String) if b'"' in data or len(data) > limits.line_bytes else line_series(data)
        )
    except UnicodeDecodeError:
        lines = pl.Series(dtype=pl.String)
    if lines.is_empty():
        text = block.data.decode(errors="surrogateescape")
        return _careful(text, block.first_line, names, limits, rejects)
    numbers = pl.int_range(block.first_line, block.first_line + len(lines), dtype=pl.Int64, eager=True)
    return _plain(lines, numbers, names, rejects)


def _careful(
    text: str, first_line: int, names: Sequence[str], limits: Limits, rejects: Rejects
) -> pl.DataFrame:
    """Lines with quotes, bytes that are no UTF-8 or of great length, among others."""
    lines = list(io.StringIO(text, newline=""))
    plain: list[int] = []
    rows: list[tuple[object, ...]] = []
    at = 0
    for record in quoted_records(lines, limits.line_bytes):
        plain += range(at, record.first)
        at = record.first + record.count
        raw, where = "".join(lines[record.first : at]), first_line + record.first
        if fault := _fault(raw, limits) or _record_fault(record.fields, len(names), record.count):
            rejects.add(where, fault, raw)
        elif record.fields:
            rows.append((*record.fields, where))
    plain += range(at, len(lines))
    good = []
    for place in plain:
        if fault := _fault(lines[place], limits):
            rejects.add(first_line + place, fault, lines[place])
        else:
            good.append(place)
    frame = _plain(
        pl.Series([lines[place].rstrip("\r\n") for place in good], dtype=pl.String),
        pl.Series([first_line + place for place in good], dtype=pl.Int64),
        names,
        rejects,
    )
    if not rows:
        return frame
    columns = zip(*rows, strict=True)
    found = pl.DataFrame(dict(zip((*names, LINE), columns, strict=True)), schema=_schema(names))
    return pl.concat([frame, found]).sort(LINE)


def _plain(lines: pl.Series, numbers: pl.Series, names: Sequence[str], rejects: Rejects) -> pl.DataFrame:
    """Lines without quotes, cut at their commas; blank ones hold no row."""
    fields = lines.str.count_matches(",", literal=True) + 1
    fit = (fields == len(names)) & (lines != "")
    if not fit.all():
        odd = pl.DataFrame({"n": numbers, "f": fields, "l": lines}).filter(~fit & (lines != ""))
        for number, count, line in odd.iter_rows():
            rejects.add(number, f"want {len(names)} fields, got {count}", line)
        lines, numbers = lines.filter(fit), numbers.filter(fit)
    if len(names) == 1:
        return pl.DataFrame([lines.alias(names[0]), numbers.alias(LINE)])
    cells = lines.str.split_exact(",", len(names) - 1).struct.rename_fields(list(names)).struct.unnest()
    return cells.with_columns(numbers.alias(LINE))


def _schema(names: Sequence[str]) -> dict[str, pl.DataType]:
    return {**dict.fromkeys(names, pl.String()), LINE: pl.Int64()}


def _record_fault(fields: Sequence[str] | str, width: int, lines: int) -> str:
    over = f", over {lines:,} lines" if lines > 1 else ""
    if isinstance(fields, str):
        return f"CSV cannot be read: {fields}{over}"
    return f"want {width} fields, got {len(fields)}{over}" if len(fields) != width else ""


def _fault(line: str, limits: Limits) -> str:
    if 4 * len(line) > limits.line_bytes and byte_length(line.rstrip("\r\n")) > limits.line_bytes:
        return f"a line longer than {limits.line_bytes:,} bytes"
    return "" if _is_utf8(line) else "want UTF-8, got other bytes"


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

"""Capture JSON Lines as parts: one row for each row of a request, matched to the schema's columns by name.

Records that differ in their texts alone are read together (`readers.skeletons`), all others one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import cast

import numpy as np
import polars as pl

from watchkeeper.core.errors import InputError
from watchkeeper.core.windows import Window
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
from watchkeeper.readers.capture_rows import Rows, rows_of, shape_of_record, shape_of_schema
from watchkeeper.readers.json_rows import chunk_block, line_chunks, too_long
from watchkeeper.readers.part_values import (
    LINE,
    OURS,
    TIMES,
    CaptureLayout,
    Chunk,
    ColumnMatch,
    Limits,
    Part,
    Rejects,
    Shape,
    check_names,
    match_columns,
    part_of,
)
from watchkeeper.readers.payloads import Columns
from watchkeeper.readers.records import Sides, folder_version, read_sides
from watchkeeper.readers.skeletons import PLAIN, Alike, alike, plain_lines

OBJECT = "_object"
OUTSIDE = "records of another time"
_META: dict[str, pl.DataType] = {
    OBJECT: pl.Int64(),
    LINE: pl.Int64(),
    "_event_id": pl.String(),
    "_join_id": pl.String(),
    "_time": TIMES,
    "_model_version": pl.Int64(),
    "_row": pl.Int64(),
}
_PROBE_BYTES = 256 * 1024
_MANY_LINES = 1 << 40  # more than an object has


@dataclass(frozen=True, slots=True)
class Reading:
    """How lines are read: which columns, of which time; `schema_version` is that of lines that name none."""

    shape: Shape
    window: Window | None
    schema_version: int


@dataclass(frozen=True, slots=True)
class _Piece:
    chunk: Chunk
    block: Block
    reading: Reading

    @property
    def likeness(self) -> tuple[object, ...]:
        """What pieces that are read together have in common; one of a packed file is like no other."""
        own = (self.chunk.blob.name, self.block.start) if self.chunk.packed else ()
        return (self.reading, *own)


@dataclass(slots=True)
class Gathered:
    """What lines gave, in reading order; the frame has `_object` beside `OURS`."""

    frame: pl.DataFrame
    requests: int = 0
    outside: int = 0
    columns: ColumnMatch = field(default_factory=ColumnMatch)
    bad: list[tuple[int, int, str, str]] = field(default_factory=list)  # object, line, reason, text


def cut_captures(blob: Blob, layout: CaptureLayout, limits: Limits) -> Iterator[Chunk]:
    """Chunks of whole lines; a gzip file is one. Raises InputError for an empty file."""
    size = blob.size()
    if not size:
        raise InputError(f"read {blob.name}: want capture records, got an empty file")
    if is_gzip(blob):
        yield Chunk(blob, layout, 0, size, 0, limits=limits, packed=True)
        return
    start = mark_length(blob)
    shape = layout.shape
    if shape is None and layout.schema is None:
        small = replace(limits, chunk_bytes=min(limits.chunk_bytes, _PROBE_BYTES))
        shape = _first_shape(blocks(pieces_of(blob, small, start), small, quotes=False), blob.name)
    yield from line_chunks(Chunk(blob, replace(layout, shape=shape), start, size, 0, limits=limits))


def load_captures(chunks: Sequence[Chunk]) -> Iterator[Part]:
    """The chunks' parts, of chunks that are read alike together; `name` is then that of the first.

    Bad lines and what was left out are with the first part of theirs.
    """
    number = chunks[0].number
    for _, pieces in groupby(_pieces(chunks), key=lambda piece: piece.likeness):
        for part in _parts(list(pieces)):
            yield replace(part, number=number)
            number += 1


def gather(lines: pl.DataFrame, reading: Reading) -> Gathered:
    """Read lines, given as `_object`, `_line` and `line`; blank ones are no records."""
    groups, rest = alike(lines, reading.schema_version)
    found = Gathered(empty_rows(reading.shape))
    frames = []
    for group in groups:
        frame, doubtful = _together(group, reading, found)
        frames.append(frame)
        rest = pl.concat([rest, doubtful])
    if rest.height:
        frames.append(_singly(rest, reading, found))
    frames = [frame for frame in frames if frame.height]
    if len(frames) == 1:
        found.frame = _in_order(frames[0], reading.shape)
    elif frames:
        together = pl.concat(frames, how="diagonal")
        place = pl.col(OBJECT) * _MANY_LINES + pl.col(LINE)  # one number is sorted faster than two
        together = together.sort(place, maintain_order=True)
        found.frame = _in_order(together, reading.shape)
    found.bad.sort(key=lambda item: item[:2])
    return found


def _together(group: Alike, reading: Reading, found: Gathered) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of records that have one row each by their commas, and the lines that need a closer look."""
    shape, example, frame = reading.shape, group.example, group.frame
    plain = ["_object", LINE, "line"]
    if shape.version is not None and example.schema_version not in (shape.version, 0):
        return empty_rows(shape), frame.select(plain)
    if reading.window is not None:
        inside = (frame["_time"] >= reading.window.start) & (frame["_time"] < reading.window.end)
        if not inside.all():
            found.outside += int((~inside).sum())
            frame = frame.filter(inside)
    many = frame["input"].str.contains("\\", literal=True) | frame["output"].str.contains("\\", literal=True)
    kept, doubtful = [], []
    for several in (False, True):
        chosen = frame if not (several or many.any()) else frame.filter(many if several else ~many)
        rows, left = (_many_rows if several else _single_rows)(chosen, shape)
        kept.append(rows)
        doubtful.append(left.select(plain))
    rows = pl.concat(kept)
    found.requests += int((rows["_row"] == 0).sum())
    cells = [*_cells(rows["input"], shape.inputs), *_cells(rows["output"], shape.outputs)]
    version = pl.lit(example.model_version or None, pl.Int64)
    beside = rows.select(
        OBJECT, LINE, "_event_id", "_join_id", "_time", version.alias("_model_version"), "_row"
    )
    return beside.with_columns(*cells), pl.concat(doubtful)


def _single_rows(records: pl.DataFrame, shape: Shape) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records of one row with that row, and those that are not one row by their commas."""
    fits = _one_row(records["input"], len(shape.inputs)) & _one_row(records["output"], len(shape.outputs))
    rows = records.with_columns(pl.lit(0, pl.Int64).alias("_row"))
    return (rows, records.clear()) if fits.all() else (rows.filter(fits), records.filter(~fits))


def _many_rows(records: pl.DataFrame, shape: Shape) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each row of the records, and those records with a row that does not fit."""
    if not records.height:
        return records.with_columns(pl.lit(0, pl.Int64).alias("_row")), records
    sides = [
        pl.col(side).str.replace_all("\\n", "\n", literal=True).str.strip_suffix("\n").str.split("\n")
        for side in ("input", "output")
    ]
    split = records.with_row_index("_record").with_columns(sides)
    even = split["input"].list.len() == split["output"].list.len()
    rows = split.filter(even).with_columns(
        pl.int_ranges(0, pl.col("input").list.len(), dtype=pl.Int64).alias("_row")
    )
    rows = rows.explode("input", "output", "_row")
    fits = _one_row(rows["input"], len(shape.inputs)) & _one_row(rows["output"], len(shape.outputs))
    unfit = pl.concat([rows.filter(~fits)["_record"], split.filter(~even)["_record"]]).unique()
    doubtful = split["_record"].is_in(unfit.implode())
    good = rows.filter(~rows["_record"].is_in(unfit.implode())).drop("_record")
    return good, records.filter(doubtful)


def _one_row(payloads: pl.Series, width: int) -> pl.Series:
    """Whether payloads without quotes and line ends are one CSV row of so many fields."""
    if not width:
        return payloads != ""
    return (payloads.str.count_matches(",", literal=True) == width - 1) & (payloads != "")


def _cells(payloads: pl.Series, names: tuple[str, ...]) -> list[pl.Series]:
    if len(names) < 2:
        return [payloads.alias(name) for name in names]
    cells = payloads.str.split_exact(",", len(names) - 1).struct.rename_fields(list(names))
    return cells.struct.unnest().get_columns()


def _singly(lines: pl.DataFrame, reading: Reading, found: Gathered) -> pl.DataFrame:
    meta: list[tuple[object, ...]] = []
    columns: Columns = {name: [] for name in reading.shape.order}
    for place, number, line in lines.select(OBJECT, LINE, "line").iter_rows():
        if not line.strip():
            continue
        try:
            sides = read_sides(line.encode(), reading.schema_version)
            if not _inside(sides, reading.window):
                found.outside += 1
                continue
            rows = rows_of(sides, reading.shape)
        except ValueError as error:
            found.bad.append((place, number, str(error), line))
            continue
        _take(rows, columns, len(meta))
        _note(rows, found)
        known = (sides.event_id, sides.join_id, sides.time, sides.model_version or None)
        meta.extend((place, number, *known, row) for row in range(rows.count))
    beside = pl.DataFrame(meta, schema=_META, orient="row")
    series = [
        pl.Series(name, cells + [None] * (len(meta) - len(cells)), dtype=pl.String)
        for name, cells in columns.items()
    ]
    return beside.with_columns(series)


def _inside(sides: Sides, window: Window | None) -> bool:
    """A batch transform's rows have no time; their folder has put them into the window."""
    return window is None or sides.time is None or sides.time in window


def _take(rows: Rows, columns: Columns, height: int) -> None:
    for name, cells in (*rows.columns.items(), *rows.further.items()):
        held = columns.setdefault(name, [])
        if len(held) < height:
            held.extend([None] * (height - len(held)))
        held.extend(cells)


def _note(rows: Rows, found: Gathered) -> None:
    found.requests += 1
    if rows.missing or rows.further:
        found.columns = found.columns.merge(match_columns(rows.missing, tuple(rows.further), ordered=False))


def _pieces(chunks: Iterable[Chunk]) -> Iterator[_Piece]:
    for chunk in chunks:
        layout, empty = cast(CaptureLayout, chunk.layout), True
        for block, shape in _blocks(chunk, layout):
            empty = False
            yield _Piece(chunk, block, Reading(shape, layout.window, folder_version(chunk.blob.name)))
        if empty:
            raise InputError(f"read {chunk.blob.name}: want capture records, got an empty file")


def _blocks(chunk: Chunk, layout: CaptureLayout) -> Iterator[tuple[Block, Shape]]:
    shape = layout.shape or (shape_of_schema(layout.schema) if layout.schema else None)
    found: Iterable[Block]
    if chunk.packed:
        found = blocks(text_pieces(chunk.blob, chunk.limits), chunk.limits, quotes=False)
    else:
        found = [chunk_block(chunk)]
    for block in found:
        if shape is None:
            shape = _first_shape([block], chunk.blob.name)
        yield block, shape or Shape((), ())


def _first_shape(found: Iterable[Block], name: str) -> Shape | None:
    """That of the first record that can be read, None when there is none."""
    for block in found:
        for line in [] if block.too_long else block.data.split(b"\n"):
            if not line.strip():
                continue
            try:
                shape = shape_of_record(read_sides(line, folder_version(name)))
            except ValueError:
                continue
            check_names((*shape.order, *shape.labels), name)
            return shape
    return None


def _parts(pieces: Sequence[_Piece]) -> Iterator[Part]:
    chunk, rejects = pieces[0].chunk, [Rejects(piece.chunk.blob.name) for piece in pieces]
    lines = [_lines(piece, place, rejects[place]) for place, piece in enumerate(pieces)]
    found = gather(pl.concat(lines, rechunk=True), pieces[0].reading)
    for place, number, reason, line in found.bad:
        rejects[place].add(number, reason, line)
    frame, rows = found.frame.drop(OBJECT), chunk.limits.part_rows
    names = chunk.blob.name + (f" and {len(pieces) - 1} more" if len(pieces) > 1 else "")
    check_names([name for name in frame.columns if name not in OURS], names)
    first = replace(
        part_of(chunk, frame.head(rows), *rejects),
        left_out=((found.outside, OUTSIDE),) if found.outside else (),
        columns=found.columns,
        requests=found.requests,
    )
    yield first
    for start in range(rows, frame.height, rows):
        yield Part(first.name, first.number, frame.slice(start, rows))


def _lines(piece: _Piece, place: int, rejects: Rejects) -> pl.DataFrame:
    """The piece's lines with their numbers, those apart that cannot be looked at."""
    block, limits = piece.block, piece.chunk.limits
    if block.too_long:
        rejects.add(block.first_line, too_long(limits), block.data)
        return line_frame(b"", place, block.first_line, rejects).clear()
    lines = line_frame(block.data, place, block.first_line, rejects)
    if len(block.data) <= limits.line_bytes:
        return lines
    long = lines["line"].str.len_bytes() > limits.line_bytes
    for number, line in lines.filter(long).select(LINE, "line").iter_rows():
        rejects.add(number, too_long(limits), line)
    return lines.filter(~long)


def line_frame(data: bytes, place: int, first_line: int, rejects: Rejects) -> pl.DataFrame:
    """Lines as `gather` wants them: of the object at `place`, the first one's number being `first_line`."""
    data = _unix(data)
    try:
        lines = line_series(data)
    except UnicodeDecodeError:
        lines = line_series(_decodable(data, first_line, rejects))
    numbers = pl.int_range(first_line, first_line + len(lines), dtype=pl.Int64, eager=True)
    return _line_frame(data, lines, pl.Series([place], dtype=pl.Int64).new_from_index(0, len(lines)), numbers)


def object_lines(objects: Sequence[bytes], rejects: Sequence[Rejects]) -> pl.DataFrame:
    """The lines of whole objects as `gather` wants them, cut in one go: many small objects are the rule."""
    ended = [data if data.endswith(b"\n") else data + b"\n" for data in map(_unix, objects)]
    together = b"".join(ended)
    try:
        lines = line_series(together)
    except UnicodeDecodeError:
        ended = [_decodable(data, 1, each) for data, each in zip(ended, rejects, strict=True)]
        together = b"".join(ended)
        lines = line_series(together)
    counts = np.array([data.count(b"\n") for data in ended], dtype=np.int64)
    places = np.repeat(np.arange(len(ended)), counts)
    numbers = np.arange(1, counts.sum() + 1) - np.repeat(counts.cumsum() - counts, counts)
    return _line_frame(together, lines, pl.Series(places), pl.Series(numbers))


def _unix(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n") if b"\r" in data else data


def _line_frame(data: bytes, lines: pl.Series, places: pl.Series, numbers: pl.Series) -> pl.DataFrame:
    plain = plain_lines(lines, data).alias(PLAIN)
    return pl.DataFrame([places.alias(OBJECT), numbers.alias(LINE), lines.alias("line"), plain])


def _decodable(data: bytes, first_line: int, rejects: Rejects) -> bytes:
    """The lines with those left blank that are no UTF-8."""
    kept = []
    for number, line in enumerate(data.split(b"\n"), start=first_line):
        try:
            line.decode()
            kept.append(line)
        except UnicodeDecodeError as error:
            rejects.add(number, f"want UTF-8, got byte 0x{line[error.start]:02x}", line)
            kept.append(b"")
    return b"\n".join(kept)


def empty_rows(shape: Shape) -> pl.DataFrame:
    """No rows, with all columns."""
    return pl.DataFrame(schema={**dict.fromkeys(shape.order, pl.String()), **_META})


def _in_order(frame: pl.DataFrame, shape: Shape) -> pl.DataFrame:
    """Not by `select`, which takes a name like `*` or `^a$` for a pattern."""
    known, held = {*shape.order, *_META}, {column.name: column for column in frame.get_columns()}
    names = [*shape.order, *(name for name in held if name not in known), *_META]
    return pl.DataFrame([held[name] for name in names])

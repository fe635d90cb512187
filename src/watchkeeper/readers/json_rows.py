"""Flat JSON objects as parts: a document or JSON Lines, gzipped or not.

A cell is the text that a CSV would hold. An object that is nested, or that has other members than were
wanted, is a bad line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import orjson
import polars as pl

from watchkeeper.core.errors import InputError
from watchkeeper.readers.blobs import Blob
from watchkeeper.readers.blocks import Block, blocks, is_gzip, mark_length, pieces_of, text_pieces
from watchkeeper.readers.part_values import (
    LINE,
    Chunk,
    ColumnMatch,
    JsonLayout,
    Limits,
    Part,
    Rejects,
    check_names,
    match_columns,
    part_of,
)

_PROBE_BYTES = 256 * 1024
_SINGLE = (str, int, float, bool, type(None))
Item = tuple[int, object, bytes]  # line or row number, the value or `Unreadable`, how it was written
Cells = dict[str, list[object]]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands on a line that holds no JSON."""

    reason: str


def cut_json(blob: Blob, layout: JsonLayout, limits: Limits) -> Iterator[Chunk]:
    """Chunks of whole lines; a gzip file and a document are one. Raises InputError for an empty file."""
    size = blob.size()
    if not size:
        raise InputError(f"read {blob.name}: want JSON objects, got an empty file")
    if not layout.lines or is_gzip(blob):
        yield Chunk(blob, layout, 0, size, 0, limits=limits)
        return
    small = replace(limits, chunk_bytes=min(limits.chunk_bytes, _PROBE_BYTES))
    start = mark_length(blob)
    probed = blocks(pieces_of(blob, small, start), small, quotes=False)
    items = (item for block in probed for item in line_items(block, limits))
    known = _known(layout, items, blob.name)
    yield from line_chunks(Chunk(blob, known, start, size, 0, limits=limits))


def line_chunks(whole: Chunk) -> Iterator[Chunk]:
    """A chunk of lines cut to the size wanted; one that is small enough stays as it is, unread."""
    limits = whole.limits
    if whole.stop - whole.start <= limits.chunk_bytes:
        yield whole
        return
    pieces = pieces_of(whole.blob, limits, whole.start)
    for number, block in enumerate(blocks(pieces, limits, quotes=False, start=whole.start)):
        yield replace(
            whole,
            start=block.start,
            stop=block.stop,
            number=number,
            first_line=block.first_line,
            too_long=block.too_long,
        )


def chunk_block(chunk: Chunk) -> Block:
    """The chunk's bytes, of a line over the limit only the start."""
    stop = min(chunk.stop, chunk.start + 200) if chunk.too_long else chunk.stop
    data = chunk.blob.read(chunk.start, stop)
    return Block(chunk.start, chunk.stop, chunk.first_line, data, chunk.too_long)


def load_json(chunk: Chunk, layout: JsonLayout) -> Iterator[Part]:
    """The chunk's parts; each bad line is with the part it would have been in, or the one before."""
    number = chunk.number
    for items, known in _blocks(chunk, layout):
        for part in _parts(items, known, chunk):
            yield replace(part, number=number)
            number += 1
    if number == chunk.number:
        raise InputError(f"read {chunk.blob.name}: want JSON objects, got an empty file")


def line_items(block: Block, limits: Limits) -> Iterator[Item]:
    """What the lines that are not blank hold."""
    if block.too_long:
        yield block.first_line, Unreadable(too_long(limits)), block.data
        return
    for number, line in enumerate(block.data.split(b"\n"), start=block.first_line):
        if not line.strip():
            continue
        if len(line) - line.endswith(b"\r") > limits.line_bytes:
            yield number, Unreadable(too_long(limits)), line
        else:
            yield number, _parsed(line), line


def too_long(limits: Limits) -> str:
    """Why a line is not read."""
    return f"a line longer than {limits.line_bytes:,} bytes"


def text_cells(name: str, values: Sequence[object]) -> pl.Series:
    """Single JSON values as text: `true` and `false`, numbers as Python spells them."""
    if all(value is None or type(value) is str for value in values):
        return pl.Series(name, values, dtype=pl.String)
    return pl.Series(name, [_text(value) for value in values], dtype=pl.String)


@dataclass(slots=True)
class _Rows:
    """Objects while they are gathered: values in the order of the wanted names, further ones by name."""

    layout: JsonLayout
    numbers: list[int] = field(default_factory=list)
    values: list[Sequence[object]] = field(default_factory=list)
    further: Cells = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    wanted: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.wanted = frozenset(self.layout.names)

    def add(self, number: int, item: object) -> str:
        """Take an object in, or say what is wrong with it."""
        if not isinstance(item, dict):
            return f"want a JSON object, got {_kind(item)}"
        names = self.layout.names
        values: Sequence[object] = tuple(item.values())
        if not all(isinstance(value, _SINGLE) for value in values):
            name = next(name for name, value in item.items() if not isinstance(value, _SINGLE))
            return f'member "{name}": want a text, a number, true, false or null, got {_kind(item[name])}'
        if tuple(item) != names:
            missing = [name for name in names if name not in item]
            extra = [name for name in item if name not in self.wanted]
            if self.layout.exact and (missing or extra):
                return _ragged(missing, extra)
            self._take_further(item, extra)
            self.absent.update(missing)
            values = [item.get(name) for name in names]
        self.numbers.append(number)
        self.values.append(values)
        return ""

    def _take_further(self, item: dict[str, object], extra: Sequence[str]) -> None:
        for name in extra:
            cells = self.further.setdefault(name, [])
            cells.extend([None] * (len(self.numbers) - len(cells)))
            cells.append(item[name])

    def frame(self, name: str) -> tuple[pl.DataFrame, ColumnMatch]:
        names, height = self.layout.names, len(self.numbers)
        columns = zip(*self.values, strict=True) if height else iter([()] * len(names))
        series = [text_cells(name, cells) for name, cells in zip(names, columns, strict=True)]
        for extra, cells in self.further.items():
            series.append(text_cells(extra, [*cells, *[None] * (height - len(cells))]))
        check_names([each.name for each in series], name)
        missing = [wanted for wanted in names if wanted in self.absent]
        match = match_columns(missing, list(self.further), ordered=False)
        return pl.DataFrame([*series, pl.Series(LINE, self.numbers, dtype=pl.Int64)]), match


def _parts(items: Iterable[Item], layout: JsonLayout, chunk: Chunk) -> Iterator[Part]:
    """At least one."""
    rows, rejects, waiting = _Rows(layout), Rejects(chunk.blob.name), True
    for number, value, raw in items:
        if fault := value.reason if isinstance(value, Unreadable) else rows.add(number, value):
            rejects.add(number, fault, raw or orjson.dumps(value))
        waiting = True
        if len(rows.numbers) == chunk.limits.part_rows:
            yield _part(chunk, rows, rejects)
            rows, rejects, waiting = _Rows(layout), Rejects(chunk.blob.name), False
    if waiting:
        yield _part(chunk, rows, rejects)


def _part(chunk: Chunk, rows: _Rows, rejects: Rejects) -> Part:
    frame, match = rows.frame(chunk.blob.name)
    return replace(part_of(chunk, frame, rejects), columns=match)


def _blocks(chunk: Chunk, layout: JsonLayout) -> Iterator[tuple[Iterable[Item], JsonLayout]]:
    """What the chunk holds, block by block, with the layout that fits it."""
    if not layout.lines:
        rows = _document(chunk)
        items: list[Item] = [(number, row, b"") for number, row in enumerate(rows, start=1)]
        yield items, _known(layout, items, chunk.blob.name)
        return
    if not is_gzip(chunk.blob):
        yield line_items(chunk_block(chunk), chunk.limits), layout
        return
    for block in blocks(text_pieces(chunk.blob, chunk.limits), chunk.limits, quotes=False):
        layout = _known(layout, line_items(block, chunk.limits), chunk.blob.name)
        yield line_items(block, chunk.limits), layout


def _document(chunk: Chunk) -> list[object]:
    data, limit = bytearray(), chunk.limits.document_bytes
    for piece in text_pieces(chunk.blob, chunk.limits):
        data += piece
        if len(data) > limit:
            raise InputError(
                f"read {chunk.blob.name}: want a JSON document of at most {limit:,} bytes, got more; "
                "write it as JSON Lines, which may be of any size"
            )
    try:
        body: object = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InputError(f"read {chunk.blob.name}: want a JSON document: {error}") from None
    rows = body.get("instances") if isinstance(body, dict) else body
    if not isinstance(rows, list):
        raise InputError(
            f'read {chunk.blob.name}: want a list of objects, or an object with a list under "instances", '
            f"got {_kind(body)}"
        )
    return rows


def _known(layout: JsonLayout, items: Iterable[Item], name: str) -> JsonLayout:
    """The layout with the members of the first object that can be used, where none are named."""
    if layout.names:
        return layout
    for _, value, _ in items:
        if isinstance(value, dict) and value and all(isinstance(each, _SINGLE) for each in value.values()):
            check_names(tuple(value), name)
            return replace(layout, names=tuple(value), exact=True)
    return layout


def _parsed(line: bytes) -> object:
    try:
        found: object = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Unreadable(f"want the line to be JSON: {error}")
    return found


def _ragged(missing: Sequence[str], extra: Sequence[str]) -> str:
    faults = [f"member {', '.join(map(_quoted, missing))} is missing"] if missing else []
    if extra:
        faults.append(f"member {', '.join(map(_quoted, extra))} is not expected")
    return "; ".join(faults)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value) if not isinstance(value, bool) else "true" if value else "false"


def _kind(value: object) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return "a text"
        case bool():
            return "true or false"
        case None:
            return "null"
    return "a number"

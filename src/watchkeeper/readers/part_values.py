"""What reading is made of: layouts, chunks, parts. `readers.parts` has the functions."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Schema
from watchkeeper.core.windows import Window
from watchkeeper.readers.blobs import Blob
from watchkeeper.readers.records import BadLine, bad_line

PART_ROWS = 65_536
SAMPLES = 20  # bad lines shown of each part
LINE = "_line"
JOINED = ("_join_id", "_time")
TIMES = pl.Datetime("us", "UTC")
OURS = frozenset({LINE, "_event_id", "_join_id", "_time", "_model_version", "_row"})


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """Delimited text, gzipped or not. Without a header the columns have `names`, or `_c0`, `_c1`, …

    The rows of a batch transform have two more columns at their end where they are `joined`: each row's
    inference id, and when the job started.
    """

    header: bool = True
    names: tuple[str, ...] = ()
    joined: bool = False


@dataclass(frozen=True, slots=True)
class ParquetLayout:
    """Parquet, which says itself what it holds."""


@dataclass(frozen=True, slots=True)
class JsonLayout:
    """Flat JSON objects: one on each line, or a document that is a list of them or has one as `instances`.

    Without `names` the first object says which members every other wants; one with others is a bad line.
    With `names`, and unless they are `exact`, a member that is missing is null and a further one is a
    column of its own.
    """

    lines: bool
    names: tuple[str, ...] = ()
    exact: bool = False


@dataclass(frozen=True, slots=True)
class CaptureLayout:
    """Capture JSON Lines, merged ones included. With a window, only the records inside it.

    Without a schema the columns are the outputs' and then the inputs' (contract 3.2): those of the
    first record, by name where it has names and `_c0`, `_c1`, … where it has none.
    """

    schema: Schema | None = None
    window: Window | None = None
    shape: Shape | None = None  # filled in by `cut`


Layout = CsvLayout | ParquetLayout | JsonLayout | CaptureLayout


@dataclass(frozen=True, slots=True)
class Shape:
    """Which columns the sides of a capture record fill, each in the order of its payload.

    `order` is the frame's. `version` is the schema's, None where records of any version fit. `exact` makes
    a record bad that has other members than these, else what is missing is null and what is further a column.
    """

    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    labels: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    version: int | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read at once: bytes of a chunk, a line or record, a JSON document; rows of a part."""

    chunk_bytes: int = 8 * 1024 * 1024
    line_bytes: int = 64 * 1024 * 1024
    document_bytes: int = 512 * 1024 * 1024
    part_rows: int = PART_ROWS


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one worker reads: the bytes (of Parquet: the rows) from `start` to `stop` of a blob.

    `number` counts a blob's chunks from 0, `first_line` its lines from 1. `too_long` is a single
    line over the limit, which is not read; `packed` is a whole gzip file of captures.
    """

    blob: Blob
    layout: Layout
    start: int
    stop: int
    number: int
    first_line: int = 1
    too_long: bool = False
    limits: Limits = field(default_factory=Limits)
    packed: bool = False


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """How the columns that came differ from those that were wanted.

    `renamed` pairs a missing column with the extra one most like it: a guess, to be shown as one.
    `reordered` is meant for columns in order only; JSON members have none.
    """

    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    reordered: bool = False

    def merge(self, other: ColumnMatch) -> ColumnMatch:
        """What either of two parts says."""
        return ColumnMatch(
            tuple(dict.fromkeys((*self.missing, *other.missing))),
            tuple(dict.fromkeys((*self.extra, *other.extra))),
            tuple(dict.fromkeys((*self.renamed, *other.renamed))),
            self.reordered or other.reordered,
        )


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a file, at most `Limits.part_rows` where the format allows, in reading order.

    `frame` has the data columns, text or typed, and those of `OURS` that are known, `_line` always.
    `bad` are the first of the `bad_count` lines that could not be used; `quarantine` holds them all, as
    they were, each with a line end (of a line over the limit only its start). `left_out` counts reasons
    for rows and records not being there; `requests` the records the frame is made of, 0 where there are none.
    """

    name: str
    number: int
    frame: pl.DataFrame
    bad: tuple[BadLine, ...] = ()
    bad_count: int = 0
    left_out: tuple[tuple[int, str], ...] = ()
    columns: ColumnMatch = ColumnMatch()
    quarantine: bytes = b""
    requests: int = 0


@dataclass(slots=True)
class Rejects:
    """Bad lines while they are gathered."""

    name: str
    found: list[tuple[int, str, bytes]] = field(default_factory=list)

    def add(self, line: int, reason: str, text: bytes | str) -> None:
        raw = text.encode(errors="surrogateescape") if isinstance(text, str) else text
        self.found.append((line, reason, raw))

    def all(self) -> tuple[BadLine, ...]:
        return tuple(bad_line(self.name, *item) for item in sorted(self.found, key=lambda item: item[0]))

    def quarantine(self) -> bytes:
        lines = (text.rstrip(b"\r\n") + b"\n" for _, _, text in sorted(self.found, key=lambda i: i[0]))
        return b"".join(lines)


def part_of(chunk: Chunk, frame: pl.DataFrame, *rejects: Rejects) -> Part:
    """A part of rows and bad lines alone, those of each file apart."""
    return Part(
        chunk.blob.name,
        chunk.number,
        frame,
        tuple(line for each in rejects if each.found for line in each.all())[:SAMPLES],
        sum(len(each.found) for each in rejects),
        quarantine=b"".join(each.quarantine() for each in rejects),
    )


def match_columns(wanted: Sequence[str], got: Sequence[str], ordered: bool = True) -> ColumnMatch:
    """Tell missing, extra, renamed and reordered columns apart.

    >>> match_columns(["town", "area", "storey"], ["area", "town", "story"])
    ColumnMatch(missing=('storey',), extra=('story',), renamed=(('storey', 'story'),), reordered=True)
    """
    here, there = set(got), set(wanted)
    missing = tuple(name for name in wanted if name not in here)
    extra = tuple(name for name in got if name not in there)
    left, renamed = list(extra), []
    for name in missing:
        if close := difflib.get_close_matches(name, left, n=1):
            renamed.append((name, close[0]))
            left.remove(close[0])
    common = [name for name in got if name in there]
    reordered = ordered and common != [name for name in wanted if name in here]
    return ColumnMatch(missing, extra, tuple(renamed), reordered)


def check_names(names: Sequence[str], name: str) -> None:
    """Raises InputError for a name that two columns have, or that is one of our own."""
    seen: set[str] = set()
    twice = tuple(dict.fromkeys(each for each in names if each in seen or seen.add(each)))  # type: ignore[func-returns-value]
    if twice:
        shown = ", ".join(f'"{each}"' for each in twice)
        raise InputError(f"read {name}: want each column's name once, got {shown} more than once")
    if taken := [each for each in names if each in OURS]:
        raise InputError(
            f'read {name}: the column name "{taken[0]}" is one Watchkeeper uses itself; want another'
        )


def data_columns(frame: pl.DataFrame) -> list[str]:
    """The columns that are not ours."""
    return [name for name in frame.columns if name not in OURS]

"""Rows that a record preprocessor makes of records, as a data set of parts (contract 8.7)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from watchkeeper.app.container.inputs import NoData, captured_lines, lines_of
from watchkeeper.app.container.script_child import CAPTURE, OBJECT, TEXT
from watchkeeper.app.container.scripts import PREPROCESSOR, Record, Script, answers
from watchkeeper.app.container.settings import Format, Job
from watchkeeper.app.files.profiling import DataSet
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.readers.blobs import Blob, FileBlob
from watchkeeper.readers.blocks import blocks, text_pieces
from watchkeeper.readers.capture_rows import rows_of, shape_of_record
from watchkeeper.readers.part_values import JsonLayout, Limits, ParquetLayout, data_columns
from watchkeeper.readers.parts import cut, load
from watchkeeper.readers.records import read_sides

ROWS = "rows.jsonl"
_POSITION = re.compile(r"_c\d+")
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Made:
    """Rows that were written, in order, and their columns; `records` were asked about."""

    path: Path
    names: tuple[str, ...]
    rows: int
    records: int


def preprocessed(
    job: Job, blobs: Sequence[Blob], work: Path, baseline: Sequence[str]
) -> tuple[DataSet, Made]:
    """Run the preprocessor over every record; its rows lie in `work`, columns ordered by name.

    Columns of which the baseline knows none are told by position. Raises InputError for what
    `scripts.answers` does, and NoData when no row was made.
    """
    if job.preprocessor is None:
        raise ValueError("run a preprocessor: want a script, got none")
    script = Script(job.preprocessor, job.time_limit)
    return _as_data(_write(_made(script, records_of(job, blobs)), work / ROWS), baseline)


def selected(job: Job, blobs: Sequence[Blob], work: Path, baseline: Sequence[str]) -> tuple[DataSet, Made]:
    """As `preprocessed`, with the sides of records that `captureIndexNames` asks for and no script."""
    found = ((record, _same(record, job.format.sides)) for record in _captures(job, blobs))
    return _as_data(_write(found, work / ROWS), baseline)


def records_of(job: Job, blobs: Sequence[Blob]) -> Iterator[Record]:
    """What the script is asked about: captured records, lines of CSV as text, JSON objects, Parquet rows."""
    match job.format.kind:
        case Format.CSV:
            return _csv_records(blobs, job.format.header)
        case Format.JSON if job.format.lines:
            return _json_lines(blobs)
        case Format.JSON:
            return _json_documents(blobs)
        case Format.PARQUET:
            return _table_rows(blobs)
    return _captures(job, blobs)


def _made(script: Script, records: Iterable[Record]) -> Iterator[tuple[Record, list[Row]]]:
    for record, answer in answers(script, records):
        yield record, _same(record, ()) if answer.get("same") else answer["rows"]


def _write(found: Iterable[tuple[Record, list[Row]]], path: Path) -> Made:
    names: dict[str, None] = {}
    rows = records = 0
    try:
        with path.open("wb") as file:
            for _, made in found:
                records += 1
                rows += len(made)
                for row in made:
                    names.update(dict.fromkeys(row))
                    file.write(orjson.dumps(row) + b"\n")
    except OSError as error:
        raise PlatformError(f"write rows to {path}: {error.strerror or error}", retryable=True) from error
    return Made(path, tuple(sorted(names, key=_place)), rows, records)


def _place(name: str) -> tuple[int, str]:
    """By key, but `_c10` after `_c9`."""
    return (int(name[2:]), name) if _POSITION.fullmatch(name) else (0, name)


def _as_data(made: Made, baseline: Sequence[str]) -> tuple[DataSet, Made]:
    if not made.rows:
        raise NoData
    if baseline and not set(made.names) & set(baseline):
        made = _renamed(made, dict(zip(made.names, baseline, strict=False)))
    layout = JsonLayout(lines=True, names=made.names)
    return DataSet("preprocessed records", (FileBlob(made.path, ROWS),), layout), made


def _renamed(made: Made, names: dict[str, str]) -> Made:
    path = made.path.with_name(f"named-{made.path.name}")
    with made.path.open("rb") as source, path.open("wb") as file:
        for line in source:
            row: Row = orjson.loads(line)
            file.write(orjson.dumps({names.get(name, name): value for name, value in row.items()}) + b"\n")
    made.path.unlink()
    return replace(made, path=path, names=tuple(names.get(name, name) for name in made.names))


def _same(record: Record, sides: Sequence[str]) -> list[Row]:
    """The rows of a record that a script gave back as it was, or of some of its sides."""
    if record.kind == TEXT:
        cells = next(csv.reader([orjson.loads(record.body)]), [])
        names = record.names or tuple(f"_c{place}" for place in range(len(cells)))
        return [dict(zip(names, (cell or None for cell in cells), strict=False))]
    if record.kind == OBJECT:
        return [orjson.loads(record.body)]
    try:
        found = read_sides(record.body, 0)
        if sides:
            found = replace(
                found,
                input=found.input if "endpointInput" in sides else None,
                output=found.output if "endpointOutput" in sides else None,
            )
        rows = rows_of(found, shape_of_record(found))
    except ValueError as error:
        raise InputError(f"{PREPROCESSOR} {record.where} came back as it was: {error}") from None
    columns = {**rows.columns, **rows.further}
    return [{name: cells[number] for name, cells in columns.items()} for number in range(rows.count)]


def _captures(job: Job, blobs: Iterable[Blob]) -> Iterator[Record]:
    for line in captured_lines(blobs, job.window):
        yield Record(line.where, CAPTURE, line.text.rstrip(b"\r"))


def _csv_records(blobs: Iterable[Blob], header: bool) -> Iterator[Record]:
    """Each record as the text it stands as, the header left out; a quoted field may hold line ends."""
    limits = Limits()
    for blob in blobs:
        names: tuple[str, ...] | None = None if header else ()
        for block in blocks(text_pieces(blob, limits), limits, quotes=True):
            lines = list(io.StringIO(block.data.decode(errors="replace"), newline=""))
            reader, before = csv.reader(lines), 0
            for cells in reader:
                text, number = "".join(lines[before : reader.line_num]), block.first_line + before
                before = reader.line_num
                if not cells:
                    continue
                if names is None:
                    names = tuple(cells)
                    continue
                yield Record(f"{blob.name}:{number}", TEXT, orjson.dumps(text.rstrip("\r\n")), names)


def _json_lines(blobs: Iterable[Blob]) -> Iterator[Record]:
    for blob in blobs:
        for number, line in lines_of(blob):
            try:
                yield Record(f"{blob.name}:{number}", OBJECT, orjson.dumps(orjson.loads(line)))
            except orjson.JSONDecodeError as error:
                raise InputError(f"read {blob.name}:{number}: want the line to be JSON: {error}") from None


def _json_documents(blobs: Iterable[Blob]) -> Iterator[Record]:
    limits = Limits()
    for blob in blobs:
        try:
            body = orjson.loads(b"".join(text_pieces(blob, limits)))
        except orjson.JSONDecodeError as error:
            raise InputError(f"read {blob.name}: want a JSON document: {error}") from None
        listed = body.get("instances", [body]) if isinstance(body, dict) else body
        for number, item in enumerate(listed if isinstance(listed, list) else [listed], start=1):
            yield Record(f"{blob.name}:{number}", OBJECT, orjson.dumps(item))


def _table_rows(blobs: Iterable[Blob]) -> Iterator[Record]:
    for blob in blobs:
        number = 0
        for chunk in cut(blob, ParquetLayout()):
            for part in load(chunk):
                for row in part.frame.select(data_columns(part.frame)).iter_rows(named=True):
                    number += 1
                    yield Record(f"{blob.name}:{number}", OBJECT, orjson.dumps(row))

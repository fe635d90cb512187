"""Where records are imported from: capture files, what a batch transform wrote, and tables."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from watchkeeper.app.captures.files import capture_data, files_below, is_capture
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.schemas import schema
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Actor, CaptureRecord, Payload, Schema
from watchkeeper.core.windows import month_start, parse_utc
from watchkeeper.readers.blobs import BytesBlob, FileBlob
from watchkeeper.readers.capture_rows import shape_of_schema
from watchkeeper.readers.manifests import is_manifest, manifest_base, manifest_blobs
from watchkeeper.readers.parts import LINE, CaptureLayout, CsvLayout, Layout, Part, cut, layout_of, load
from watchkeeper.readers.records import BadLine, read_capture_lines
from watchkeeper.readers.table_files import text_table

DOING = "import captures"
NAMESPACE = uuid.UUID("6f9c2b1e-6b7c-5c40-8f43-0d9f6ad20c11")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a table has what a record needs; `names` maps a schema's column to the table's name for it."""

    time: str = "time"
    prediction: str = ""
    id: str = ""
    names: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CaptureOrder:
    """Whose records they are, and by which model version where they do not say."""

    environment: str
    actor: Actor
    model_version: int | None = None
    columns: Columns = Columns()
    dry_run: bool = False


def source_files(source: Path) -> list[Path]:
    """A file, all of a folder's, or those that a batch transform's manifest names."""
    named = FileBlob(source, source.as_posix())
    if source.is_file() and is_manifest(named):
        return [Path(blob.name) for blob in manifest_blobs(named, manifest_base(source))]
    return files_below(source, DOING)


def records_of(target: Target, file: Path, order: CaptureOrder) -> Iterator[CaptureRecord]:
    """A file's records. Raises InputError for a line that is none, and where no version is named."""
    data = capture_data(file, DOING)
    if is_capture(data):
        return _of_lines(target, file, data, order)
    version = order.model_version
    if version is None:
        raise InputError(f"{DOING} {file}: rows do not say which model version answered: want --model")
    own = schema(target.store, catalogue(target.store).version(version).schema_version)
    blob = BytesBlob(file.as_posix(), data)
    if data and (layout := _job_layout(blob, own)):
        return _of_job(blob, layout, version, own)
    return _of_table(file, data, order.columns, version, own)


def _of_lines(target: Target, file: Path, data: bytes, order: CaptureOrder) -> Iterator[CaptureRecord]:
    """Records as they are, each under its own version or the order's, and its version's schema."""
    speaks = {model.version: model.schema_version for model in catalogue(target.store).versions}
    for number, item in read_capture_lines(file.as_posix(), data):
        if isinstance(item, BadLine):
            raise InputError(f"{DOING} {file}, line {number}: {item.reason}")
        version = item.model_version or order.model_version
        if version not in speaks:
            got = f"model version {version}" if version else "none in the record and none by --model"
            known = ", ".join(map(str, speaks)) or "none yet"
            raise InputError(f"{DOING} {file}, line {number}: want a version on record ({known}), got {got}")
        yield replace(item, model_version=version, schema_version=speaks[version])


def _job_layout(blob: BytesBlob, own: Schema) -> Layout | None:
    """How to read what a batch transform wrote; None for any other file."""
    match layout_of(blob):
        case CsvLayout(joined=True):
            names = (*(column.name for column in own.inputs), own.prediction.name)
            return CsvLayout(header=False, names=names, joined=True)
        case CaptureLayout():
            return CaptureLayout(own, shape=shape_of_schema(own, exact=True))
    return None


def _of_job(blob: BytesBlob, layout: Layout, version: int, own: Schema) -> Iterator[CaptureRecord]:
    """One record a row, under the inference id and the time that the job gave it."""
    made_of, names = digest(blob.data), [column.name for column in own.inputs]
    wanted = [*names, own.prediction.name, LINE, "_join_id", "_time"]
    for chunk in cut(blob, layout):
        for part in load(chunk):
            _refuse_unfit(part)
            rows = pl.DataFrame([part.frame[name] for name in wanted])  # `select` takes `*` for a pattern
            for *cells, said, line, known, time in rows.iter_rows():
                if not said:
                    raise InputError(f"{DOING} {blob.name}, line {line}: want an answer, got none")
                yield _record(cells, said, own, version, (f"{made_of}/{line}", known, time))


def _refuse_unfit(part: Part) -> None:
    for line in part.bad[:1]:
        raise InputError(f"{DOING} {line.key}, line {line.line_number}: {line.reason}")
    if part.columns.missing:
        raise InputError(f"{DOING} {part.name}: some rows lack {', '.join(part.columns.missing)}")


def _of_table(
    file: Path, data: bytes, columns: Columns, version: int, own: Schema
) -> Iterator[CaptureRecord]:
    """One record a row; a row without an id gets one that is the same whenever the file is read."""
    frame = text_table(data, file, DOING)
    names = {column.name: (columns.names or {}).get(column.name, column.name) for column in own.inputs}
    answer = columns.prediction or own.prediction.name
    wanted = [columns.time, answer, *([columns.id] if columns.id else []), *names.values()]
    if missing := [name for name in wanted if name not in frame.columns]:
        raise InputError(f"{DOING} {file}: want columns {', '.join(wanted)}; missing: {', '.join(missing)}")
    made_of = digest(data)
    cells = frame.select(list(names.values())).rows()
    answers, times = frame[answer].to_list(), frame[columns.time].to_list()
    ids = frame[columns.id].to_list() if columns.id else [None] * frame.height
    for row, (values, said, at, known) in enumerate(zip(cells, answers, times, ids, strict=True), start=1):
        if said is None or not str(said).strip():
            raise InputError(f'{DOING} {file}, row {row}: want an answer in column "{answer}", got none')
        time = _time(at, f'{DOING} {file}, row {row}, column "{columns.time}"')
        yield _record(values, said, own, version, (f"{made_of}/{row}", known, time))


def _record(
    cells: Sequence[str | None], said: str, own: Schema, version: int, of: tuple[str, str | None, datetime]
) -> CaptureRecord:
    """A row as a request of its own; `of` says which row of what, its inference id and its time."""
    row, inference_id, time = of
    return CaptureRecord(
        event_id=str(uuid.uuid5(NAMESPACE, row)),
        inference_id=inference_id or None,
        time=time,
        model_version=version,
        schema_version=own.version,
        input=Payload(_csv(cells), "CSV", "text/csv"),
        output=Payload(_csv((said,)), "CSV", "text/csv"),
    )


def _time(text: str | None, where: str) -> datetime:
    """A time with a zone; a day or a month counts as its beginning."""
    try:
        match len(text or ""):
            case 7:
                return month_start(str(text))
            case 10:
                return parse_utc(f"{text}T00:00:00Z")
        return parse_utc(text or "")
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None


def _csv(values: Iterable[str | None]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([value if value is not None else "" for value in values])
    return text.getvalue()

"""Bring in what a model was asked and answered elsewhere: capture files, or tables with a row a request."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from watchkeeper.app.capture_files import capture_data, files_below, is_capture
from watchkeeper.app.models import catalogue
from watchkeeper.app.schemas import schema
from watchkeeper.app.table_files import text_table
from watchkeeper.app.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Actor, CaptureRecord, Payload, Progress
from watchkeeper.core.windows import Window, month_start, parse_utc, utc_text
from watchkeeper.readers.captures import read_captures
from watchkeeper.readers.records import BadLine, read_capture_lines
from watchkeeper.render.records import CaptureFolder, capture_key, capture_line

IMPORTED = "AllTraffic"
_DOING = "import captures"
_SHOWN = 3  # bad lines that a refusal names
_NAMESPACE = uuid.UUID("6f9c2b1e-6b7c-5c40-8f43-0d9f6ad20c11")


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


@dataclass(frozen=True, slots=True)
class CaptureImport:
    """What an import came to; counts are of requests, `already` of those that were on record as they are."""

    environment: str
    endpoint: str
    source: str
    files: int
    records: int
    stored: int
    already: int
    first: datetime
    last: datetime
    dry_run: bool


def import_captures(
    target: Target, source: Path, order: CaptureOrder, report: Callable[[Progress], None]
) -> CaptureImport:
    """Store the records of a file or of a folder's files; the same records again add nothing.

    All is checked before anything is stored. Raises InputError for a line that is no record, does not fit
    the schema of its model version, or names no version that is on record.
    """
    endpoint = target.project.endpoint(order.environment)
    files = files_below(source, _DOING)
    records: list[CaptureRecord] = []
    for number, file in enumerate(files):
        report(Progress("read", number, len(files), file.name))
        records += _read(target, file, order)
    report(Progress("read", len(files), len(files), f"{len(records):,} records"))
    if not records:
        raise InputError(f"{_DOING} {source}: want at least one record, got none")
    objects = dict(_objects(target, endpoint, records, order.environment))
    _check(target, source, objects)
    stored = sum(lines.count(b"\n") for lines in objects.values())
    times = [record.time for record in records]
    done = CaptureImport(
        environment=order.environment,
        endpoint=endpoint,
        source=source.name,
        files=len(files),
        records=len(records),
        stored=stored,
        already=len(records) - stored,
        first=min(times),
        last=max(times),
        dry_run=order.dry_run,
    )
    if stored and not order.dry_run:
        for number, (key, lines) in enumerate(objects.items()):
            report(Progress("write", number, len(objects), key.rpartition("/")[0]))
            target.store.create(key, lines)
        report(Progress("write", len(objects), len(objects), f"{stored:,} new"))
        _tell(target, done, order, objects)
    return done


def _read(target: Target, file: Path, order: CaptureOrder) -> Iterator[CaptureRecord]:
    data = capture_data(file, _DOING)
    if is_capture(data):
        return _of_lines(target, file, data, order)
    return _of_table(target, file, data, order)


def _of_lines(target: Target, file: Path, data: bytes, order: CaptureOrder) -> Iterator[CaptureRecord]:
    """Records as they are, each under its own version or the order's, and its version's schema."""
    speaks = {model.version: model.schema_version for model in catalogue(target.store).versions}
    for number, item in read_capture_lines(file.as_posix(), data):
        if isinstance(item, BadLine):
            raise InputError(f"{_DOING} {file}, line {number}: {item.reason}")
        version = item.model_version or order.model_version
        if version not in speaks:
            got = f"model version {version}" if version else "none in the record and none by --model"
            known = ", ".join(map(str, speaks)) or "none yet"
            raise InputError(f"{_DOING} {file}, line {number}: want a version on record ({known}), got {got}")
        yield replace(item, model_version=version, schema_version=speaks[version])


def _of_table(target: Target, file: Path, data: bytes, order: CaptureOrder) -> Iterator[CaptureRecord]:
    """One record a row; a row without an id gets one that is the same whenever the file is read."""
    if order.model_version is None:
        raise InputError(f"{_DOING} {file}: a table does not say which model version answered: want --model")
    own = schema(target.store, catalogue(target.store).version(order.model_version).schema_version)
    frame, columns = text_table(data, file, _DOING), order.columns
    names = {column.name: (columns.names or {}).get(column.name, column.name) for column in own.inputs}
    answer = columns.prediction or own.prediction.name
    wanted = [columns.time, answer, *([columns.id] if columns.id else []), *names.values()]
    if missing := [name for name in wanted if name not in frame.columns]:
        raise InputError(f"{_DOING} {file}: want columns {', '.join(wanted)}; missing: {', '.join(missing)}")
    made_of = digest(data)
    cells = frame.select(list(names.values())).rows()
    answers, times = frame[answer].to_list(), frame[columns.time].to_list()
    ids = frame[columns.id].to_list() if columns.id else [None] * frame.height
    for row, (values, said, at, known) in enumerate(zip(cells, answers, times, ids, strict=True), start=1):
        if said is None or not str(said).strip():
            raise InputError(f'{_DOING} {file}, row {row}: want an answer in column "{answer}", got none')
        yield CaptureRecord(
            event_id=str(uuid.uuid5(_NAMESPACE, f"{made_of}/{row}")),
            inference_id=known or None,
            time=_time(at, f'{_DOING} {file}, row {row}, column "{columns.time}"'),
            model_version=order.model_version,
            schema_version=own.version,
            input=Payload(_csv(values), "CSV", "text/csv"),
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


def _objects(
    target: Target, endpoint: str, records: Iterable[CaptureRecord], environment: str
) -> Iterator[tuple[str, bytes]]:
    """One object an hour and schema, of the records that are not there yet by their event ids."""
    hours: dict[tuple[CaptureFolder, str], list[CaptureRecord]] = {}
    for record in records:
        folder = CaptureFolder(environment, record.schema_version, endpoint, IMPORTED)
        hours.setdefault((folder, folder.hour(record.time)), []).append(record)
    for (folder, hour), own in hours.items():
        known = _event_ids(target, hour)
        new = {record.event_id: record for record in own if record.event_id not in known}
        if not new:
            continue
        ordered = sorted(new.values(), key=lambda record: (record.time, record.event_id))
        lines = b"".join(map(capture_line, ordered))
        yield capture_key(folder, ordered[0].time, str(uuid.uuid5(_NAMESPACE, digest(lines)))), lines


def _check(target: Target, source: Path, objects: Mapping[str, bytes]) -> None:
    """Refuse records that the monitors could not read under their schema."""
    ever = Window(parse_utc("0001-01-01T00:00:00Z"), parse_utc("9999-12-31T00:00:00Z"))
    by_schema: dict[int, list[tuple[str, bytes]]] = {}
    for key, lines in objects.items():
        by_schema.setdefault(int(key.split("/")[2].removeprefix("schema-v")), []).append((key, lines))
    bad = [
        line
        for version, held in by_schema.items()
        for line in read_captures(held, schema(target.store, version), ever).bad
    ]
    if bad:
        some = "; ".join(f"{line.reason}: {line.text[:120]}" for line in bad[:_SHOWN])
        raise InputError(
            f"{_DOING} {source}: want records that fit their schema, got {len(bad):,} that do not, "
            f"and nothing was stored: {some}"
        )


def _event_ids(target: Target, hour: str) -> set[str]:
    """What an hour's folder holds already."""
    return {
        item.event_id
        for key in target.store.list(hour)
        for _, item in read_capture_lines(key, target.store.read(key))
        if isinstance(item, CaptureRecord)
    }


def _tell(target: Target, done: CaptureImport, order: CaptureOrder, objects: Mapping[str, bytes]) -> None:
    target.trail.append(
        Event(
            action="capture.import",
            subject=done.endpoint,
            actor=order.actor,
            time=target.clock.now(),
            why=f"{done.source}: {done.stored:,} stored, {done.already:,} already on record, "
            f"from {utc_text(done.first)} to {utc_text(done.last)}",
            after=digest(sorted(objects)),
        )
    )

"""Bring in what a model was asked and answered elsewhere: capture files, or tables with a row a request."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from watchkeeper.app.captures.sources import DOING, NAMESPACE, CaptureOrder, records_of, source_files
from watchkeeper.app.registry.schemas import schema
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import CaptureRecord, Progress
from watchkeeper.core.windows import Window, parse_utc, utc_text
from watchkeeper.readers.captures import read_captures
from watchkeeper.readers.records import read_capture_lines
from watchkeeper.render.records import CaptureFolder, capture_key, capture_line
from watchkeeper.serving.settings import DEFAULT_VARIANT

_SHOWN = 3  # bad lines that a refusal names


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
    files = source_files(source)
    records: list[CaptureRecord] = []
    for number, file in enumerate(files):
        report(Progress("read", number, len(files), file.name))
        records += records_of(target, file, order)
    report(Progress("read", len(files), len(files), f"{len(records):,} records"))
    if not records:
        raise InputError(f"{DOING} {source}: want at least one record, got none")
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


def _objects(
    target: Target, endpoint: str, records: Iterable[CaptureRecord], environment: str
) -> Iterator[tuple[str, bytes]]:
    """One object an hour and schema, of the records that are not there yet by their event ids."""
    hours: dict[tuple[CaptureFolder, str], list[CaptureRecord]] = {}
    for record in records:
        folder = CaptureFolder(environment, record.schema_version, endpoint, DEFAULT_VARIANT)
        hours.setdefault((folder, folder.hour(record.time)), []).append(record)
    for (folder, hour), own in hours.items():
        known = _event_ids(target, hour)
        new = {record.event_id: record for record in own if record.event_id not in known}
        if not new:
            continue
        ordered = sorted(new.values(), key=lambda record: (record.time, record.event_id))
        lines = b"".join(map(capture_line, ordered))
        yield capture_key(folder, ordered[0].time, str(uuid.uuid5(NAMESPACE, digest(lines)))), lines


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
            f"{DOING} {source}: want records that fit their schema, got {len(bad):,} that do not, "
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

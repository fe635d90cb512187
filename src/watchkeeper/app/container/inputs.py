"""The files of a container's job: which of those on disk are asked for, and how they are read (8.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import orjson

from watchkeeper.app.container.settings import DatasetFormat, Format, Job
from watchkeeper.app.files.profiling import DataSet
from watchkeeper.core.errors import InputError
from watchkeeper.core.windows import Window, parse_utc
from watchkeeper.readers.blobs import Blob, blobs_of
from watchkeeper.readers.blocks import blocks, text_pieces
from watchkeeper.readers.capture_rows import shape_of_record
from watchkeeper.readers.manifests import is_manifest, manifest_blobs
from watchkeeper.readers.part_values import (
    CaptureLayout,
    CsvLayout,
    JsonLayout,
    Layout,
    Limits,
    ParquetLayout,
    Shape,
)
from watchkeeper.readers.records import read_sides

_HOUR = re.compile(r"(?:^|/)(\d{4})/(\d{2})/(\d{2})/(\d{2})/[^/]+$")
_POSITION = re.compile(r"_c\d+")
NO_DATA = "Job inputs had no data"
_MARGIN = timedelta(hours=1)


class NoData(InputError):
    """There is nothing to look at; the text begins with the analyzer's own (contract 8.2)."""

    def __init__(self, why: str = "") -> None:
        super().__init__(f"{NO_DATA}: {why}" if why else NO_DATA)


@dataclass(frozen=True, slots=True)
class CapturedLine:
    """A line of a capture file that is asked for: an object of JSON, at the time it says."""

    name: str
    number: int
    text: bytes
    event: dict[str, object]

    @property
    def where(self) -> str:
        return f"{self.name}:{self.number}"


def input_blobs(job: Job) -> tuple[Blob, ...]:
    """The files that hold something and lie in the hours that are asked for, by name.

    Manifests of a batch transform stand for the files they name. Raises NoData when there is no such file.
    """
    if not job.source.exists():
        raise InputError(f"read dataset_source {job.source}: there is no such folder")
    if job.source.is_dir() and not any(path.is_file() for path in job.source.rglob("*")):
        raise NoData
    blobs = [blob for blob in blobs_of([job.source]) if blob.size()]
    if not job.format.captured and job.source.is_dir():
        blobs = [each for blob in blobs for each in _unfolded(blob, job)]
    found = tuple(blob for blob in blobs if _asked_for(blob.name, job))
    if not found:
        raise NoData
    return found


def data_set(job: Job, blobs: tuple[Blob, ...], names: Sequence[str] = ()) -> DataSet:
    """The files and their layout; `names` are the baseline's columns, for data whose own have no names."""
    return DataSet(job.source.as_posix(), blobs, _layout(job, blobs, tuple(names)))


def captured_lines(blobs: Iterable[Blob], window: Window | None) -> Iterator[CapturedLine]:
    """The lines that are JSON objects, of the window where they say a time; every other is left out."""
    for blob in blobs:
        for number, line in lines_of(blob):
            event = _object(line)
            if event is not None and _inside(event, window):
                yield CapturedLine(blob.name, number, line, event)


def lines_of(blob: Blob) -> Iterator[tuple[int, bytes]]:
    """A file's lines that are not blank, gzip taken off, with their numbers; too long ones are left out."""
    limits = Limits()
    for block in blocks(text_pieces(blob, limits), limits, quotes=False):
        if block.too_long:
            continue
        for number, line in enumerate(block.data.split(b"\n"), start=block.first_line):
            if line.strip():
                yield number, line


def check_encodings(blobs: Iterable[Blob], window: Window | None) -> None:
    """Raises InputError where the sides of a record differ, in the words of the analyzer that minds it."""
    for line in captured_lines(blobs, window):
        data = line.event.get("captureData")
        sides = [_encoding(data, name) for name in ("endpointInput", "endpointOutput")]
        if None not in sides and sides[0] != sides[1]:
            raise InputError(
                f"Encoding mismatch: Encoding is {sides[0]} for endpointInput, but Encoding is {sides[1]} "
                "for endpointOutput. We currently only support the same type of input and output encoding "
                "at the moment."
            )


def sides_left_out(job: Job, blobs: Iterable[Blob]) -> bool:
    """Whether records hold a side of the endpoint that `captureIndexNames` does not ask for."""
    if job.format.kind is not Format.CAPTURE or not job.format.sides:
        return False
    first = next(captured_lines(blobs, job.window), None)
    data = first.event.get("captureData") if first else None
    return isinstance(data, dict) and any(name not in job.format.sides for name in data)


def _unfolded(blob: Blob, job: Job) -> list[Blob]:
    return manifest_blobs(blob, job.source) if is_manifest(blob) else [blob]


def _asked_for(name: str, job: Job) -> bool:
    """Whether the file's hour folder touches the window; one that lies in none is asked for.

    Captures are judged by their own times too, so of them the hours beside the window may be looked at.
    """
    found = _HOUR.search(name)
    if job.window is None or found is None:
        return True
    try:
        hour = datetime(*map(int, found.groups()), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return True
    margin = _MARGIN if job.format.kind is Format.CAPTURE else timedelta(0)
    return hour < job.window.end + margin and hour + _MARGIN > job.window.start - margin


def _layout(job: Job, blobs: Iterable[Blob], names: tuple[str, ...]) -> Layout:
    match job.format.kind:
        case Format.CSV:
            return CsvLayout(header=job.format.header)
        case Format.JSON:
            return JsonLayout(lines=job.format.lines)
        case Format.PARQUET:
            return ParquetLayout()
    return CaptureLayout(window=job.window, shape=_named_shape(job, blobs, names))


def _named_shape(job: Job, blobs: Iterable[Blob], names: tuple[str, ...]) -> Shape | None:
    """The columns of the first record that can be read, named by position where they have no names.

    Outputs take the baseline's first names (contract 3.2), its last ones with `output_columns_position` END.
    """
    for line in captured_lines(blobs, job.window):
        try:
            found = shape_of_record(read_sides(line.text, 0))
        except ValueError:
            continue
        return _with_names(found, names, job.format)
    return None


def _with_names(found: Shape, names: tuple[str, ...], format_: DatasetFormat) -> Shape:
    sides = [found.outputs, found.inputs] if format_.outputs_first else [found.inputs, found.outputs]
    held = [name for side in sides for name in side]
    renamed = {
        old: new
        for side in sides
        if _without_names(side, names)
        for old, new in zip(side, names[held.index(side[0]) :], strict=False)
    }
    outputs, inputs = (
        tuple(renamed.get(name, name) for name in side) for side in (found.outputs, found.inputs)
    )
    order = (*outputs, *inputs) if format_.outputs_first else (*inputs, *outputs)
    return (
        found if len(set(order)) < len(order) else replace(found, outputs=outputs, inputs=inputs, order=order)
    )


def _without_names(side: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a side is told by position: `_c0`, `_c1`, …, or a single column that the baseline lacks."""
    if not side:
        return False
    return all(map(_POSITION.fullmatch, side)) or (len(side) == 1 and side[0] not in names)


def _object(line: bytes) -> dict[str, object] | None:
    try:
        found: object = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _inside(event: dict[str, object], window: Window | None) -> bool:
    metadata = event.get("eventMetadata")
    text = metadata.get("inferenceTime") if isinstance(metadata, dict) else None
    if window is None or not isinstance(text, str):
        return True
    try:
        return parse_utc(text) in window
    except ValueError:
        return True


def _encoding(data: object, side: str) -> str | None:
    payload = data.get(side) if isinstance(data, dict) else None
    found = payload.get("encoding") if isinstance(payload, dict) else None
    return found if isinstance(found, str) else None

"""Lines of capture and ground-truth files as values; a line that cannot be read is a value too.

Key order does not matter and extra keys are ignored, so the service's own files read as ours do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import orjson

from watchkeeper.core.values import CaptureRecord, GroundTruth, Payload
from watchkeeper.core.windows import parse_utc
from watchkeeper.readers.payloads import csv_rows

# What a batch transform with `GenerateInferenceId` adds to each JSON row (contract 1.4).
INFERENCE_ID, INFERENCE_TIME = "SageMakerInferenceId", "SageMakerInferenceTime"
NOT_STATED = 0  # versions count from 1: a line that SageMaker captured names none

T = TypeVar("T")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_VERSION = re.compile(r"\d{1,9}", re.ASCII)
_SCHEMA_FOLDER = re.compile(r"(?:^|/)schema-v(\d{1,9})/")
_ENCODINGS = ("CSV", "JSON", "BASE64")
_SHOWN = 200
_NO_SIDE = "captureData: want endpointInput or endpointOutput, got neither"


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that could not be used: where it is (lines count from 1), why, and how it starts."""

    key: str
    line_number: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Sides:
    """What a capture line holds: an endpoint's, a batch transform's, or one merged with its labels.

    A side that was not captured is None. `both` is a batch transform's row, inputs and outputs in one,
    which has no time of its own. `truth` is what a merge put beside them, as it stands there.
    """

    event_id: str
    join_id: str
    time: datetime | None
    model_version: int
    schema_version: int
    input: Payload | None
    output: Payload | None
    both: Payload | None
    truth: object = None


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labels as they were read, and when they were collected, where the line says so."""

    truth: GroundTruth
    collected_at: datetime | None


def read_capture_lines(key: str, data: bytes) -> Iterator[tuple[int, CaptureRecord | BadLine]]:
    """Each line of a capture file that is not blank, with its number.

    A line without `modelVersion` gives `NOT_STATED`; without `schemaVersion` the version is the
    one of the `schema-v{n}` folder in the key, else `NOT_STATED`.
    """
    schema_version = folder_version(key)
    return _read(key, data, lambda line: _capture(line, schema_version))


def read_ground_truth_lines(key: str, data: bytes) -> Iterator[tuple[int, Labelled | BadLine]]:
    """Each line of a ground-truth file that is not blank, with its number.

    A label that is a number, also in CSV, is read as a float, any other as text.
    """
    return _read(key, data, _ground_truth)


def read_sides(line: bytes, schema_version: int) -> Sides:
    """One line of a capture file; `schema_version` is that of a line which names none.

    Raises ValueError with the reason for a line that is no capture record.
    """
    record = _record(line)
    if INFERENCE_ID in record and "captureData" not in record:
        return _transformed(record, schema_version)
    data, metadata = _member(record, "captureData", dict), _member(record, "eventMetadata", dict)
    both = _payload(data, "batchTransformOutput") if "batchTransformOutput" in data else None
    asked, answered = _sides(data)
    if asked is answered is both is None:
        raise ValueError(_NO_SIDE)
    event = _id(metadata, "eventId")
    join = _id(metadata, "inferenceId") if metadata.get("inferenceId") is not None else event
    timed = both is None or "inferenceTime" in metadata
    return Sides(
        event_id=event,
        join_id=join,
        time=_time(metadata, "inferenceTime") if timed else None,
        model_version=_version(metadata, "modelVersion", NOT_STATED),
        schema_version=_version(metadata, "schemaVersion", schema_version),
        input=asked,
        output=answered,
        both=both,
        truth=record.get("groundTruthData"),
    )


def _transformed(record: dict[str, Any], schema_version: int) -> Sides:
    """A row as a batch transform wrote it: its id and the job's start are members beside the others."""
    id_, time = _id(record, INFERENCE_ID), _time(record, INFERENCE_TIME)
    both = Payload(row_alone(record), "JSON", None)
    return Sides(id_, id_, time, NOT_STATED, schema_version, None, None, both)


def merged_labels(truth: object) -> tuple[float | str, ...]:
    """The labels of `Sides.truth`. Raises ValueError when there are none to be read.

    >>> merged_labels({"data": "1.5", "encoding": "CSV"})
    (1.5,)
    """
    if not isinstance(truth, dict):
        raise ValueError(f"groundTruthData: want an object, got {_kind(truth)}")
    return _labels(_member(truth, "data", str), _member(truth, "encoding", str))


def row_alone(record: Mapping[str, object]) -> str:
    """A row of a batch transform as JSON, without what the job added to it.

    >>> row_alone({"SageMakerInferenceId": "i", "SageMakerInferenceTime": "t", "area": 5})
    '{"area":5}'
    """
    added = (INFERENCE_ID, INFERENCE_TIME)
    return orjson.dumps({name: value for name, value in record.items() if name not in added}).decode()


def folder_version(key: str) -> int:
    """The schema version that a capture file's key names, else `NOT_STATED`.

    >>> folder_version("captures/prod/schema-v3/prices/AllTraffic/x.jsonl")
    3
    """
    folder = _SCHEMA_FOLDER.search(key)
    return int(folder[1]) if folder else NOT_STATED


def bad_line(key: str, number: int, reason: str, line: bytes | str) -> BadLine:
    """The value for a line that cannot be used."""
    text = line.decode(errors="replace") if isinstance(line, bytes) else line
    return BadLine(key, number, reason, text[:_SHOWN])


def _read(key: str, data: bytes, parse: Callable[[bytes], T]) -> Iterator[tuple[int, T | BadLine]]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, parse(line)
        except ValueError as error:
            yield number, bad_line(key, number, str(error), line)


def _capture(line: bytes, schema_version: int) -> CaptureRecord:
    record = _record(line)
    data, metadata = _member(record, "captureData", dict), _member(record, "eventMetadata", dict)
    asked, answered = _sides(data)
    if asked is answered is None:
        raise ValueError(_NO_SIDE)
    return CaptureRecord(
        event_id=_id(metadata, "eventId"),
        inference_id=_id(metadata, "inferenceId") if metadata.get("inferenceId") is not None else None,
        time=_time(metadata, "inferenceTime"),
        model_version=_version(metadata, "modelVersion", NOT_STATED),
        schema_version=_version(metadata, "schemaVersion", schema_version),
        input=asked,
        output=answered,
        custom_attributes=_attributes(metadata),
    )


def _sides(data: dict[str, Any]) -> tuple[Payload | None, Payload | None]:
    """What was asked and answered, as far as it was captured."""
    asked = _payload(data, "endpointInput") if "endpointInput" in data else None
    return asked, _payload(data, "endpointOutput") if "endpointOutput" in data else None


def _payload(data: dict[str, Any], side: str) -> Payload:
    payload = _member(data, side, dict)
    encoding = _member(payload, "encoding", str)
    if encoding not in _ENCODINGS:
        raise ValueError(f'{side}.encoding: want one of {", ".join(_ENCODINGS)}, got "{encoding}"')
    content_type = payload.get("observedContentType")
    if not isinstance(content_type, str | None):
        raise ValueError(f"{side}.observedContentType: want text or null, got {_kind(content_type)}")
    return Payload(_member(payload, "data", str), encoding, content_type)


def _ground_truth(line: bytes) -> Labelled:
    record = _record(line)
    truth, metadata = _member(record, "groundTruthData", dict), _member(record, "eventMetadata", dict)
    labels = _labels(_member(truth, "data", str), _member(truth, "encoding", str))
    collected = _time(metadata, "collectedTime") if "collectedTime" in metadata else None
    return Labelled(GroundTruth(_id(metadata, "eventId"), labels), collected)


def _labels(data: str, encoding: str) -> tuple[float | str, ...]:
    if encoding == "CSV":
        found = tuple(map(_csv_label, csv_rows(data)))
    elif encoding == "JSON":
        body = _json(data, "groundTruthData.data")
        listed = body["instances"] if isinstance(body, dict) and "instances" in body else [body]
        found = tuple(map(_json_label, listed if isinstance(listed, list) else [listed]))
    else:
        raise ValueError(f'groundTruthData.encoding: want CSV or JSON, got "{encoding}"')
    if not found:
        raise ValueError("groundTruthData.data: want at least one label, got none")
    return found


def _csv_label(fields: list[str]) -> float | str:
    if len(fields) != 1 or not fields[0].strip():
        raise ValueError("groundTruthData.data: want one label on each line, got a blank or several fields")
    return _finite(float(fields[0])) if _NUMBER.fullmatch(fields[0]) else fields[0]


def _json_label(item: object) -> float | str:
    value = item.get("label") if isinstance(item, dict) else item
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(float(value))
    raise ValueError(f"groundTruthData.data: want labels that are text or numbers, got {_kind(value)}")


def _finite(label: float) -> float:
    if not math.isfinite(label):
        raise ValueError(f"groundTruthData.data: want a finite number, got {label}")
    return label


def _record(line: bytes) -> dict[str, Any]:
    record = _json(line, "the line")
    if not isinstance(record, dict):
        raise ValueError(f"want a JSON object, got {_kind(record)}")
    return record


def _json(text: bytes | str, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"want {what} to be JSON: {error}") from None


def _member(data: dict[str, Any], name: str, kind: type[T]) -> T:
    value = data.get(name)
    if not isinstance(value, kind):
        raise ValueError(f"{name}: want {_NAMES[kind]}, got {_kind(value) if name in data else 'nothing'}")
    return value


def _id(metadata: dict[str, Any], name: str) -> str:
    value = _member(metadata, name, str)
    if not value:
        raise ValueError(f"{name}: want an id, got the empty text")
    return value


def _time(metadata: dict[str, Any], name: str) -> datetime:
    text = _member(metadata, name, str)
    try:
        return parse_utc(text)
    except (ValueError, OverflowError):
        raise ValueError(f'{name}: want a time such as 2020-01-31T23:59:59Z, got "{text}"') from None


def _version(metadata: dict[str, Any], name: str, unstated: int) -> int:
    value = metadata.get(name)
    if value is None:
        return unstated
    if isinstance(value, int | str) and _VERSION.fullmatch(str(value)):
        return int(value)
    raise ValueError(f"{name}: want a whole number, got {str(value)[:40]}")


def _attributes(metadata: dict[str, Any]) -> tuple[str, ...]:
    value = metadata.get("customAttributes")
    listed = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(str(item) for item in listed)


_NAMES: dict[type, str] = {
    dict: "an object",
    str: "a text",
    list: "a list",
    bool: "true or false",
    type(None): "null",
}


def _kind(value: object) -> str:
    return _NAMES.get(type(value), "a number")

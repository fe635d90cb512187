"""Capture and ground-truth records as the contract's compact JSON Lines, and the keys they are stored under.

Two keys are our own, at the end of `eventMetadata`: `modelVersion` and `schemaVersion`, both text as
`eventVersion` is. Readers of the contract tolerate them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from watchkeeper.core.values import CaptureRecord, GroundTruth, Payload
from watchkeeper.core.windows import hour_folder

_COMPACT = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


CAPTURES = "captures"
SHADOW_CAPTURES = "shadow-captures"  # answers that nobody was given: no monitor reads them


@dataclass(frozen=True, slots=True)
class CaptureFolder:
    """Where one variant's captures lie: hour folders below `prefix`."""

    environment: str
    schema_version: int
    endpoint: str
    variant: str
    root: str = CAPTURES

    @property
    def prefix(self) -> str:
        """The folder's key, with a slash at its end."""
        return f"{self.root}/{self.environment}/schema-v{self.schema_version}/{self.endpoint}/{self.variant}/"

    def hour(self, time: datetime) -> str:
        """The key of the hour folder of a time, with a slash at its end."""
        return f"{self.prefix}{hour_folder(time)}/"


def capture_key(folder: CaptureFolder, time: datetime, unique: str) -> str:
    """The key of a capture file whose first record is of `time`; `unique` is a UUID's text.

    >>> from datetime import UTC
    >>> folder = CaptureFolder("prod", 1, "prices", "AllTraffic")
    >>> capture_key(folder, datetime(2020, 1, 31, 7, 5, 9, 250000, UTC), "u")
    'captures/prod/schema-v1/prices/AllTraffic/2020/01/31/07/05-09-250-u.jsonl'
    """
    return f"{folder.hour(time)}{_moment(time)}-{unique}.jsonl"


def ground_truth_key(environment: str, endpoint: str, collected: datetime, unique: str) -> str:
    """The key of a ground-truth file: the hour is the one in which the labels were collected."""
    folder = f"ground-truth/{environment}/{endpoint}/{hour_folder(collected)}"
    return f"{folder}/{_moment(collected)}-{unique}.jsonl"


def capture_line(record: CaptureRecord) -> bytes:
    """The record as one line with its newline; the time has second precision, as the contract's."""
    metadata: dict[str, Any] = {"eventId": record.event_id}
    if record.inference_id is not None:
        metadata["inferenceId"] = record.inference_id
    if record.custom_attributes:
        metadata["customAttributes"] = list(record.custom_attributes)
    metadata["inferenceTime"] = _second(record.time)
    metadata["modelVersion"] = str(record.model_version)
    metadata["schemaVersion"] = str(record.schema_version)
    data = {}
    if record.input is not None:
        data["endpointInput"] = _side(record.input, "INPUT")
    if record.output is not None:
        data["endpointOutput"] = _side(record.output, "OUTPUT")
    return _line({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"})


def ground_truth_line(truth: GroundTruth, collected: datetime) -> bytes:
    """The labels of one request as one line with its newline: CSV for one label, the JSON list form for more.

    `eventMetadata.eventId` holds the inference id, as the merge job wants; `collectedTime` is our own.
    Raises ValueError when there are no labels, or one that is not finite or is the empty text.
    """
    numbers = [_label(truth.inference_id, label) for label in truth.labels]
    if not numbers:
        raise ValueError(f"write labels of {truth.inference_id}: want at least one, got none")
    if len(numbers) == 1:
        data, encoding = _csv_field(str(numbers[0])), "CSV"
    else:
        data, encoding = orjson.dumps({"instances": [{"label": n} for n in numbers]}).decode(), "JSON"
    return _line(
        {
            "groundTruthData": {"data": data, "encoding": encoding},
            "eventMetadata": {"eventId": truth.inference_id, "collectedTime": _second(collected)},
            "eventVersion": "0",
        }
    )


def _side(payload: Payload, mode: str) -> dict[str, str | None]:
    return {
        "observedContentType": payload.content_type,
        "mode": mode,
        "data": payload.data,
        "encoding": payload.encoding,
    }


def _label(inference_id: str, label: float | str) -> float | int | str:
    if isinstance(label, str):
        if not label:
            raise ValueError(f"write labels of {inference_id}: want a label, got the empty text")
        return label
    if label - label != 0:  # NaN and the infinities
        raise ValueError(f"write labels of {inference_id}: want a finite number, got {label}")
    return int(label) if label.is_integer() and abs(label) < 2**53 else label


def _csv_field(text: str) -> str:
    special = any(mark in text for mark in ',"\r\n')
    return '"' + text.replace('"', '""') + '"' if special else text


def _second(time: datetime) -> datetime:
    return time.astimezone(UTC)  # written to the second, with a Z


def _moment(time: datetime) -> str:
    return f"{time:%M-%S}-{time.microsecond // 1000:03d}"


def _line(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=_COMPACT)

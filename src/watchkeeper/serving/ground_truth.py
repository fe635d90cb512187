"""Bodies with labels, read as a whole: ground-truth records as JSON Lines, or plain entries as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import orjson

from watchkeeper.core.values import GroundTruth
from watchkeeper.readers.records import BadLine, read_ground_truth_lines
from watchkeeper.serving.refusals import RequestRefused

_IDS, _LABELS = ("inferenceId", "eventId"), ("labels", "label")


@dataclass(frozen=True, slots=True)
class LabelDelivery:
    """Labels that were sent to an endpoint: the body they came in, the requests they are of, and when."""

    endpoint: str
    environment: str
    body: bytes
    truths: tuple[GroundTruth, ...]
    collected_at: datetime


def read_truths(body: bytes) -> tuple[GroundTruth, ...]:
    """The body's entries, in order, an id perhaps several times.

    A JSON object or list, or JSON Lines; each entry a ground-truth record, or `inferenceId` (else
    `eventId`) with `labels` (a list, one a row) or `label`. Raises RequestRefused, with the number
    of the first entry that cannot be used, from 1.
    """
    truths = tuple(_truth(entry, number) for number, entry in enumerate(_entries(body), start=1))
    if not truths:
        raise RequestRefused("read the labels: want at least one entry, got an empty body")
    return truths


def _entries(body: bytes) -> Iterator[object]:
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError:
        yield from _lines(body)
    else:
        yield from whole if isinstance(whole, list) else [whole]


def _lines(body: bytes) -> Iterator[object]:
    for number, line in enumerate((line for line in body.split(b"\n") if line.strip()), start=1):
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise _refused(number, f"want JSON: {error}") from None


def _truth(entry: object, number: int) -> GroundTruth:
    if not isinstance(entry, dict):
        raise _refused(number, "want an object with an id and labels")
    if "groundTruthData" in entry:
        return _record(entry, number)
    strange = [key for key in entry if key not in (*_IDS, *_LABELS)]
    if strange:
        raise _refused(number, f'want {", ".join((*_IDS, *_LABELS))}, got "{strange[0][:40]}"')
    identity = next((entry[name] for name in _IDS if entry.get(name) is not None), None)
    if not isinstance(identity, str) or not identity.strip():
        raise _refused(number, "want an inferenceId or eventId that is a text and not empty")
    if ("label" in entry) == ("labels" in entry):
        raise _refused(number, "want either label or labels")
    labels = entry["labels"] if "labels" in entry else [entry["label"]]
    if not isinstance(labels, list) or not labels:
        raise _refused(number, "labels: want a list of numbers, one for each row of the request")
    return GroundTruth(identity, tuple(_number(label, number) for label in labels))


def _record(entry: dict[str, object], number: int) -> GroundTruth:
    ((_, item),) = read_ground_truth_lines("", orjson.dumps(entry))
    if isinstance(item, BadLine):
        raise _refused(number, item.reason)
    return GroundTruth(item.truth.inference_id, tuple(_number(x, number) for x in item.truth.labels))


def _number(label: object, number: int) -> float:
    if isinstance(label, bool) or not isinstance(label, int | float) or not math.isfinite(label):
        raise _refused(number, f"want finite numbers as labels, got {str(label)[:40]!a}")
    return float(label)


def _refused(number: int, reason: str) -> RequestRefused:
    return RequestRefused(f"read the labels, entry {number}: {reason}; nothing was stored")

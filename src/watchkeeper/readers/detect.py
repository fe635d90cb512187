"""What a blob holds, by its first bytes, and by its name where these leave it open."""

from __future__ import annotations

import csv
import re

import orjson

from watchkeeper.core.errors import InputError
from watchkeeper.readers.blobs import Blob
from watchkeeper.readers.blocks import text_pieces
from watchkeeper.readers.parquet import MAGIC
from watchkeeper.readers.part_values import (
    JOINED,
    CaptureLayout,
    CsvLayout,
    JsonLayout,
    Layout,
    Limits,
    ParquetLayout,
)
from watchkeeper.readers.records import INFERENCE_ID

_HEAD_BYTES = 1024 * 1024
_VALUE = re.compile(r"\s*[-+]? ?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*|\d{4}-\d\d.*", re.ASCII | re.DOTALL)
_CAPTURE = ("captureData", "eventMetadata", INFERENCE_ID)
_TRANSFORMED = re.compile(r"\.out(\.\d+)?$")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)


def layout_of(blob: Blob) -> Layout:
    """The layout a blob most likely has.

    Parquet, JSON and captures are known by content. CSV has a header unless a cell of its first line is
    a number or a date or stands there twice: say it with a `CsvLayout` where you know better. What a batch
    transform wrote, a file whose name ends in `.out`, is known by the job's start at its lines' ends.
    Raises InputError for an empty blob.
    """
    if not blob.size():
        raise InputError(f"read {blob.name}: want rows, got an empty file")
    if blob.read(0, min(len(MAGIC), blob.size())) == MAGIC or blob.name.lower().endswith(".parquet"):
        return ParquetLayout()
    head = b""
    for piece in text_pieces(blob, Limits(chunk_bytes=_HEAD_BYTES)):
        head += piece
        if len(head) >= _HEAD_BYTES:
            break
    start = head.lstrip()[:1]
    if start == b"[":
        return JsonLayout(lines=False)
    if start == b"{":
        return _objects(head, blob.name)
    row = _first_row(head.decode(errors="replace"))
    if _TRANSFORMED.search(blob.name) and len(row) > len(JOINED) and _TIME.fullmatch(row[-1]):
        return CsvLayout(header=False, joined=True)
    return CsvLayout(header=_is_header(row))


def _objects(head: bytes, name: str) -> Layout:
    """JSON Lines when the first line is an object of its own, else one document."""
    line = next(line for line in head.split(b"\n") if line.strip())
    try:
        first = orjson.loads(line)
    except orjson.JSONDecodeError:
        opened = name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson"))
        return CaptureLayout() if b'"captureData"' in line else JsonLayout(lines=opened)
    if isinstance(first, dict) and any(key in first for key in _CAPTURE):
        return CaptureLayout()
    whole = head.strip() == line.strip()
    return JsonLayout(
        lines=not (whole and isinstance(first, dict) and isinstance(first.get("instances"), list))
    )


def _first_row(head: str) -> list[str]:
    """Of the CSV; none when it cannot be read."""
    lines = head.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    try:
        return next((row for row in csv.reader(line + "\n" for line in lines) if row), [])
    except csv.Error:
        return []


def _is_header(row: list[str]) -> bool:
    return len(set(row)) == len(row) and not any(_VALUE.fullmatch(cell) for cell in row)

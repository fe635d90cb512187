"""Capture files of one schema as one table: one row for each row of a request, columns as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from watchkeeper.core.values import Schema
from watchkeeper.core.windows import Window
from watchkeeper.readers.capture_parts import Reading, empty_rows, gather, object_lines
from watchkeeper.readers.capture_rows import shape_of_schema
from watchkeeper.readers.part_values import Rejects
from watchkeeper.readers.records import NOT_STATED, BadLine, folder_version

_BATCH = 32 * 1024 * 1024  # bytes of files that are read together, which bounds the memory that takes
_META = ("_join_id", "_event_id", "_time", "_model_version", "_row")


@dataclass(frozen=True, slots=True)
class Captured:
    """What a window's capture files hold.

    `frame` has the schema's inputs and its prediction as text (null where empty), then `_join_id`,
    `_event_id`, `_time`, `_model_version` (null where the line names none) and `_row`, the row's
    place within its request from 0. `requests` counts the records the frame is made of, `outside`
    those of another time; `bad` are the lines that could not be used.
    """

    frame: pl.DataFrame
    requests: int
    bad: tuple[BadLine, ...]
    outside: int


def read_captures(objects: Iterable[tuple[str, bytes]], schema: Schema, window: Window) -> Captured:
    """Read capture files, given as keys with their bytes, and keep the records inside the window.

    A line is bad, and costs no other line anything, when it is no capture record, when input or
    answer do not fit the schema, when they differ in rows, or when it names another schema version.
    """
    shape = shape_of_schema(schema, exact=True)
    columns = [*(column.name for column in schema.inputs), schema.prediction.name, *_META]
    frames, requests, outside, bad = [empty_rows(shape)], 0, 0, list[BadLine]()
    for version, batch in _batches(objects):
        rejects = [Rejects(key) for key, _ in batch]
        lines = object_lines([data for _, data in batch], rejects)
        found = gather(lines, Reading(shape, window, version))
        for place, number, reason, line in found.bad:
            rejects[place].add(number, reason, line)
        frames.append(found.frame)
        requests, outside = requests + found.requests, outside + found.outside
        bad += [line for each in rejects for line in each.all()]
    frame = pl.concat(frames).select(columns)
    texts = pl.col(columns[: -len(_META)]).replace("", None)
    return Captured(frame.with_columns(texts), requests, tuple(bad), outside)


def _batches(objects: Iterable[tuple[str, bytes]]) -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    """Objects some at a time, so that many small ones cost no more than a large one.

    Those of a batch have the schema version in common that their keys name.
    """
    held: list[tuple[str, bytes]] = []
    size, version = 0, NOT_STATED
    for key, data in objects:
        if held and (size >= _BATCH or folder_version(key) != version):
            yield version, held
            held, size = [], 0
        version = folder_version(key)
        held.append((key, data))
        size += len(data)
    if held:
        yield version, held

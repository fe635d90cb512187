"""Model quality of a regression in the container: predictions beside labels, judged (contract 6).

Labels and predictions are in one file of rows, as in a baseline, or in records that a merge job wrote.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from watchkeeper.app.container_input import NoData, captured_lines
from watchkeeper.app.container_settings import Attributes, Job
from watchkeeper.app.profiling import DataSet, Engine, chunks_of
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Payload, Violation
from watchkeeper.core.windows import Window
from watchkeeper.monitors import model_quality
from watchkeeper.monitors.model_quality_values import RegressionConstraints, RegressionStatistics
from watchkeeper.readers.blobs import Blob
from watchkeeper.readers.part_values import CaptureLayout, data_columns
from watchkeeper.readers.parts import LINE, Chunk, load
from watchkeeper.readers.payloads import json_lines, scalar_text
from watchkeeper.readers.records import Sides, merged_labels, read_sides

SEED = 0  # deviations are of samples drawn with it: the same data give the same files
LABEL = "label"
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\*|'[^']*'|\"[^\"]*\")?\]")
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class JudgedQuality:
    """What was found of model quality."""

    statistics: RegressionStatistics
    suggested: RegressionConstraints
    violations: tuple[Violation, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Pairs:
    """Labels with their predictions, and the rows that have not both: how many, and what the first is."""

    labels: list[Floats] = field(default_factory=list)
    predictions: list[Floats] = field(default_factory=list)
    bad: int = 0
    first: str = ""

    def add(self, labels: Sequence[float] | Floats, predictions: Sequence[float] | Floats) -> None:
        self.labels.append(np.asarray(labels, dtype=np.float64))
        self.predictions.append(np.asarray(predictions, dtype=np.float64))

    def leave_out(self, where: str, count: int = 1) -> None:
        self.bad += count
        self.first = self.first or where

    def take(self, other: _Pairs) -> None:
        self.labels += other.labels
        self.predictions += other.predictions
        if other.bad:
            self.leave_out(other.first, other.bad)


def judge_quality(
    job: Job, data: DataSet, asked: RegressionConstraints | None, engine: Engine
) -> JudgedQuality:
    """Figures of all rows, the constraints they suggest, and where they break those that are `asked`.

    Rows without a number on both sides are left out and counted. Raises NoData when no row is left.
    """
    if job.quality is None:
        raise ValueError("judge model quality: want its attributes, got none")
    pairs = _Pairs()
    if isinstance(data.layout, CaptureLayout):
        work = partial(_of_file, job.quality.inference, job.window)
        for found in engine(work, data.blobs):
            pairs.take(found)
    else:
        for found in engine(partial(_of_chunk, job.quality), chunks_of(data)):
            pairs.take(found)
    labels = np.concatenate([*pairs.labels, np.empty(0)])
    predictions = np.concatenate([*pairs.predictions, np.empty(0)])
    if not labels.size:
        raise NoData(
            f"none of {pairs.bad:,} rows can be used, the first is {pairs.first}" if pairs.bad else ""
        )
    statistics = model_quality.statistics(labels, predictions, SEED)
    violations = model_quality.check(statistics, asked, model_quality.Settings()) if asked else ()
    notes = (f"{pairs.bad:,} rows that cannot be used, the first {pairs.first}",) if pairs.bad else ()
    return JudgedQuality(statistics, model_quality.suggest(statistics), violations, notes)


def _of_chunk(asked: Attributes, chunk: Chunk) -> _Pairs:
    """Two columns of a table, by name or, where it has no names, by position."""
    pairs = _Pairs()
    for part in load(chunk):
        for bad in part.bad[:1]:
            pairs.leave_out(f"{bad.key}:{bad.line_number} ({bad.reason})", part.bad_count)
        if not part.frame.height:
            continue
        label = _column(part.frame, asked.ground_truth or LABEL, "ground_truth_attribute", part.name)
        prediction = _column(part.frame, asked.inference, "inference_attribute", part.name)
        y, p = (_numbers(part.frame[name]) for name in (label, prediction))
        usable = np.isfinite(y) & np.isfinite(p)
        pairs.add(y[usable], p[usable])
        if not usable.all():
            line = part.frame[LINE].to_numpy()[~usable][0]
            pairs.leave_out(f"{part.name}:{line} (want a number on both sides)", int((~usable).sum()))
    return pairs


def _column(frame: pl.DataFrame, wanted: str, variable: str, file: str) -> str:
    names = data_columns(frame)
    if wanted in names:
        return wanted
    position = f"_c{wanted}"
    if position in names:
        return position
    shown = ", ".join(names[:20])
    raise InputError(f'read {file}: want the column "{wanted}" of {variable}, got {shown}')


def _numbers(cells: pl.Series) -> Floats:
    """The cells as numbers, what is none as not-a-number, which the caller leaves out and counts."""
    found = cells.cast(pl.String).str.strip_chars() if cells.dtype == pl.String else cells
    return found.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()


def _of_file(path: str, window: Window | None, blob: Blob) -> _Pairs:
    pairs = _Pairs()
    for line in captured_lines([blob], window):
        try:
            labels, predictions = _of_record(read_sides(line.text, 0), path)
        except ValueError as error:
            pairs.leave_out(f"{line.where} ({error})")
            continue
        pairs.add(labels, predictions)
    return pairs


def _of_record(sides: Sides, path: str) -> tuple[list[float], list[float]]:
    """A merged record's labels and predictions, as many of both. ValueError says what is wrong."""
    if sides.truth is None:
        raise ValueError("groundTruthData: want an object, got nothing")
    labels = [_number(label, "the label") for label in merged_labels(sides.truth)]
    answer = sides.output or sides.both
    if answer is None:
        raise ValueError("endpointOutput: want an object, got nothing")
    predictions = [_number(value, "the prediction") for value in _predicted(answer, path)]
    if len(labels) != len(predictions):
        raise ValueError(f"want a label for each of {len(predictions)} predictions, got {len(labels)}")
    return labels, predictions


def _predicted(answer: Payload, path: str) -> list[object]:
    if answer.encoding == "CSV":
        if not path.isdigit():
            raise ValueError(
                f'inference_attribute: want the index of an output such as "0" for CSV, got "{path}"'
            )
        rows = csv.reader(io.StringIO(answer.data, newline=""), strict=True)
        return [_cell(row, int(path)) for row in rows if row]
    if answer.encoding != "JSON":
        raise ValueError(f"want an output in CSV or JSON, got {answer.encoding}")
    found = [value for document in _documents(answer.data) for value in _in_json(document, path)]
    if not found:
        raise ValueError(f'want a value at the path "{path}" of the output, got none')
    return found


def _documents(text: str) -> list[Any]:
    """One JSON document, or one on each line."""
    try:
        return [orjson.loads(text)]
    except orjson.JSONDecodeError:
        return json_lines(text)


def _cell(row: Sequence[str], index: int) -> str:
    if index >= len(row):
        raise ValueError(f"want output {index}, got a row of {len(row)} fields")
    return row[index]


def _in_json(document: Any, path: str) -> list[object]:
    """What stands at a path in the common part of JSONPath and JMESPath: `$.a.b[0]`, `a[*].b`, `[0]`.

    A path that starts inside `SageMakerOutput`, or inside each of `predictions`, is found there too.
    """
    steps = [(name, index) for name, index in _STEP.findall(path.strip().removeprefix("$"))]
    for start in _starts(document):
        if found := list(_walk(start, steps)):
            return found
    return []


def _starts(document: Any) -> Iterator[list[Any]]:
    yield [document]
    if isinstance(document, dict):
        yield [document.get("SageMakerOutput")]
        inner = document.get("predictions")
        if isinstance(inner, list):
            yield inner


def _walk(values: Iterable[Any], steps: Sequence[tuple[str, str]]) -> Iterator[object]:
    if not steps:
        yield from values
        return
    (name, index), rest = steps[0], steps[1:]
    for value in values:
        yield from _walk(_below(value, name or index.strip("'\""), index), rest)


def _below(value: Any, key: str, index: str) -> list[Any]:
    if isinstance(value, list):
        if index in ("*", "") and (index == "*" or not key):
            return value
        return [value[int(key)]] if key.isdigit() and int(key) < len(value) else []
    return [value[key]] if isinstance(value, dict) and key in value else []


def _number(value: object, what: str) -> float:
    text = value if isinstance(value, float) else scalar_text(value, what)
    try:
        number = float(text) if text is not None else float("nan")
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise ValueError(f"want {what} to be a number, got {str(value)[:40]!r}")
    return number

"""Model quality in the container: predictions beside labels, judged (contract 6).

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

from watchkeeper.app.container.inputs import NoData, captured_lines
from watchkeeper.app.container.settings import Attributes, Job
from watchkeeper.app.files.profiling import DataSet, Engine, chunks_of
from watchkeeper.core.errors import InputError
from watchkeeper.core.problems import ProblemType
from watchkeeper.core.values import Payload, Violation
from watchkeeper.core.windows import Window
from watchkeeper.monitors import model_quality
from watchkeeper.monitors.answers import Answers, thresholded
from watchkeeper.monitors.model_quality_values import QualityConstraints, QualityStatistics
from watchkeeper.readers.blobs import Blob
from watchkeeper.readers.part_values import CaptureLayout, data_columns
from watchkeeper.readers.parts import LINE, Chunk, load
from watchkeeper.readers.payloads import json_lines, scalar_text
from watchkeeper.readers.records import Sides, merged_labels, read_sides

SEED = 0  # deviations are of samples drawn with it: the same data give the same files
LABEL, PREDICTION, SCORE = "label", "prediction", "score"
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\*|'[^']*'|\"[^\"]*\")?\]")
Row = tuple[object, object, object]  # label, prediction, score, each as read; None where nobody asks for it


@dataclass(frozen=True, slots=True)
class JudgedQuality:
    """What was found of model quality."""

    statistics: QualityStatistics
    suggested: QualityConstraints
    violations: tuple[Violation, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """Rows that can be used as `label`, `prediction` and `score`, and the others: how many, which is first.

    Label and prediction are numbers in a regression, else texts.
    """

    frames: list[pl.DataFrame] = field(default_factory=list)
    bad: int = 0
    first: str = ""

    def leave_out(self, where: str, count: int = 1) -> None:
        self.bad += count
        self.first = self.first or where

    def take(self, other: _Found) -> None:
        self.frames += other.frames
        if other.bad:
            self.leave_out(other.first, other.bad)


def judge_quality(job: Job, data: DataSet, asked: QualityConstraints | None, engine: Engine) -> JudgedQuality:
    """Figures of all rows, the constraints they suggest, and where they break those that are `asked`.

    Rows that lack what the problem type needs are left out and counted. Raises NoData when no row is left,
    and InputError for rows that are not of the problem type.
    """
    if job.quality is None:
        raise ValueError("judge model quality: want its attributes, got none")
    found = _Found()
    if isinstance(data.layout, CaptureLayout):
        for part in engine(partial(_of_file, job.quality, job.window), data.blobs):
            found.take(part)
    else:
        for part in engine(partial(_of_chunk, job.quality), chunks_of(data)):
            found.take(part)
    rows = pl.concat([_table([], job.quality), *found.frames])
    if not rows.height:
        raise NoData(
            f"none of {found.bad:,} rows can be used, the first is {found.first}" if found.bad else ""
        )
    try:
        statistics = model_quality.statistics(_answers(rows, job.quality), SEED)
        violations = model_quality.check(statistics, asked, model_quality.Settings()) if asked else ()
    except ValueError as error:
        raise InputError(f"judge model quality of {data.name}: {error}") from None
    notes = (f"{found.bad:,} rows that cannot be used, the first {found.first}",) if found.bad else ()
    return JudgedQuality(statistics, model_quality.suggest(statistics), violations, notes)


def _answers(rows: pl.DataFrame, asked: Attributes) -> Answers:
    if asked.problem is ProblemType.REGRESSION:
        return Answers.of_numbers(rows[LABEL].to_numpy(), rows[PREDICTION].to_numpy())
    scores = rows[SCORE].to_numpy() if asked.probability else None
    if asked.inference or scores is None:
        predictions = rows[PREDICTION].to_list()
    else:
        predictions = thresholded(scores, asked.threshold)
    return Answers.of_classes(rows[LABEL].to_list(), predictions, scores, asked.problem)


def _table(rows: Sequence[Row], asked: Attributes) -> pl.DataFrame:
    """Rows with `label`, `prediction` and `score`, all of which can be used."""
    kind = pl.Float64 if asked.problem is ProblemType.REGRESSION else pl.String
    return pl.DataFrame(rows, schema={LABEL: kind, PREDICTION: kind, SCORE: pl.Float64}, orient="row")


def _of_chunk(asked: Attributes, chunk: Chunk) -> _Found:
    """Columns of a table, by name or, where it has no names, by position."""
    found = _Found()
    for part in load(chunk):
        for bad in part.bad[:1]:
            found.leave_out(f"{bad.key}:{bad.line_number} ({bad.reason})", part.bad_count)
        if not part.frame.height:
            continue
        named = {
            LABEL: (asked.ground_truth or LABEL, "ground_truth_attribute"),
            PREDICTION: (asked.inference, "inference_attribute"),
            SCORE: (asked.probability, "probability_attribute"),
        }
        columns = {
            role: part.frame[_column(part.frame, name, variable, part.name)]
            for role, (name, variable) in named.items()
            if name
        }
        _take_columns(found, columns, asked, (part.name, part.frame[LINE]))
    return found


def _take_columns(
    found: _Found, columns: dict[str, pl.Series], asked: Attributes, where: tuple[str, pl.Series]
) -> None:
    """The rows of which every column that is there can be used."""
    regression = asked.problem is ProblemType.REGRESSION
    cells = {
        role: (_numbers if regression or role == SCORE else _texts)(column).alias(role)
        for role, column in columns.items()
    }
    absent = _table([(None, None, None)] * len(where[1]), asked)
    frame = absent.with_columns(cells.values())
    usable = frame.select(pl.all_horizontal(pl.col(*cells).is_not_null())).to_series()
    found.frames.append(frame.filter(usable))
    if not usable.all():
        name, lines = where
        wanted = "a number on both sides" if regression else f"a {' and a '.join(cells)}"
        found.leave_out(f"{name}:{lines.filter(~usable)[0]} (want {wanted})", int((~usable).sum()))


def _column(frame: pl.DataFrame, wanted: str, variable: str, file: str) -> str:
    names = data_columns(frame)
    if wanted in names:
        return wanted
    position = f"_c{wanted}"
    if position in names:
        return position
    shown = ", ".join(names[:20])
    raise InputError(f'read {file}: want the column "{wanted}" of {variable}, got {shown}')


def _numbers(cells: pl.Series) -> pl.Series:
    """The cells as finite numbers, null where they are none."""
    found = cells.cast(pl.String).str.strip_chars() if cells.dtype == pl.String else cells
    numbers = found.cast(pl.Float64, strict=False)
    return numbers.set(~numbers.is_finite().fill_null(value=False), None)


def _texts(cells: pl.Series) -> pl.Series:
    texts = cells.cast(pl.String).str.strip_chars()
    return texts.set((texts == "").fill_null(value=False), None)


def _of_file(asked: Attributes, window: Window | None, blob: Blob) -> _Found:
    found, rows = _Found(), list[Row]()
    for line in captured_lines([blob], window):
        try:
            rows += _of_record(read_sides(line.text, 0), asked)
        except ValueError as error:
            found.leave_out(f"{line.where} ({error})")
    found.frames.append(_table(rows, asked))
    return found


def _of_record(sides: Sides, asked: Attributes) -> list[Row]:
    """A merged record's rows. ValueError says what is wrong."""
    if sides.truth is None:
        raise ValueError("groundTruthData: want an object, got nothing")
    answer = sides.output or sides.both
    if answer is None:
        raise ValueError("endpointOutput: want an object, got nothing")
    of_problem = _number if asked.problem is ProblemType.REGRESSION else _class
    labels: list[object] = [of_problem(label, "the label") for label in merged_labels(sides.truth)]
    nobody: list[object] = [None] * len(labels)
    predictions, scores = nobody, nobody
    if asked.inference:
        values = _predicted(answer, asked.inference, "inference_attribute")
        predictions = [of_problem(value, "the prediction") for value in values]
    if asked.probability:
        values = _predicted(answer, asked.probability, "probability_attribute")
        scores = [_number(value, "the probability") for value in values]
    for column in (predictions, scores):
        if len(labels) != len(column):
            raise ValueError(f"want a label for each of {len(column)} predictions, got {len(labels)}")
    return list(zip(labels, predictions, scores, strict=True))


def _predicted(answer: Payload, path: str, variable: str) -> list[object]:
    if answer.encoding == "CSV":
        if not path.isdigit():
            raise ValueError(f'{variable}: want the index of an output such as "0" for CSV, got "{path}"')
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


def _class(value: object, what: str) -> str:
    text = scalar_text(value, what)
    if text is None or not text.strip():
        raise ValueError(f"want {what} to be a class, got nothing")
    return text.strip()

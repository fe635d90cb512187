"""What a judge is told and what it answers; `judges` names them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from watchkeeper.app.files.suggestion import Suggestion
from watchkeeper.app.judging.segmenting import SegmentsBy
from watchkeeper.app.setup.sections import MonitorSection
from watchkeeper.core.values import Schema, Segment, Violation
from watchkeeper.model.artefact import Model
from watchkeeper.monitors.data_quality_diff import Change
from watchkeeper.monitors.data_quality_values import Sla
from watchkeeper.monitors.evidence import NoRows, OffendingRows
from watchkeeper.monitors.monitor import Monitor

LABEL = "label"  # the column that joining labels adds
VIOLATIONS = "constraint_violations.json"
NO_SEGMENTS = SegmentsBy((), {}, 1)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a judgement that becomes a sample: metric name without the prefix, labels of its own."""

    metric: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """What a monitor found in some rows; `rows` says of each violation which of them it is about.

    `files` are the execution's, as the contract has them: name and text.
    """

    files: tuple[tuple[str, str], ...]
    violations: tuple[Violation, ...]
    rows: tuple[OffendingRows | NoRows, ...]
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """The model version that rows are of, and how the project has it watched by the monitor.

    `model` loads it, for the monitors that ask it something; it raises InputError where it is not in the
    store.
    """

    schema: Schema
    section: MonitorSection
    model: Callable[[], Model]


@dataclass(frozen=True, slots=True)
class Against:
    """What rows are judged against: a baseline of the model version, and promises.

    Values of `sensitive` columns are in nothing that is said of the rows.
    """

    watched: Watched
    baseline: Suggestion
    slas: tuple[Sla, ...] = ()
    sensitive: frozenset[str] = frozenset()
    segments: SegmentsBy = NO_SEGMENTS


@dataclass(frozen=True, slots=True)
class Judge:
    """A monitor at work: rows to a baseline's files, rows against a baseline to a judgement, and what tells
    two baselines apart.

    Rows are text columns named as in the schema; where the monitor needs labels, with `label` beside.
    `files` are the names of a baseline's files in their order, `extras` those that only some baselines have,
    after them; `estimates` says whether what it finds can be estimated before the labels come.
    """

    monitor: Monitor
    files: tuple[str, ...]
    suggest: Callable[[pl.DataFrame, Watched], Suggestion]
    judge: Callable[[pl.DataFrame, Against], Judged]
    diff: Callable[[Suggestion, Suggestion], tuple[Change, ...]]
    estimates: bool = False
    extras: tuple[str, ...] = ()

    @property
    def needs_labels(self) -> bool:
        """Whether rows are judged only once their labels are there."""
        return self.monitor.needs_labels


def violations_file(text: str, violations: Sequence[object]) -> tuple[tuple[str, str], ...]:
    """The file of an execution's violations; the contract writes none where there are none."""
    return ((VIOLATIONS, text),) if violations else ()


def sla_figures(per_sla: Sequence[tuple[str, int]]) -> tuple[Figure, ...]:
    """How often each promise was broken."""
    return tuple(Figure("sla_violations", float(count), (("sla", name),)) for name, count in per_sla)


def numbers(column: pl.Series) -> npt.NDArray[np.float64]:
    """A text column of numbers as float64, shape (rows,). Raises ValueError for a cell that is none."""
    cast = column.cast(pl.Float64, strict=False)
    if cast.null_count():
        bad = column.filter(cast.is_null())
        raise ValueError(f"column {column.name}: want numbers, got {bad.len()} cells such as {bad[0]!r}")
    return cast.to_numpy()


def drawn(rows: pl.DataFrame, most: int) -> pl.DataFrame:
    """The rows, or of more than `most` as many drawn evenly, always the same, in their order."""
    if rows.height <= most:
        return rows
    random = np.random.Generator(np.random.PCG64(0))
    return rows[np.sort(random.choice(rows.height, most, replace=False))]

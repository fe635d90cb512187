"""What each monitor makes of a window's rows: one `Judge` a monitor, found by name in `JUDGES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import polars as pl

from watchkeeper.app.sensitive import without_values, worded
from watchkeeper.app.slas import broken_by_figures, broken_per_sla, source_notes, with_slas
from watchkeeper.app.suggestion import Suggestion as Suggestion  # the judges' answer, found here too
from watchkeeper.core.statistics.distances import Distance
from watchkeeper.core.values import Metrics, Role, Schema, Segment, Undefined, Violation
from watchkeeper.monitors import data_quality, model_quality
from watchkeeper.monitors.answers import Answers
from watchkeeper.monitors.data_quality_values import Sla
from watchkeeper.monitors.evidence import NoRows, OffendingRows, offending_rows
from watchkeeper.monitors.model_quality_values import QualityStatistics
from watchkeeper.readers import contract as read
from watchkeeper.render.contract import constraints_json, statistics_json

LABEL = "label"  # the column that joining labels adds
WORST = 5  # segments kept with a judgement
_OF_ALL_ROWS = NoRows("it is about a figure of all rows together")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a judgement that becomes a sample: metric name without the prefix, labels of its own."""

    metric: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """What a monitor found in some rows; `rows` says of each violation which of them it is about."""

    found: Suggestion  # statistics of these rows, and the constraints they would suggest
    violations: tuple[Violation, ...]
    rows: tuple[OffendingRows | NoRows, ...]
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Against:
    """What rows are judged against: schema, baseline, how much worse than it they may be, promises.

    Values of `sensitive` columns are in nothing that is said of the rows.
    """

    schema: Schema
    baseline: Suggestion
    tolerance: float
    slas: tuple[Sla, ...] = ()
    sensitive: frozenset[str] = frozenset()
    segments: tuple[str, ...] = ()  # columns whose values are looked at apart


@dataclass(frozen=True, slots=True)
class Judge:
    """A monitor at work: rows to a baseline's files, and rows against a baseline to a judgement.

    Rows are text columns named as in the schema; where the monitor needs labels, with `label` beside.
    `estimates` says whether what it finds can be estimated before the labels come.
    """

    needs_labels: bool
    suggest: Callable[[pl.DataFrame, Schema], Suggestion]
    judge: Callable[[pl.DataFrame, Against], Judged]
    estimates: bool = False


def numbers(column: pl.Series) -> npt.NDArray[np.float64]:
    """A text column of numbers as float64, shape (rows,). Raises ValueError for a cell that is none."""
    cast = column.cast(pl.Float64, strict=False)
    if cast.null_count():
        bad = column.filter(cast.is_null())
        raise ValueError(f"column {column.name}: want numbers, got {bad.len()} cells such as {bad[0]!r}")
    return cast.to_numpy()


def known_figures(labels: npt.NDArray[np.float64], predictions: npt.NDArray[np.float64]) -> Metrics | None:
    """Figures of labelled rows; None where one has no value, such as R² of labels that do not vary."""
    try:
        return model_quality.figures(labels, predictions)
    except ValueError:
        return None


def _suggest_data_quality(rows: pl.DataFrame, schema: Schema) -> Suggestion:
    """Statistics of the rows the model had not seen when it scored them; domains of all rows.

    So the baseline is recent, and a rare category that a few months lack is no surprise.
    """
    inputs = [column.name for column in schema.inputs]
    recent = rows.drop_nulls(schema.prediction.name).select(*inputs, schema.prediction.name)
    statistics = data_quality.profile(recent, schema)
    known = data_quality.profile(rows.select(inputs), schema)
    return Suggestion(
        statistics_json(statistics), constraints_json(data_quality.suggest(statistics, schema, known))
    )


def _judge_data_quality(rows: pl.DataFrame, against: Against) -> Judged:
    schema, baseline = against.schema, against.baseline
    before = read.data_quality_statistics(baseline.statistics, "baseline statistics.json")
    asked = with_slas(
        read.data_quality_constraints(baseline.constraints, "baseline constraints.json"), against.slas
    )
    watched = [column.name for column in schema.columns if column.role is not Role.LABEL]
    statistics = data_quality.profile(rows.select(name for name in watched if name in rows.columns), schema)
    violations = data_quality.check(statistics, before, asked, schema)
    drifts = data_quality.drift(statistics, before, asked, schema)
    figures = [Figure("data_quality_violations", float(len(violations)))]
    figures += [
        Figure("data_quality_drift_distance", drift.distance.value, (("feature", drift.column),))
        for drift in drifts
        if isinstance(drift.distance, Distance)
    ]
    figures += [
        Figure(
            "data_quality_completeness_ratio",
            feature.num_present / statistics.item_count,
            (("feature", feature.name),),
        )
        for feature in statistics.features
        if statistics.item_count
    ]
    figures += _sla_figures(broken_per_sla(statistics, asked, schema))
    notes = tuple(
        f"drift of {drift.column} not measured: {drift.distance.reason}"
        for drift in drifts
        if isinstance(drift.distance, Undefined)
    )
    hidden = against.sensitive
    suggested = without_values(data_quality.suggest(statistics, schema), hidden)
    return Judged(
        Suggestion(statistics_json(without_values(statistics, hidden)), constraints_json(suggested)),
        tuple(worded(each, hidden) for each in violations),
        tuple(offending_rows(each, before, asked, hidden) for each in violations),
        tuple(figures),
        (*notes, *source_notes(asked)),
    )


def _sla_figures(per_sla: tuple[tuple[str, int], ...]) -> list[Figure]:
    return [Figure("sla_violations", float(count), (("sla", name),)) for name, count in per_sla]


def _suggest_model_quality(rows: pl.DataFrame, schema: Schema) -> Suggestion:
    scored = rows.drop_nulls([schema.prediction.name, LABEL])
    answers = Answers.of_numbers(numbers(scored[LABEL]), numbers(scored[schema.prediction.name]))
    statistics = model_quality.statistics(answers, seed=0)
    return Suggestion(statistics_json(statistics), constraints_json(model_quality.suggest(statistics)))


def _judge_model_quality(rows: pl.DataFrame, against: Against) -> Judged:
    schema, baseline = against.schema, against.baseline
    before = read.quality_statistics(baseline.statistics, "baseline statistics.json")
    asked = read.quality_constraints(baseline.constraints, "baseline constraints.json")
    labels, predictions = numbers(rows[LABEL]), numbers(rows[schema.prediction.name])
    statistics = model_quality.statistics(Answers.of_numbers(labels, predictions), seed=0)
    violations = model_quality.check(statistics, asked, model_quality.Settings(against.tolerance))
    figures, notes = _quality_figures(labels, predictions, before)
    known = {figure.metric: figure.value for figure in figures}
    broken, per_sla, unjudged = broken_by_figures(against.slas, known)
    suggested = model_quality.suggest(statistics)
    return Judged(
        Suggestion(statistics_json(statistics), constraints_json(suggested)),
        (*violations, *broken),
        (_OF_ALL_ROWS,) * len((*violations, *broken)),
        (*figures, *_sla_figures(per_sla)),
        (*notes, *unjudged),
        _worst_segments(rows, labels, predictions, against),
    )


def _worst_segments(
    rows: pl.DataFrame,
    labels: npt.NDArray[np.float64],
    predictions: npt.NDArray[np.float64],
    against: Against,
) -> tuple[Segment, ...]:
    """Those with the largest error as a share of the label: by the amount the dearest would always lead."""
    columns = [name for name in against.segments if name not in against.sensitive]
    found = model_quality.segments(rows, labels, predictions, columns)
    return tuple(sorted(found, key=lambda segment: -segment.metrics.mape)[:WORST])


def _quality_figures(
    labels: npt.NDArray[np.float64], predictions: npt.NDArray[np.float64], before: QualityStatistics
) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
    """Figures that have a value, and a note on why the others have none."""
    try:
        metrics = model_quality.figures(labels, predictions)
    except ValueError as error:
        return (), (f"figures not known: {error}",)
    found = [
        Figure(f"model_quality_{name}", value)
        for name, value in (
            ("rmse", metrics.rmse),
            ("mae", metrics.mae),
            ("mape", metrics.mape),
            ("r2", metrics.r2),
            ("bias_ratio", metrics.bias),
        )
    ]
    rmse = before.figure("rmse").value
    if isinstance(rmse, Undefined) or rmse == 0:
        reason = rmse.reason if isinstance(rmse, Undefined) else "the baseline's is 0"
        return tuple(found), (f"rmse against the baseline not known: {reason}",)
    return (*found, Figure("model_quality_rmse_baseline_ratio", metrics.rmse / rmse)), ()


JUDGES: Mapping[str, Judge] = MappingProxyType(
    {
        data_quality.MONITOR.name: Judge(
            data_quality.MONITOR.needs_labels, _suggest_data_quality, _judge_data_quality
        ),
        model_quality.MONITOR.name: Judge(
            model_quality.MONITOR.needs_labels, _suggest_model_quality, _judge_model_quality, estimates=True
        ),
    }
)


def as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Every column as text, numbers in their shortest form."""
    return rows.with_columns(pl.all().cast(pl.String))

"""The model-quality judge: errors of labelled rows, as the contract's files."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from watchkeeper.app.files.suggestion import CONSTRAINTS, STATISTICS, Suggestion
from watchkeeper.app.judging.judgement import (
    LABEL,
    Against,
    Figure,
    Judge,
    Judged,
    Watched,
    numbers,
    sla_figures,
    violations_file,
)
from watchkeeper.app.judging.segmenting import Divided, divided
from watchkeeper.app.judging.slas import broken_by_figures
from watchkeeper.core.values import Metrics, Segment, Undefined
from watchkeeper.monitors import model_quality, model_quality_diff
from watchkeeper.monitors.answers import Answers
from watchkeeper.monitors.data_quality_diff import Change
from watchkeeper.monitors.evidence import NoRows
from watchkeeper.monitors.model_quality_diff import QualityBaseline
from watchkeeper.monitors.model_quality_intervals import intervals
from watchkeeper.monitors.model_quality_values import QualityStatistics
from watchkeeper.readers import contract as read
from watchkeeper.render.contract import constraints_json, statistics_json, violations_json

WORST = 5  # segments kept with a judgement
_OF_ALL_ROWS = NoRows("it is about a figure of all rows together")


def known_figures(labels: npt.NDArray[np.float64], predictions: npt.NDArray[np.float64]) -> Metrics | None:
    """Figures of labelled rows; None where one has no value, such as R² of labels that do not vary."""
    try:
        return model_quality.figures(labels, predictions)
    except ValueError:
        return None


def suggest(rows: pl.DataFrame, watched: Watched) -> Suggestion:
    """Errors of the rows that have both label and prediction, and the limits the contract puts on them."""
    schema = watched.schema
    scored = rows.drop_nulls([schema.prediction.name, LABEL])
    answers = Answers.of_numbers(numbers(scored[LABEL]), numbers(scored[schema.prediction.name]))
    statistics = model_quality.statistics(answers, seed=0)
    return Suggestion.of(statistics_json(statistics), constraints_json(model_quality.suggest(statistics)))


def judge(rows: pl.DataFrame, against: Against) -> Judged:
    """Errors against the baseline's, figures against promises, and the segments that are worst."""
    schema, baseline = against.watched.schema, against.baseline
    before = read.quality_statistics(baseline.statistics, "baseline statistics.json")
    asked = read.quality_constraints(baseline.constraints, "baseline constraints.json")
    labels, predictions = numbers(rows[LABEL]), numbers(rows[schema.prediction.name])
    statistics = model_quality.statistics(Answers.of_numbers(labels, predictions), seed=0)
    violations = model_quality.check(
        statistics, asked, model_quality.Settings(against.watched.section.tolerance)
    )
    figures, notes = _quality_figures(labels, predictions, before)
    apart = divided(rows, schema, against.segments, against.sensitive)
    bounds = _bounds(labels, predictions, against.watched.section.bootstrap, before)
    known = {figure.metric: figure.value for figure in figures}
    broken, per_sla, unjudged = broken_by_figures(against.slas, known)
    suggested = model_quality.suggest(statistics)
    found = (*violations, *broken)
    return Judged(
        (
            (STATISTICS, statistics_json(statistics)),
            (CONSTRAINTS, constraints_json(suggested)),
            *violations_file(violations_json(found), found),
        ),
        found,
        (_OF_ALL_ROWS,) * len(found),
        (Figure("model_quality_violations", float(len(found))), *figures, *bounds, *sla_figures(per_sla)),
        (*notes, *unjudged, *apart.notes),
        _worst_segments(apart, labels, predictions, against.segments.least),
    )


def _worst_segments(
    apart: Divided, labels: npt.NDArray[np.float64], predictions: npt.NDArray[np.float64], least: int
) -> tuple[Segment, ...]:
    """Those with the largest error as a share of the label: by the amount the dearest would always lead."""
    found = model_quality.segments(apart.rows, labels, predictions, apart.columns, least)
    return tuple(sorted(found, key=lambda segment: -segment.metrics.mape)[:WORST])


def _bounds(
    labels: npt.NDArray[np.float64],
    predictions: npt.NDArray[np.float64],
    resamples: int,
    before: QualityStatistics,
) -> list[Figure]:
    """The ends of each figure's interval, and the low one of the error over the baseline's."""
    if not resamples:
        return []
    found = intervals(labels, predictions, resamples, seed=0)
    base = before.figure("rmse").value
    lows = [each.low for each in found if each.metric == "rmse"]
    over = [] if isinstance(base, Undefined) or base == 0 else [low / base for low in lows]
    return [
        *(Figure("model_quality_rmse_baseline_ratio_low", ratio) for ratio in over),
        *(
            Figure("model_quality_bound", end, (("bound", name), ("figure", each.metric)))
            for each in found
            for name, end in (("low", each.low), ("high", each.high))
        ),
    ]


def _quality_figures(
    labels: npt.NDArray[np.float64], predictions: npt.NDArray[np.float64], before: QualityStatistics
) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
    """Figures that have a value, and a note on why the others have none."""
    try:
        values = model_quality.named_figures(labels, predictions)
    except ValueError as error:
        return (), (f"figures not known: {error}",)
    found = [Figure(f"model_quality_{name}", value) for name, value in values.items()]
    rmse = before.figure("rmse").value
    if isinstance(rmse, Undefined) or rmse == 0:
        reason = rmse.reason if isinstance(rmse, Undefined) else "the baseline's is 0"
        return tuple(found), (f"rmse against the baseline not known: {reason}",)
    return (*found, Figure("model_quality_rmse_baseline_ratio", values["rmse"] / rmse)), ()


def diff(before: Suggestion, after: Suggestion) -> tuple[Change, ...]:
    """What tells two baselines apart, figure by figure."""
    left, right = (
        QualityBaseline(
            read.quality_statistics(each.statistics, "statistics.json"),
            read.quality_constraints(each.constraints, "constraints.json"),
        )
        for each in (before, after)
    )
    return model_quality_diff.diff(left, right)


JUDGE = Judge(model_quality.MONITOR, (STATISTICS, CONSTRAINTS), suggest, judge, diff, estimates=True)

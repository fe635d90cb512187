"""What a page shows beside an execution: distributions, errors row by row, segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from watchkeeper.app.baselines import baseline_by
from watchkeeper.app.column_distributions import column_distribution
from watchkeeper.app.executions import folder_of
from watchkeeper.app.judging import LABEL, numbers
from watchkeeper.core.ports import Store
from watchkeeper.core.values import VERDICTS, Execution, Schema, Segment
from watchkeeper.monitors import data_quality, model_quality
from watchkeeper.readers import contract as read
from watchkeeper.render.charts import Distribution, Residuals

DRIFT = "watchkeeper_data_quality_drift_distance"


@dataclass(frozen=True, slots=True)
class QualityEvidence:
    """The worst segments of labelled rows, and the rows themselves as points."""

    segments: tuple[Segment, ...]
    residuals: Residuals


def distributions(store: Store, execution: Execution) -> tuple[Distribution, ...]:
    """Each compared column in the baseline and in the window, those with a violation first.

    Empty for any other monitor than data quality and for an execution that judged nothing.
    """
    if execution.monitor != data_quality.MONITOR.name or execution.status not in VERDICTS:
        return ()
    judgement = [each for each in execution.judgements if each.status in VERDICTS][-1]
    if judgement.baseline is None:
        return ()
    baseline = baseline_by(store, judgement.baseline)
    before = read.data_quality_statistics(baseline.statistics, "baseline statistics.json")
    text = _statistics_of(store, execution, judgement.model_version)
    if text is None:
        return ()
    now = read.data_quality_statistics(text, "statistics.json")
    hurt = {violation.subject for violation in execution.violations}
    notes = {violation.subject: violation.description for violation in execution.violations}
    drifts = [sample for sample in execution.samples if sample.metric == DRIFT]
    compared = hurt | {dict(sample.labels)["feature"] for sample in drifts}
    shown = [
        distribution
        for feature in now.features
        if feature.name in compared
        and (earlier := before.feature(feature.name)) is not None
        and (distribution := column_distribution(earlier, feature, notes.get(feature.name, ""))) is not None
    ]
    return tuple(sorted(shown, key=lambda each: each.column not in hurt))


def quality_evidence(
    rows: pl.DataFrame, schema: Schema, columns: Sequence[str], unit: str
) -> QualityEvidence:
    """Evidence from labelled rows (text columns, with `label`), by the values of `columns`."""
    labels, predictions = numbers(rows[LABEL]), numbers(rows[schema.prediction.name])
    points = tuple(zip(predictions.tolist(), labels.tolist(), strict=True))
    return QualityEvidence(
        segments=model_quality.segments(rows, labels, predictions, columns),
        residuals=Residuals(points, len(points), unit),
    )


def _statistics_of(store: Store, execution: Execution, version: int) -> bytes | None:
    folder = folder_of(store, execution)
    held = set(store.list(folder))
    for key in (f"{folder}statistics.json", f"{folder}model-v{version}/statistics.json"):
        if key in held:
            return store.read(key)
    return None

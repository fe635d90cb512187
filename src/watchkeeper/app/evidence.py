"""What a page shows beside an execution: distributions, errors row by row, segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watchkeeper.app.baselines import baseline_of
from watchkeeper.app.executions import folder_of
from watchkeeper.app.judging import LABEL, numbers
from watchkeeper.core.ports import Store
from watchkeeper.core.statistics.sketch import Ranks
from watchkeeper.core.values import VERDICTS, Execution, Schema, Segment
from watchkeeper.monitors import data_quality, model_quality
from watchkeeper.monitors.data_quality_values import (
    FeatureStatistics,
    NumericalStatistics,
    StringStatistics,
)
from watchkeeper.readers import contract as read
from watchkeeper.render.charts import Distribution, Residuals

BINS = 20
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
    _, baseline = baseline_of(store, execution.monitor, judgement.model_version)
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
        and (distribution := _distribution(earlier, feature, notes.get(feature.name, ""))) is not None
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


def _distribution(before: FeatureStatistics, now: FeatureStatistics, note: str) -> Distribution | None:
    """None for a column with nothing to compare: one value throughout, or texts without end."""
    if before.numerical is not None and now.numerical is not None:
        return _numeric(now.name, before.numerical, now.numerical, note)
    if before.string is not None and now.string is not None:
        return _categorical(now.name, before.string, now.string, note)
    return None


def _numeric(
    name: str, before: NumericalStatistics, now: NumericalStatistics, note: str
) -> Distribution | None:
    low = min(before.summary.min, now.summary.min)
    high = max(before.summary.max, now.summary.max)
    if low == high:
        return None
    edges = np.linspace(low, high, BINS + 1)
    return Distribution(
        column=name,
        kind="numeric",
        baseline=_binned(before.sketch.ranks(), edges),
        window=_binned(now.sketch.ranks(), edges),
        edges=tuple(edges.tolist()),
        note=note,
    )


def _categorical(
    name: str, before: StringStatistics, now: StringStatistics, note: str
) -> Distribution | None:
    earlier, later = dict(before.counts), dict(now.counts)
    labels = tuple(sorted(earlier.keys() | later.keys()))
    if len(labels) > data_quality.DOMAIN_VALUES or not earlier or not later:
        return None
    return Distribution(
        column=name,
        kind="categorical",
        baseline=tuple(earlier.get(label, 0) / before.total for label in labels),
        window=tuple(later.get(label, 0) / now.total for label in labels),
        labels=labels,
        note=note,
    )


def _binned(ranks: Ranks, edges: NDArray[np.float64]) -> tuple[float, ...]:
    """Share of the weight in each bin; the last bin has its upper edge too."""
    below = ranks.below(edges)
    below[-1] = ranks.total
    return tuple((np.diff(below) / ranks.total).tolist())

"""CloudWatch metrics as the JSON lines of a monitoring container (contract 9.2, 9.3, 9.5)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchkeeper.core.values import Undefined
from watchkeeper.core.windows import utc_text
from watchkeeper.monitors.data_quality_values import DataQualityStatistics, FeatureStatistics
from watchkeeper.monitors.model_quality_values import QualityStatistics

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MetricLabels:
    """What every line carries: its time, and the dimensions that are known."""

    time: datetime
    endpoint: str | None = None
    schedule: str | None = None

    def dimensions(self) -> list[dict[str, str]]:
        """`Endpoint`, then `MonitoringSchedule`."""
        named = (("Endpoint", self.endpoint), ("MonitoringSchedule", self.schedule))
        return [{"Name": name, "Value": value} for name, value in named if value is not None]


def data_quality_metrics(
    statistics: DataQualityStatistics, distances: Mapping[str, float], labels: MetricLabels
) -> str:
    """One line for each metric of each column, `\\n` after each.

    `feature_data_…` of columns of numbers, `feature_non_null_…` (the share of present values, which the
    contract leaves open) of all, `feature_baseline_drift_…` of those in `distances`.
    """
    found = (each for feature in statistics.features for each in _of_column(feature, distances))
    return _lines(found, labels)


def model_quality_metrics(statistics: QualityStatistics, labels: MetricLabels) -> str:
    """One line for each figure that has a value, under the file's name of it."""
    values = ((name, figure.value) for name, figure in statistics.figures())
    return _lines(((name, _value(each)) for name, each in values if not isinstance(each, Undefined)), labels)


def _of_column(feature: FeatureStatistics, distances: Mapping[str, float]) -> Iterator[tuple[str, Figures]]:
    rows = feature.num_present + feature.num_missing
    if feature.numerical is not None:
        yield f"feature_data_{feature.name}", {"StatisticValues": _set(feature)}
    if rows:
        yield f"feature_non_null_{feature.name}", _value(feature.num_present / rows)
    if feature.name in distances:
        yield f"feature_baseline_drift_{feature.name}", _value(distances[feature.name])


def _set(feature: FeatureStatistics) -> dict[str, float]:
    """The numbers of a column. In one with other cells too only the numbers are counted."""
    if feature.numerical is None:
        raise ValueError(f"{feature.name} is no column of numbers")
    summary = feature.numerical.summary
    return {
        "SampleCount": float(feature.types.integral + feature.types.fractional),
        "Sum": float(summary.sum),
        "Minimum": float(summary.min),
        "Maximum": float(summary.max),
    }


def _value(value: float) -> Figures:
    return {"Value": float(value)}


def _lines(metrics: Iterable[tuple[str, Figures]], labels: MetricLabels) -> str:
    time, dimensions = utc_text(labels.time.replace(microsecond=0)), labels.dimensions()
    return "".join(
        json.dumps(
            {"MetricName": name, "Timestamp": time, "Dimensions": dimensions, **figures, "Unit": "None"},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        + "\n"
        for name, figures in metrics
    )

"""CloudWatch metrics as the JSON lines of a monitoring container (contract 9.2, 9.3, 9.5).

A monitor of a project says there what it exposes to Prometheus: `Endpoint` and `MonitoringSchedule` are the
dimensions of every metric, as Model Monitor has them, and labels of its own follow as dimensions in capitals.
Project and environment are in the endpoint's name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchkeeper.core.metrics import METRIC_PREFIX, Metric
from watchkeeper.core.values import Sample, Undefined
from watchkeeper.core.windows import utc_text
from watchkeeper.monitors.data_quality_values import DataQualityStatistics, FeatureStatistics
from watchkeeper.monitors.model_quality_values import QualityStatistics

Figures = dict[str, Any]
FEATURE = "feature"
_DIMENSIONS = {"endpoint": "Endpoint", "schedule": "MonitoringSchedule"}
_WORST_IS_LEAST = frozenset({"data_quality_completeness_ratio"})


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


def sample_metrics(samples: Sequence[Sample], *, by_feature: bool = False) -> str:
    """One line for each sample of a monitor, as of its time.

    Each series is paid for, so of a figure of features the worst stands for all unless `by_feature`: the
    greatest, of completeness the least.
    """
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Sample] = {}
    for sample in samples:
        name = cloudwatch_name(sample.metric)
        named = tuple((key, text) for key, text in _named(sample) if by_feature or key != "Feature")
        known = found.get((name, named))
        if known is None or (sample.value < known.value) is (name in _WORST_IS_LEAST):
            found[name, named] = sample
    return "".join(
        _line(
            name,
            utc_text(sample.time.replace(microsecond=0)),
            [{"Name": key, "Value": text} for key, text in named],
            _value(sample.value),
        )
        for (name, named), sample in found.items()
    )


def cloudwatch_name(metric: str) -> str:
    """What a metric of ours is called in CloudWatch, where the namespace says whose it is."""
    return metric.removeprefix(METRIC_PREFIX)


def dimensions_of(metric: Metric, *, by_feature: bool = False) -> tuple[str, ...]:
    """The names of all dimensions of a monitor's metric, as `sample_metrics` writes them."""
    own = (label for label in sorted(metric.labels) if by_feature or label != FEATURE)
    return (*_DIMENSIONS.values(), *map(_dimension, own))


def _named(sample: Sample) -> Iterator[tuple[str, str]]:
    """Its dimensions: those that every metric has, then its own in the order of their labels."""
    labels = dict(sample.labels)
    for label, name in _DIMENSIONS.items():
        yield name, _dimension_value(labels[label])
    for label in sorted(labels.keys() - {"project", "environment", *_DIMENSIONS}):
        yield _dimension(label), _dimension_value(labels[label])


def _dimension(label: str) -> str:
    return "".join(part.title() for part in label.split("_"))


def _dimension_value(text: str) -> str:
    """CloudWatch takes ASCII alone, and no blank."""
    return text.strip().encode("ascii", "backslashreplace").decode() or "-"


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
    return "".join(_line(name, time, dimensions, figures) for name, figures in metrics)


def _line(name: str, time: str, dimensions: list[dict[str, str]], figures: Figures) -> str:
    found = {"MetricName": name, "Timestamp": time, "Dimensions": dimensions, **figures, "Unit": "None"}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n"

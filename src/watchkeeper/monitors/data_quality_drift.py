"""How far columns are from the baseline, whether or not that is too far: the figures behind two checks."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.core.statistics import distances
from watchkeeper.core.statistics.distances import Distance
from watchkeeper.core.values import Column, Role, Schema, Undefined
from watchkeeper.monitors.data_quality_values import (
    DataQualityConstraints,
    DataQualityStatistics,
    DistributionConstraints,
    FeatureConstraints,
    FeatureStatistics,
    MonitoringConfig,
)

_FULL = frozenset({Role.FEATURE, Role.PREDICTION})


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one column is from the baseline, and how far it may be."""

    column: str
    distance: Distance | Undefined
    threshold: float

    @property
    def exceeded(self) -> bool:
        """Whether it is too far; what could not be measured is not."""
        return isinstance(self.distance, Distance) and self.distance.value > self.threshold


@dataclass(frozen=True, slots=True)
class Unseen:
    """The share of a column's rows whose value the baseline has not, and those values, most rows first."""

    column: str
    share: float | Undefined
    values: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """One column with everything it is judged by."""

    column: Column
    seen: FeatureStatistics
    before: FeatureStatistics | None
    asked: FeatureConstraints
    config: MonitoringConfig


def drift(
    statistics: DataQualityStatistics,
    baseline: DataQualityStatistics,
    constraints: DataQualityConstraints,
    schema: Schema,
) -> tuple[Drift, ...]:
    """The distance of each `feature` and `prediction` column both have, whether or not it is too far.

    Empty when the constraints switch the comparison off.
    """
    config = constraints.monitoring_config
    if not config.distribution.perform_comparison:
        return ()
    return tuple(
        measured(Subject(column, seen, baseline.feature(asked.name), asked, config))
        for asked in constraints.features
        if (column := column_of(asked, schema)).role in _FULL
        and (seen := statistics.feature(asked.name)) is not None
    )


def unseen(
    statistics: DataQualityStatistics,
    baseline: DataQualityStatistics,
    constraints: DataQualityConstraints,
    schema: Schema,
) -> tuple[Unseen, ...]:
    """What share of each String `feature` and `text` column holds values in neither baseline file."""
    return tuple(
        not_seen(seen, baseline.feature(asked.name), asked)
        for asked in constraints.features
        if column_of(asked, schema).role in (Role.FEATURE, Role.TEXT)
        and (seen := statistics.feature(asked.name)) is not None
        and seen.string is not None
    )


def column_of(asked: FeatureConstraints, schema: Schema) -> Column:
    """The schema's column; one that only the constraints name is a feature."""
    named = (column for column in schema.columns if column.name == asked.name)
    return next(named, Column(asked.name, asked.inferred_type, Role.FEATURE))


def measured(subject: Subject) -> Drift:
    """The distance of one column, of its texts or of its numbers."""
    rules, seen, before = subject.config.distribution, subject.seen, subject.before
    if seen.string is not None:
        threshold = rules.categorical_comparison_threshold
        threshold = rules.comparison_threshold if threshold is None else threshold
        return Drift(seen.name, _categorical(seen, before, rules), threshold)
    return Drift(seen.name, _numerical(seen, before, rules), rules.comparison_threshold)


def _numerical(
    seen: FeatureStatistics, before: FeatureStatistics | None, rules: DistributionConstraints
) -> Distance | Undefined:
    if before is None or before.numerical is None:
        return Undefined("the baseline has no numbers of this column")
    if seen.numerical is None:
        return Undefined("the data has no numbers in this column")
    sketches = before.numerical.sketch, seen.numerical.sketch
    return distances.numerical(*sketches, rules.comparison_method, rules.mode)


def _categorical(
    seen: FeatureStatistics, before: FeatureStatistics | None, rules: DistributionConstraints
) -> Distance | Undefined:
    if rules.categorical_drift_method == "ChiSquared":
        return Undefined("the ChiSquared method is not there yet")
    if before is None or before.string is None or seen.string is None:
        return Undefined("the baseline has no values of this column")
    counts = before.string.counts, seen.string.counts
    return distances.categorical(*counts, rules.comparison_method, rules.mode)


def not_seen(seen: FeatureStatistics, before: FeatureStatistics | None, asked: FeatureConstraints) -> Unseen:
    """The values of one column that are neither in the baseline's statistics nor in its domain."""
    if seen.string is None or not seen.string.total:
        return Unseen(seen.name, Undefined("no values"))
    counted = before.string.counts if before and before.string else ()
    known = frozenset(value for value, _ in counted) | frozenset(asked.domains or ())
    if not known:
        return Unseen(seen.name, Undefined("the baseline has no values of this column"))
    values = not_in(seen.string.counts, known)
    return Unseen(seen.name, sum(count for _, count in values) / seen.string.total, values)


def not_in(counts: tuple[tuple[str, int], ...], known: frozenset[str]) -> tuple[tuple[str, int], ...]:
    """Values that are not known, those with most rows first."""
    outside = [pair for pair in counts if pair[0] not in known]
    return tuple(sorted(outside, key=lambda pair: (-pair[1], pair[0])))

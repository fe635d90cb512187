"""How far columns are from the baseline, whether or not that is too far: the figures behind two checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from watchkeeper.core.statistics import distances
from watchkeeper.core.statistics.distances import Counts, Distance, Mode, PValue
from watchkeeper.core.statistics.drift import METHODS, Comparison, compare_numbers, compare_texts, unknown
from watchkeeper.core.statistics.drift.chi_squared import goodness_of_fit
from watchkeeper.core.statistics.sketch import Sketch
from watchkeeper.core.values import Column, Role, Schema, Undefined
from watchkeeper.monitors.data_quality_values import (
    Circumstances,
    DataQualityConstraints,
    DataQualityStatistics,
    DistributionConstraints,
    DriftRule,
    FeatureConstraints,
    FeatureStatistics,
    MonitoringConfig,
)

CHI_SQUARED = "ChiSquared"  # the contract's name of it, and ours
_FULL = frozenset({Role.FEATURE, Role.PREDICTION})
_AS_GIVEN = Circumstances()


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one column is from the baseline by `method`, and how far it may be.

    `distance` carries its direction in its type: a `Distance` is drift above `limit`, a `PValue` below it.
    `limit` is `threshold`, or what chance alone may give where that is more. `n` rows of the baseline and
    `m` of the data were compared; `smallest` is the least change that would have been drift.
    """

    column: str
    distance: Distance | PValue | Undefined
    threshold: float
    method: str = ""
    comparison: Comparison | None = None

    @property
    def exceeded(self) -> bool:
        """Whether it is too far; what could not be measured is not."""
        return self.comparison is not None and self.comparison.exceeded


@dataclass(frozen=True, slots=True)
class Unseen:
    """The share of a column's rows whose value the baseline has not, and those values, most rows first."""

    column: str
    share: float | Undefined
    values: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Paired:
    """One column that constraints name: as the data has it and as the baseline had it, None where absent."""

    column: Column
    seen: FeatureStatistics | None
    before: FeatureStatistics | None
    asked: FeatureConstraints


@dataclass(frozen=True, slots=True)
class Subject:
    """One column with everything it is judged by."""

    column: Column
    seen: FeatureStatistics
    before: FeatureStatistics | None
    asked: FeatureConstraints
    constraints: DataQualityConstraints
    mode: Mode = field(default=Mode.CORRECT)

    @property
    def config(self) -> MonitoringConfig:
        """Settings of the whole file."""
        return self.constraints.monitoring_config


def mode_of(constraints: DataQualityConstraints, given: Circumstances) -> Mode:
    """Whose arithmetic: the run's word, else the constraints'."""
    return given.mode or constraints.monitoring_config.distribution.mode


def drift(
    statistics: DataQualityStatistics,
    baseline: DataQualityStatistics,
    constraints: DataQualityConstraints,
    schema: Schema,
    given: Circumstances = _AS_GIVEN,
) -> tuple[Drift, ...]:
    """The distance of each `feature` and `prediction` column both have, whether or not it is too far.

    Empty when the constraints switch the comparison off.
    """
    if not constraints.monitoring_config.distribution.perform_comparison:
        return ()
    mode = mode_of(constraints, given)
    return tuple(
        measured(Subject(each.column, each.seen, each.before, each.asked, constraints, mode))
        for each in paired(statistics, baseline, constraints, schema)
        if each.column.role in _FULL and each.seen is not None
    )


def unseen(
    statistics: DataQualityStatistics,
    baseline: DataQualityStatistics,
    constraints: DataQualityConstraints,
    schema: Schema,
) -> tuple[Unseen, ...]:
    """What share of each String `feature` and `text` column holds values in neither baseline file."""
    return tuple(
        not_seen(each.seen, each.before, each.asked)
        for each in paired(statistics, baseline, constraints, schema)
        if each.column.role in (Role.FEATURE, Role.TEXT) and each.seen and each.seen.string is not None
    )


def paired(
    statistics: DataQualityStatistics,
    baseline: DataQualityStatistics,
    constraints: DataQualityConstraints,
    schema: Schema,
) -> Iterator[Paired]:
    """What there is of each column the constraints name, in their order.

    A column that the schema does not name is a feature.
    """
    columns = {column.name: column for column in schema.columns}
    seen = {feature.name: feature for feature in statistics.features}
    before = {feature.name: feature for feature in baseline.features}
    for asked in constraints.features:
        column = columns.get(asked.name) or Column(asked.name, asked.inferred_type, Role.FEATURE)
        yield Paired(column, seen.get(asked.name), before.get(asked.name), asked)


def rule_of(subject: Subject) -> DriftRule:
    """How this column is compared: by its own rule, else as the file's settings say for its kind."""
    rules, own = subject.config.distribution, subject.asked.drift
    if own is not None and subject.mode is Mode.CORRECT:
        return own
    if subject.seen.string is None:
        return DriftRule(rules.comparison_method.value, rules.comparison_threshold)
    threshold = rules.categorical_comparison_threshold
    threshold = rules.comparison_threshold if threshold is None else threshold
    chosen = rules.categorical_drift_method
    return DriftRule(CHI_SQUARED if chosen == CHI_SQUARED else rules.comparison_method.value, threshold)


def measured(subject: Subject) -> Drift:
    """The comparison of one column, of its texts or of its numbers."""
    rule = rule_of(subject)
    found = _texts(subject, rule) if subject.seen.string is not None else _numbers(subject, rule)
    return Drift(subject.seen.name, found.score, rule.threshold, rule.method, found)


def _numbers(subject: Subject, rule: DriftRule) -> Comparison:
    before, seen = subject.before, subject.seen
    if before is None or before.numerical is None:
        return unknown("the baseline has no numbers of this column", 0, 0, rule.threshold)
    if seen.numerical is None:
        return unknown("the data has no numbers in this column", 0, 0, rule.threshold)
    sketches = before.numerical.sketch, seen.numerical.sketch
    if subject.mode is Mode.CORRECT:
        return compare_numbers(METHODS[rule.method], *sketches, rule.threshold)
    return _as_the_analyzer_does(*sketches, subject.config.distribution)


def _as_the_analyzer_does(before: Sketch, seen: Sketch, rules: DistributionConstraints) -> Comparison:
    found = distances.numerical(before, seen, rules.comparison_method, Mode.COMPATIBLE)
    threshold = rules.comparison_threshold
    return Comparison(found, threshold, before.weight, seen.weight, Undefined("not known in compatible mode"))


def _texts(subject: Subject, rule: DriftRule) -> Comparison:
    before, seen = subject.before, subject.seen
    if before is None or before.string is None or seen.string is None:
        return unknown("the baseline has no values of this column", 0, 0, rule.threshold)
    counts = before.string.counts, seen.string.counts
    if subject.mode is Mode.CORRECT:
        return compare_texts(METHODS[rule.method], *counts, rule.threshold)
    score = _texts_as_the_analyzer_does(*counts, subject.config.distribution)
    sizes = before.string.total, seen.string.total
    return Comparison(score, rule.threshold, *sizes, Undefined("not known in compatible mode"))


def _texts_as_the_analyzer_does(
    before: Counts, seen: Counts, rules: DistributionConstraints
) -> Distance | PValue | Undefined:
    if rules.categorical_drift_method == CHI_SQUARED:
        tested = goodness_of_fit(before, seen)
        return tested if isinstance(tested, Undefined) else tested.p_value
    return distances.categorical(before, seen, rules.comparison_method, Mode.COMPATIBLE)


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

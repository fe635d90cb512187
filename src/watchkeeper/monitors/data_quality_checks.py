"""The checks of contract 5.2, one function each: a column, what is asked of it, the violation if any.

Texts of type, completeness and drift are the contract's to the letter; those of missing and extra
columns, categorical and unseen values are our own, as no source shows the current ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from watchkeeper.core.values import ColumnType, Role, Schema, Undefined, Violation
from watchkeeper.monitors.data_quality_drift import Subject, column_of, measured, not_in, not_seen
from watchkeeper.monitors.data_quality_values import (
    TEXT_UNSEEN_THRESHOLD,
    DataQualityConstraints,
    DataQualityStatistics,
)
from watchkeeper.monitors.wording import double_text, percent_text

SHOWN = 5  # unseen values named in a text
_UNCHECKED = frozenset({Role.ID, Role.IGNORED, Role.LABEL})


def check(
    statistics: DataQualityStatistics,
    baseline: DataQualityStatistics,
    constraints: DataQualityConstraints,
    schema: Schema,
) -> tuple[Violation, ...]:
    """Every violation, in the constraints' column order, extra columns last.

    `id`, `ignored` and `label` columns are never judged, `time` columns only on being there. A check
    whose figure is Undefined is no violation; `drift` and `unseen` show the reason.
    """
    if not constraints.monitoring_config.evaluate_constraints:
        return ()
    found: list[Violation] = []
    for asked in constraints.features:
        column, seen = column_of(asked, schema), statistics.feature(asked.name)
        if not asked.evaluate or column.role in _UNCHECKED:
            continue
        if seen is None:
            found.append(_missing(asked.name))
        else:
            before = baseline.feature(asked.name)
            found.extend(_violations(Subject(column, seen, before, asked, constraints.monitoring_config)))
    known = {feature.name for feature in baseline.features} | {asked.name for asked in constraints.features}
    extra = [feature.name for feature in statistics.features if feature.name not in known]
    return (*found, *map(_extra, extra))


def _violations(subject: Subject) -> Iterator[Violation]:
    for check_type, describe in _CHECKS.get(subject.column.role, ()):
        description = describe(subject)
        if description is not None:
            yield Violation(subject.seen.name, check_type, description)


def _type(subject: Subject) -> str | None:
    expected, seen = subject.asked.inferred_type, subject.seen
    anything = expected is ColumnType.STRING and expected in (subject.column.type, seen.inferred_type)
    if anything or expected is ColumnType.UNKNOWN or not seen.num_present:
        return None
    share, wanted = seen.types.of_type(expected) / seen.num_present, subject.config.datatype_check_threshold
    if share >= wanted:
        return None
    return (
        f"Data type match requirement is not met. Expected data type: {expected}, Expected match: "
        f"{percent_text(wanted)}. Observed: Only {percent_text(share)} of data is {expected}."
    )


def _completeness(subject: Subject) -> str | None:
    rows, wanted = subject.seen.num_present + subject.seen.num_missing, subject.asked.completeness
    if wanted is None or not rows or (share := subject.seen.num_present / rows) >= wanted:
        return None
    return (
        f"Data completeness requirement is not met. Expected: {percent_text(wanted)}. "
        f"Observed: Only {percent_text(share)}."
    )


def _domain(subject: Subject) -> str | None:
    string, domains = subject.seen.string, subject.asked.domains
    if domains is None or string is None or not string.total:
        return None
    outside = not_in(string.counts, frozenset(domains))
    share = (string.total - sum(count for _, count in outside)) / string.total
    wanted = subject.config.domain_content_threshold
    if not outside or share >= wanted:
        return None
    return (
        f"Categorical values requirement is not met. Expected match: {percent_text(wanted)}. "
        f"Observed: Only {percent_text(share)} of data has a value of the domain. Unknown: {_shown(outside)}."
    )


def _text(subject: Subject) -> str | None:
    found = not_seen(subject.seen, subject.before, subject.asked)
    asked = subject.config.text_unseen_threshold
    allowed = TEXT_UNSEEN_THRESHOLD if asked is None else asked
    if isinstance(found.share, Undefined) or found.share <= allowed:
        return None
    return (
        f"Unseen values requirement is not met. Expected: At most {percent_text(allowed)}. "
        f"Observed: {percent_text(found.share)} of data has a value the baseline has not. "
        f"Unseen: {_shown(found.values)}."
    )


def _drifted(subject: Subject) -> str | None:
    if not subject.config.distribution.perform_comparison:
        return None
    found = measured(subject)
    if isinstance(found.distance, Undefined) or not found.exceeded:
        return None
    distance, threshold = double_text(found.distance.value), double_text(found.threshold)
    return f"Baseline drift distance: {distance} exceeds threshold: {threshold}"


def _shown(values: tuple[tuple[str, int], ...]) -> str:
    named = ", ".join(f'"{value}" ({count})' for value, count in values[:SHOWN])
    return f"{named} and {len(values) - SHOWN} more" if len(values) > SHOWN else named


def _missing(name: str) -> Violation:
    text = f'Column requirement is not met. Missing column: "{name}" is in the baseline.'
    return Violation(name, "missing_column_check", text)


def _extra(name: str) -> Violation:
    text = f'Column requirement is not met. Extra column: "{name}" is not in the baseline.'
    return Violation(name, "extra_column_check", text)


_FULL_CHECKS: tuple[tuple[str, Callable[[Subject], str | None]], ...] = (
    ("data_type_check", _type),
    ("completeness_check", _completeness),
    ("categorical_values_check", _domain),
    ("baseline_drift_check", _drifted),
)
_CHECKS = {
    Role.FEATURE: _FULL_CHECKS,
    Role.PREDICTION: _FULL_CHECKS,
    Role.TEXT: (("completeness_check", _completeness), ("categorical_values_check", _text)),
}

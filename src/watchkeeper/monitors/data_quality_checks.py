"""The checks of contract 5.2, one function each: a column, what is asked of it, what was found if not that.

Texts of type, completeness and drift are the contract's to the letter; those of missing and extra
columns, categorical and unseen values are our own, as no source shows the current ones. What correct
mode checks beyond the contract is in `data_quality_own_checks` and `data_quality_table_checks`.
"""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.core.statistics.distances import Distance, Mode, PValue
from watchkeeper.core.values import ColumnType, Role, Schema, Undefined, Violation
from watchkeeper.monitors.data_quality_drift import (
    Drift,
    Subject,
    measured,
    mode_of,
    not_in,
    not_seen,
    paired,
)
from watchkeeper.monitors.data_quality_own_checks import non_negative, out_of_range, vanished
from watchkeeper.monitors.data_quality_slas import broken_slas
from watchkeeper.monitors.data_quality_table_checks import table_violations
from watchkeeper.monitors.data_quality_values import (
    TEXT_UNSEEN_THRESHOLD,
    Circumstances,
    DataQualityConstraints,
    DataQualityStatistics,
)
from watchkeeper.monitors.finding import Check, Finding, listed
from watchkeeper.monitors.wording import double_text, percent_text

_UNCHECKED = frozenset({Role.ID, Role.IGNORED, Role.LABEL})
_AS_GIVEN = Circumstances()


def check(
    statistics: DataQualityStatistics,
    baseline: DataQualityStatistics,
    constraints: DataQualityConstraints,
    schema: Schema,
    given: Circumstances = _AS_GIVEN,
) -> tuple[Violation, ...]:
    """Every violation, in the constraints' column order, extra columns after them, the whole data last.

    `id`, `ignored` and `label` columns are never judged, `time` columns on being there and on freshness. A
    check whose figure is Undefined is no violation; `drift` and `unseen` show the reason.
    """
    if not constraints.monitoring_config.evaluate_constraints:
        return ()
    mode = mode_of(constraints, given)
    found: list[Violation] = []
    for each in paired(statistics, baseline, constraints, schema):
        if not each.asked.evaluate or each.column.role in _UNCHECKED:
            continue
        if each.seen is None:
            found.append(_missing(each.asked.name))
        else:
            subject = Subject(each.column, each.seen, each.before, each.asked, constraints, mode)
            found.extend(_violations(subject))
    known = {feature.name for feature in baseline.features} | {asked.name for asked in constraints.features}
    found += [_extra(feature.name) for feature in statistics.features if feature.name not in known]
    if mode is Mode.COMPATIBLE:
        return tuple(found)
    return (
        *found,
        *table_violations(statistics, constraints, given),
        *broken_slas(statistics, constraints, schema),
    )


def _violations(subject: Subject) -> Iterator[Violation]:
    for check_type, look in CHECKS[subject.mode].get(subject.column.role, ()):
        found = look(subject)
        if found is not None:
            yield Violation(subject.seen.name, check_type, found.text, found.value, found.threshold)


def _type(subject: Subject) -> Finding | None:
    expected, seen = subject.asked.inferred_type, subject.seen
    anything = expected is ColumnType.STRING and expected in (subject.column.type, seen.inferred_type)
    if anything or expected is ColumnType.UNKNOWN or not seen.num_present:
        return None
    share, wanted = seen.types.of_type(expected) / seen.num_present, subject.config.datatype_check_threshold
    if share >= wanted:
        return None
    text = (
        f"Data type match requirement is not met. Expected data type: {expected}, Expected match: "
        f"{percent_text(wanted)}. Observed: Only {percent_text(share)} of data is {expected}."
    )
    return Finding(text, share, wanted)


def _completeness(subject: Subject) -> Finding | None:
    rows, wanted = subject.seen.num_present + subject.seen.num_missing, subject.asked.completeness
    if wanted is None or not rows or (share := subject.seen.num_present / rows) >= wanted:
        return None
    text = (
        f"Data completeness requirement is not met. Expected: {percent_text(wanted)}. "
        f"Observed: Only {percent_text(share)}."
    )
    return Finding(text, share, wanted)


def _domain(subject: Subject) -> Finding | None:
    string, domains = subject.seen.string, subject.asked.domains
    if domains is None or string is None or not string.total:
        return None
    outside = not_in(string.counts, frozenset(domains))
    share = (string.total - sum(count for _, count in outside)) / string.total
    wanted = subject.config.domain_content_threshold
    if not outside or share >= wanted:
        return None
    text = (
        f"Categorical values requirement is not met. Expected match: {percent_text(wanted)}. "
        f"Observed: Only {percent_text(share)} of data has a value of the domain. Unknown: {listed(outside)}."
    )
    return Finding(text, share, wanted)


def _text(subject: Subject) -> Finding | None:
    found = not_seen(subject.seen, subject.before, subject.asked)
    asked = subject.config.text_unseen_threshold
    allowed = TEXT_UNSEEN_THRESHOLD if asked is None else asked
    if isinstance(found.share, Undefined) or found.share <= allowed:
        return None
    text = (
        f"Unseen values requirement is not met. Expected: At most {percent_text(allowed)}. "
        f"Observed: {percent_text(found.share)} of data has a value the baseline has not. "
        f"Unseen: {listed(found.values)}."
    )
    return Finding(text, found.share, allowed)


def _drifted(subject: Subject) -> Finding | None:
    if not subject.config.distribution.perform_comparison:
        return None
    found = measured(subject)
    return Finding(*_drift_words(found)) if found.exceeded else None


def _drift_words(found: Drift) -> tuple[str, float, float]:
    """The contract's text, and after it what correct mode knows besides."""
    threshold = double_text(found.threshold)
    match found.distance:
        case Distance(value):
            text = f"Baseline drift distance: {double_text(value)} exceeds threshold: {threshold}"
        case PValue(value):
            text = f"Baseline drift p-value: {double_text(value)} is below threshold: {threshold}"
        case Undefined(reason):
            raise ValueError(f"what could not be measured did not drift: {reason}")
    return text, value, found.threshold


def _missing(name: str) -> Violation:
    text = f'Column requirement is not met. Missing column: "{name}" is in the baseline.'
    return Violation(name, "missing_column_check", text)


def _extra(name: str) -> Violation:
    text = f'Column requirement is not met. Extra column: "{name}" is not in the baseline.'
    return Violation(name, "extra_column_check", text)


_CONTRACT: tuple[Check, ...] = (
    ("data_type_check", _type),
    ("completeness_check", _completeness),
    ("categorical_values_check", _domain),
    ("baseline_drift_check", _drifted),
)
_OURS: tuple[Check, ...] = (
    *_CONTRACT,
    ("non_negative_check", non_negative),
    ("range_check", out_of_range),
    ("vanished_values_check", vanished),
)
_TEXT: tuple[Check, ...] = (("completeness_check", _completeness), ("categorical_values_check", _text))

# What is looked at, by mode and role. Adding a check of a column: a function and a line here.
CHECKS: dict[Mode, dict[Role, tuple[Check, ...]]] = {
    Mode.COMPATIBLE: {Role.FEATURE: _CONTRACT, Role.PREDICTION: _CONTRACT, Role.TEXT: _TEXT[:1]},
    Mode.CORRECT: {Role.FEATURE: _OURS, Role.PREDICTION: _OURS, Role.TEXT: _TEXT},
}

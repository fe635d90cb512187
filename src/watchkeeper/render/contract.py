"""The contract's files as text, in its spelling (0.4), byte for byte where AWS's own are known.

Keys of ours beyond the contract are written in correct mode alone, and only where they say something it
cannot; `docs/reference/data-quality-checks.md` lists them. In compatible mode a file has none.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from watchkeeper.core.problems import PROBLEMS
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.statistics.kll import SHRINKING, SIZE
from watchkeeper.core.values import Undefined, Violation
from watchkeeper.core.windows import utc_text
from watchkeeper.monitors.data_quality_values import (
    DataQualityConstraints,
    DataQualityStatistics,
    DatasetConstraints,
    DistributionConstraints,
    FeatureConstraints,
    FeatureStatistics,
    MonitoringConfig,
    NumericalStatistics,
    Range,
    Sla,
    StringStatistics,
    implied_types,
)
from watchkeeper.monitors.model_quality_values import (
    ConfusionMatrix,
    Figure,
    Measure,
    Operator,
    QualityConstraints,
    QualityStatistics,
)
from watchkeeper.monitors.wording import double_text

VERSION = 0.0
_OPERATORS = frozenset(Operator)
_TEXT = json.JSONEncoder(ensure_ascii=False).encode


def statistics_json(statistics: DataQualityStatistics | QualityStatistics, mode: Mode = Mode.CORRECT) -> str:
    """`statistics.json` of either monitor (contract 3.1, 6.2), without a newline at the end."""
    if isinstance(statistics, QualityStatistics):
        return _spell(_quality(statistics))
    dataset = {"item_count": statistics.item_count}
    features = [_feature(feature, ours=mode is Mode.CORRECT) for feature in statistics.features]
    return _spell({"version": VERSION, "dataset": dataset, "features": features})


def constraints_json(
    constraints: DataQualityConstraints | QualityConstraints, mode: Mode = Mode.CORRECT
) -> str:
    """`constraints.json` of either monitor (contract 4.1, 6.3), without a newline at the end."""
    if isinstance(constraints, QualityConstraints):
        asked = {
            c.metric: {"threshold": float(c.threshold), "comparison_operator": c.comparison_operator.value}
            for c in constraints.metrics
        }
        return _spell({"version": VERSION, f"{PROBLEMS[constraints.problem].block}_constraints": asked})
    ours = mode is Mode.CORRECT
    features = [_feature_constraints(feature, ours=ours) for feature in constraints.features]
    found = {
        "version": VERSION,
        "features": features,
        "monitoring_config": _config(constraints.monitoring_config, ours=ours),
    }
    if ours and (dataset := _dataset(constraints.dataset)):
        found["dataset_constraints"] = dataset
    if ours and constraints.slas:
        found["slas"] = [_sla(sla) for sla in constraints.slas]
    return _spell(found)


def violations_json(violations: Sequence[Violation], mode: Mode = Mode.CORRECT) -> str:
    """`constraint_violations.json` (contract 5.1, 6.4), without a newline at the end.

    A violation whose check is a comparison operator is one of a metric. The contract writes no file
    when there are none; this gives an empty list then.
    """
    return _spell({"violations": [_violation(each, ours=mode is Mode.CORRECT) for each in violations]})


def _violation(violation: Violation, *, ours: bool) -> dict[str, Any]:
    found = {"constraint_check_type": violation.check, "description": violation.description}
    if violation.check in _OPERATORS:
        found["metric_name"] = violation.subject
    else:
        found = {"feature_name": violation.subject, **found}
    numbers = {"value": violation.value, "threshold": violation.threshold} if ours else {}
    return {**found, **{name: float(number) for name, number in numbers.items() if number is not None}}


def _quality(statistics: QualityStatistics) -> dict[str, Any]:
    dataset: dict[str, Any] = {"item_count": statistics.item_count}
    if statistics.evaluation_time is not None:
        dataset["evaluation_time"] = statistics.evaluation_time
    measures = {name: _measure(each) for name, each in statistics.measures}
    return {"version": VERSION, "dataset": dataset, f"{PROBLEMS[statistics.problem].block}_metrics": measures}


def _measure(measure: Measure) -> dict[str, Any]:
    if isinstance(measure, Figure):
        return {"value": _double(measure.value), "standard_deviation": _double(measure.standard_deviation)}
    if isinstance(measure, ConfusionMatrix):
        rows = (dict(zip(measure.classes, row, strict=True)) for row in measure.counts)
        return dict(zip(measure.classes, rows, strict=True))
    return {
        name: [float(v) for v in values] for name, values in zip(measure.names, measure.points, strict=True)
    }


def _feature(feature: FeatureStatistics, *, ours: bool) -> dict[str, Any]:
    common = {"num_present": feature.num_present, "num_missing": feature.num_missing}
    found: dict[str, Any] = {"name": feature.name, "inferred_type": feature.inferred_type.value}
    if feature.numerical is not None:
        found["numerical_statistics"] = {"common": common, **_numerical(feature.numerical, ours=ours)}
    if feature.string is not None:
        found["string_statistics"] = {"common": common, **_string(feature.string, ours=ours)}
    if feature.numerical is None and feature.string is None:
        found["string_statistics"] = {"common": common}
    if ours and feature.types != implied_types(feature.inferred_type, feature.num_present):
        types = feature.types
        found["type_counts"] = {
            "Integral": types.integral,
            "Fractional": types.fractional,
            "Boolean": types.boolean,
            "String": types.string,
        }
    if ours and feature.time is not None:
        earliest, latest = utc_text(feature.time.earliest), utc_text(feature.time.latest)
        found["time_statistics"] = {"earliest": earliest, "latest": latest}
    return found


def _numerical(numerical: NumericalStatistics, *, ours: bool) -> dict[str, Any]:
    summary = numerical.summary
    buckets = [
        {"lower_bound": float(b.lower_bound), "upper_bound": float(b.upper_bound), "count": float(b.count)}
        for b in numerical.buckets
    ]
    sketch = {
        "parameters": {"c": SHRINKING, "k": float(SIZE)},
        "data": [[float(value) for value in level] for level in numerical.sketch.levels],
    }
    found: dict[str, Any] = {
        "mean": float(summary.mean),
        "sum": float(summary.sum),
        "std_dev": float(summary.std_dev),
        "min": float(summary.min),
        "max": float(summary.max),
        "distribution": {"kll": {"buckets": buckets, "sketch": sketch}},
    }
    if ours and numerical.num_negative is not None:
        found["num_negative"] = numerical.num_negative
    return found


def _string(string: StringStatistics, *, ours: bool) -> dict[str, Any]:
    buckets = [{"value": value, "count": count} for value, count in string.counts]
    found: dict[str, Any] = {
        "distinct_count": float(string.distinct_count),
        "distribution": {"categorical": {"buckets": buckets}},
    }
    if ours and string.error:
        found["count_error"] = string.error
    return found


def _feature_constraints(feature: FeatureConstraints, *, ours: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"name": feature.name, "inferred_type": feature.inferred_type.value}
    if feature.completeness is not None:
        found["completeness"] = float(feature.completeness)
    if feature.is_non_negative is not None:
        found["num_constraints"] = {"is_non_negative": feature.is_non_negative}
    if feature.domains is not None:
        found["string_constraints"] = {"domains": list(feature.domains)}
    if not feature.evaluate:
        found["monitoringConfigOverrides"] = {"evaluate_constraints": "Disabled"}
    return {**found, **_our_constraints(feature)} if ours else found


def _our_constraints(feature: FeatureConstraints) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if feature.range is not None:
        found["range_constraints"] = _range(feature.range)
    if feature.drift is not None:
        threshold = float(feature.drift.threshold)
        found["drift_constraints"] = {"method": feature.drift.method, "threshold": threshold}
    if feature.sources:
        found["sources"] = dict(feature.sources)
    return found


def _range(allowed: Range) -> dict[str, float]:
    return {"min": float(allowed.low), "max": float(allowed.high)}


def _dataset(asked: DatasetConstraints) -> dict[str, Any]:
    numbers = {
        "vanished_share": asked.vanished_share,
        "duplicate_share": asked.duplicate_share,
        "max_age_seconds": asked.max_age_seconds,
        "missing_hours_share": asked.missing_hours_share,
    }
    found: dict[str, Any] = {name: float(each) for name, each in numbers.items() if each is not None}
    return {**found, "rows": _range(asked.rows)} if asked.rows else found


def _sla(sla: Sla) -> dict[str, Any]:
    found: dict[str, Any] = {"name": sla.name, "metric": sla.metric, "owner": sla.owner}
    if sla.reference:
        found["reference"] = sla.reference
    if sla.column is not None:
        found["column"] = sla.column
    bounds = {"at_most": sla.at_most, "at_least": sla.at_least}
    return {**found, **{name: float(bound) for name, bound in bounds.items() if bound is not None}}


def _config(config: MonitoringConfig, *, ours: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "evaluate_constraints": _switch(config.evaluate_constraints),
        "emit_metrics": _switch(config.emit_metrics),
        "datatype_check_threshold": float(config.datatype_check_threshold),
        "domain_content_threshold": float(config.domain_content_threshold),
        "distribution_constraints": _distribution(config.distribution, ours=ours),
    }
    if ours and config.text_unseen_threshold is not None:
        found["text_unseen_threshold"] = float(config.text_unseen_threshold)
    return found


def _distribution(rules: DistributionConstraints, *, ours: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "perform_comparison": _switch(rules.perform_comparison),
        "comparison_threshold": float(rules.comparison_threshold),
        "comparison_method": rules.comparison_method.value,
    }
    if rules.categorical_comparison_threshold is not None:
        found["categorical_comparison_threshold"] = float(rules.categorical_comparison_threshold)
    if rules.categorical_drift_method is not None:
        found["categorical_drift_method"] = rules.categorical_drift_method
    if ours and rules.mode is not Mode.CORRECT:
        found["distance_mode"] = rules.mode.value
    return found


def _switch(on: bool) -> str:
    return "Enabled" if on else "Disabled"


def _double(value: float | Undefined) -> float | str:
    return "NaN" if isinstance(value, Undefined) else float(value)


def _spell(value: Any, indent: str = "") -> str:
    match value:
        case str():
            return _TEXT(value)
        case bool():
            return "true" if value else "false"
        case float():
            return double_text(value)
        case dict():
            inner = indent + "  "
            items = [f"{inner}{_TEXT(key)} : {_spell(item, inner)}" for key, item in value.items()]
            return "{\n" + ",\n".join(items) + f"\n{indent}}}" if items else "{ }"
        case list():
            numbers = all(type(item) is float for item in value)  # a sketch has thousands
            spelled = map(double_text, value) if numbers else (_spell(item, indent) for item in value)
            return f"[ {', '.join(spelled)} ]" if value else "[ ]"
    return _TEXT(value)

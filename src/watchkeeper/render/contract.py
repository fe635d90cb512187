"""The contract's files as text, in its spelling (0.4), byte for byte where AWS's own are known.

Keys of ours beyond the contract are written only where they say something it cannot: `type_counts` of
a column with cells of several classes, `text_unseen_threshold`, `distance_mode` when not `correct`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.statistics.kll import SHRINKING, SIZE
from watchkeeper.core.values import Undefined, Violation
from watchkeeper.monitors.data_quality_values import (
    DataQualityConstraints,
    DataQualityStatistics,
    DistributionConstraints,
    FeatureConstraints,
    FeatureStatistics,
    MonitoringConfig,
    NumericalStatistics,
    StringStatistics,
    implied_types,
)
from watchkeeper.monitors.model_quality_values import Operator, RegressionConstraints, RegressionStatistics
from watchkeeper.monitors.wording import double_text

VERSION = 0.0
_OPERATORS = frozenset(Operator)


def statistics_json(statistics: DataQualityStatistics | RegressionStatistics) -> str:
    """`statistics.json` of either monitor (contract 3.1, 6.2), without a newline at the end."""
    if isinstance(statistics, RegressionStatistics):
        return _spell(_regression(statistics))
    dataset = {"item_count": statistics.item_count}
    features = [_feature(feature) for feature in statistics.features]
    return _spell({"version": VERSION, "dataset": dataset, "features": features})


def constraints_json(constraints: DataQualityConstraints | RegressionConstraints) -> str:
    """`constraints.json` of either monitor (contract 4.1, 6.3), without a newline at the end."""
    if isinstance(constraints, RegressionConstraints):
        asked = {
            c.metric: {"threshold": float(c.threshold), "comparison_operator": c.comparison_operator.value}
            for c in constraints.metrics
        }
        return _spell({"version": VERSION, "regression_constraints": asked})
    features = [_feature_constraints(feature) for feature in constraints.features]
    config = _config(constraints.monitoring_config)
    return _spell({"version": VERSION, "features": features, "monitoring_config": config})


def violations_json(violations: Sequence[Violation]) -> str:
    """`constraint_violations.json` (contract 5.1, 6.4), without a newline at the end.

    A violation whose check is a comparison operator is one of a metric. The contract writes no file
    when there are none; this gives an empty list then.
    """
    return _spell({"violations": [_violation(violation) for violation in violations]})


def _violation(violation: Violation) -> dict[str, Any]:
    check = {"constraint_check_type": violation.check, "description": violation.description}
    if violation.check in _OPERATORS:
        return {**check, "metric_name": violation.subject}
    return {"feature_name": violation.subject, **check}


def _regression(statistics: RegressionStatistics) -> dict[str, Any]:
    dataset: dict[str, Any] = {"item_count": statistics.item_count}
    if statistics.evaluation_time is not None:
        dataset["evaluation_time"] = statistics.evaluation_time
    metrics = {
        name: {"value": _double(figure.value), "standard_deviation": _double(figure.standard_deviation)}
        for name, figure in statistics.figures()
    }
    return {"version": VERSION, "dataset": dataset, "regression_metrics": metrics}


def _feature(feature: FeatureStatistics) -> dict[str, Any]:
    common = {"num_present": feature.num_present, "num_missing": feature.num_missing}
    found: dict[str, Any] = {"name": feature.name, "inferred_type": feature.inferred_type.value}
    if feature.numerical is not None:
        found["numerical_statistics"] = {"common": common, **_numerical(feature.numerical)}
    if feature.string is not None:
        found["string_statistics"] = {"common": common, **_string(feature.string)}
    if feature.numerical is None and feature.string is None:
        found["string_statistics"] = {"common": common}
    if feature.types != implied_types(feature.inferred_type, feature.num_present):
        types = feature.types
        found["type_counts"] = {
            "Integral": types.integral,
            "Fractional": types.fractional,
            "Boolean": types.boolean,
            "String": types.string,
        }
    return found


def _numerical(numerical: NumericalStatistics) -> dict[str, Any]:
    summary = numerical.summary
    buckets = [
        {"lower_bound": float(b.lower_bound), "upper_bound": float(b.upper_bound), "count": float(b.count)}
        for b in numerical.buckets
    ]
    sketch = {
        "parameters": {"c": SHRINKING, "k": float(SIZE)},
        "data": [[float(value) for value in level] for level in numerical.sketch.levels],
    }
    return {
        "mean": float(summary.mean),
        "sum": float(summary.sum),
        "std_dev": float(summary.std_dev),
        "min": float(summary.min),
        "max": float(summary.max),
        "distribution": {"kll": {"buckets": buckets, "sketch": sketch}},
    }


def _string(string: StringStatistics) -> dict[str, Any]:
    buckets = [{"value": value, "count": count} for value, count in string.counts]
    return {
        "distinct_count": float(string.distinct_count),
        "distribution": {"categorical": {"buckets": buckets}},
    }


def _feature_constraints(feature: FeatureConstraints) -> dict[str, Any]:
    found: dict[str, Any] = {"name": feature.name, "inferred_type": feature.inferred_type.value}
    if feature.completeness is not None:
        found["completeness"] = float(feature.completeness)
    if feature.is_non_negative is not None:
        found["num_constraints"] = {"is_non_negative": feature.is_non_negative}
    if feature.domains is not None:
        found["string_constraints"] = {"domains": list(feature.domains)}
    if not feature.evaluate:
        found["monitoringConfigOverrides"] = {"evaluate_constraints": "Disabled"}
    return found


def _config(config: MonitoringConfig) -> dict[str, Any]:
    found: dict[str, Any] = {
        "evaluate_constraints": _switch(config.evaluate_constraints),
        "emit_metrics": _switch(config.emit_metrics),
        "datatype_check_threshold": float(config.datatype_check_threshold),
        "domain_content_threshold": float(config.domain_content_threshold),
        "distribution_constraints": _distribution(config.distribution),
    }
    if config.text_unseen_threshold is not None:
        found["text_unseen_threshold"] = float(config.text_unseen_threshold)
    return found


def _distribution(rules: DistributionConstraints) -> dict[str, Any]:
    found: dict[str, Any] = {
        "perform_comparison": _switch(rules.perform_comparison),
        "comparison_threshold": float(rules.comparison_threshold),
        "comparison_method": rules.comparison_method.value,
    }
    if rules.categorical_comparison_threshold is not None:
        found["categorical_comparison_threshold"] = float(rules.categorical_comparison_threshold)
    if rules.categorical_drift_method is not None:
        found["categorical_drift_method"] = rules.categorical_drift_method
    if rules.mode is not Mode.CORRECT:
        found["distance_mode"] = rules.mode.value
    return found


def _switch(on: bool) -> str:
    return "Enabled" if on else "Disabled"


def _double(value: float | Undefined) -> float | str:
    return "NaN" if isinstance(value, Undefined) else float(value)


def _spell(value: Any, indent: str = "") -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return double_text(value)
        case dict():
            inner = indent + "  "
            items = [f"{inner}{_spell(key)} : {_spell(item, inner)}" for key, item in value.items()]
            return "{\n" + ",\n".join(items) + f"\n{indent}}}" if items else "{ }"
        case list():
            return f"[ {', '.join(_spell(item, indent) for item in value)} ]" if value else "[ ]"
    return json.dumps(value, ensure_ascii=False)

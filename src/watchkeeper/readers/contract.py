"""The contract's files back to values (3 to 6), also when edited by hand or written by an older container.

Keys may come in any order, be unknown, or be absent where the contract makes them optional; integers do
for doubles. Every function takes the file's content and its name, and raises InputError that names both
file and key for anything else.
"""

from __future__ import annotations

from watchkeeper.core.problems import PROBLEMS, ProblemType
from watchkeeper.core.statistics import Types
from watchkeeper.core.statistics.distances import Method, Mode
from watchkeeper.core.statistics.drift import METHODS
from watchkeeper.core.statistics.moments import Summary
from watchkeeper.core.statistics.sketch import Bucket, Sketch
from watchkeeper.core.values import ColumnType, Undefined, Violation
from watchkeeper.monitors.data_quality_values import (
    DataQualityConstraints,
    DataQualityStatistics,
    DatasetConstraints,
    DistributionConstraints,
    DriftRule,
    FeatureConstraints,
    FeatureStatistics,
    MonitoringConfig,
    NumericalStatistics,
    Range,
    Sla,
    StringStatistics,
    TimeStatistics,
    implied_types,
)
from watchkeeper.monitors.model_quality_values import (
    ConfusionMatrix,
    Curve,
    Figure,
    Measure,
    MetricConstraint,
    Operator,
    QualityConstraints,
    QualityStatistics,
)
from watchkeeper.readers.json_node import Node, parse

_TYPES = {type_.value: type_ for type_ in ColumnType}
_METHODS = {
    "Simple": Method.SIMPLE,
    "Robust": Method.ROBUST,
    "linf_simple": Method.SIMPLE,
    "linf_robust": Method.ROBUST,
}
_MODES = {mode.value: mode for mode in Mode}
_OPERATORS = {operator.value: operator for operator in Operator}
_OUR_METHODS = {name: name for name in METHODS}
_DRIFT_METHODS = {name: name for name in ("LInfinity", "ChiSquared")}


def data_quality_statistics(data: bytes | str, file: str) -> DataQualityStatistics:
    """Read a data-quality `statistics.json`."""
    top = parse(data, file)
    features = tuple(_feature(node) for node in top.key("features"))
    return DataQualityStatistics(top.key("dataset").key("item_count").count(), features)


def data_quality_constraints(data: bytes | str, file: str) -> DataQualityConstraints:
    """Read a data-quality `constraints.json`; settings it does not give are as the generator writes them."""
    top = parse(data, file)
    config, dataset, slas = (top.maybe(n) for n in ("monitoring_config", "dataset_constraints", "slas"))
    return DataQualityConstraints(
        tuple(_feature_constraints(node) for node in top.key("features")),
        _config(config) if config else MonitoringConfig(),
        _dataset(dataset) if dataset else DatasetConstraints(),
        tuple(_sla(node) for node in slas) if slas else (),
    )


def quality_statistics(data: bytes | str, file: str) -> QualityStatistics:
    """Read a model-quality `statistics.json` of any problem type, measures in the file's order."""
    top = parse(data, file)
    problem, block = _block(top, "metrics")
    dataset = top.key("dataset")
    time = dataset.maybe("evaluation_time")
    return QualityStatistics(
        problem,
        dataset.key("item_count").count(),
        tuple((name, _measure(node)) for name, node in block.items()),
        time.text() if time else None,
    )


def quality_constraints(data: bytes | str, file: str) -> QualityConstraints:
    """Read a model-quality `constraints.json` of any problem type, metrics in the file's order."""
    problem, block = _block(parse(data, file), "constraints")
    return QualityConstraints(
        problem,
        tuple(
            MetricConstraint(
                name, node.key("threshold").number(), node.key("comparison_operator").one_of(_OPERATORS)
            )
            for name, node in block.items()
        ),
    )


def violations(data: bytes | str, file: str) -> tuple[Violation, ...]:
    """Read a `constraint_violations.json` of either monitor; texts are taken as they are, old ones too."""
    return tuple(
        Violation(
            subject=(node.maybe("metric_name") or node.key("feature_name")).text(),
            check=node.key("constraint_check_type").text(),
            description=node.key("description").text(),
            value=_optional(node.maybe("value")),
            threshold=_optional(node.maybe("threshold")),
        )
        for node in parse(data, file).key("violations")
    )


def _feature(node: Node) -> FeatureStatistics:
    numerical, string = node.maybe("numerical_statistics"), node.maybe("string_statistics")
    common = (numerical or string or node.key("numerical_statistics")).key("common")
    inferred, present = node.key("inferred_type").one_of(_TYPES), common.key("num_present").count()
    counts, time = node.maybe("type_counts"), node.maybe("time_statistics")
    return FeatureStatistics(
        name=node.key("name").text(),
        inferred_type=inferred,
        num_present=present,
        num_missing=common.key("num_missing").count(),
        types=_type_counts(counts) if counts else implied_types(inferred, present),
        numerical=_numerical(numerical) if numerical and numerical.maybe("mean") else None,
        string=_string(string) if string and string.maybe("distinct_count") else None,
        time=TimeStatistics(time.key("earliest").time(), time.key("latest").time()) if time else None,
    )


def _type_counts(node: Node) -> Types:
    integral, fractional, boolean, string = (
        node.key(name).count() for name in ("Integral", "Fractional", "Boolean", "String")
    )
    return Types(integral, fractional, boolean, string)


def _numerical(node: Node) -> NumericalStatistics:
    summary = (node.key(name).number() for name in ("mean", "sum", "std_dev", "min", "max"))
    levels = node.maybe("distribution", "kll", "sketch", "data")
    buckets = node.maybe("distribution", "kll", "buckets")
    negative = node.maybe("num_negative")
    return NumericalStatistics(
        Summary(*summary),
        tuple(_bucket(bucket) for bucket in buckets) if buckets else (),
        Sketch(tuple(level.numbers() for level in levels) if levels else ((),)),
        negative.count() if negative else None,
    )


def _bucket(node: Node) -> Bucket:
    lower, upper, count = (node.key(name).number() for name in ("lower_bound", "upper_bound", "count"))
    return Bucket(lower, upper, count)


def _string(node: Node) -> StringStatistics:
    buckets = node.maybe("distribution", "categorical", "buckets")
    counts = tuple((b.key("value").text(), b.key("count").count()) for b in buckets) if buckets else ()
    error = node.maybe("count_error")
    return StringStatistics(node.key("distinct_count").number(), counts, error.count() if error else 0)


def _feature_constraints(node: Node) -> FeatureConstraints:
    completeness = node.maybe("completeness")
    non_negative = node.maybe("num_constraints", "is_non_negative")
    domains = node.maybe("string_constraints", "domains")
    override = node.maybe("monitoringConfigOverrides", "evaluate_constraints") or node.maybe(
        "string_constraints", "monitoring_config_overrides", "evaluate_constraints"
    )
    allowed, rule, sources = (node.maybe(n) for n in ("range_constraints", "drift_constraints", "sources"))
    return FeatureConstraints(
        name=node.key("name").text(),
        inferred_type=node.key("inferred_type").one_of(_TYPES),
        completeness=completeness.number() if completeness else None,
        is_non_negative=non_negative.switch() if non_negative else None,
        domains=tuple(value.text() for value in domains) if domains else None,
        evaluate=override.switch() if override else True,
        range=_range(allowed) if allowed else None,
        drift=_rule(rule) if rule else None,
        sources=tuple((name, source.text()) for name, source in sources.items()) if sources else (),
    )


def _range(node: Node) -> Range:
    return Range(node.key("min").number(), node.key("max").number())


def _rule(node: Node) -> DriftRule:
    """The threshold may be left out: then it is the method's own."""
    method, threshold = node.key("method").one_of(_OUR_METHODS), node.maybe("threshold")
    return DriftRule(method, threshold.number() if threshold else METHODS[method].threshold)


def _dataset(node: Node) -> DatasetConstraints:
    rows = node.maybe("rows")
    return DatasetConstraints(
        vanished_share=_optional(node.maybe("vanished_share")),
        duplicate_share=_optional(node.maybe("duplicate_share")),
        rows=_range(rows) if rows else None,
        max_age_seconds=_optional(node.maybe("max_age_seconds")),
        missing_hours_share=_optional(node.maybe("missing_hours_share")),
    )


def _sla(node: Node) -> Sla:
    reference, column = node.maybe("reference"), node.maybe("column")
    bounds = node.maybe("at_most"), node.maybe("at_least")
    if (bounds[0] is None) == (bounds[1] is None):
        node.fail("one of at_most and at_least")
    return Sla(
        name=node.key("name").text(),
        metric=node.key("metric").text(),
        owner=node.key("owner").text(),
        reference=reference.text() if reference else "",
        at_most=_optional(bounds[0]),
        at_least=_optional(bounds[1]),
        column=column.text() if column else None,
    )


def _config(node: Node) -> MonitoringConfig:
    """The current layout, or the older one with `min_domain_mass`."""
    default = MonitoringConfig()
    rules, types = node.maybe("distribution_constraints"), node.maybe("datatype_check_threshold")
    content = node.maybe("domain_content_threshold")
    content = content or node.maybe("distribution_constraints", "min_domain_mass")
    return MonitoringConfig(
        evaluate_constraints=_switch(node.maybe("evaluate_constraints"), default.evaluate_constraints),
        emit_metrics=_switch(node.maybe("emit_metrics"), default.emit_metrics),
        datatype_check_threshold=_number(types, default.datatype_check_threshold),
        domain_content_threshold=_number(content, default.domain_content_threshold),
        distribution=_distribution(rules) if rules else default.distribution,
        text_unseen_threshold=_optional(node.maybe("text_unseen_threshold")),
    )


def _distribution(node: Node) -> DistributionConstraints:
    """The current layout, or the older one with `enable_comparisons`."""
    default = DistributionConstraints()
    perform = node.maybe("perform_comparison") or node.maybe("enable_comparisons")
    method, mode, drift = (
        node.maybe(name) for name in ("comparison_method", "distance_mode", "categorical_drift_method")
    )
    return DistributionConstraints(
        perform_comparison=_switch(perform, default.perform_comparison),
        comparison_threshold=_number(node.maybe("comparison_threshold"), default.comparison_threshold),
        comparison_method=method.one_of(_METHODS) if method else default.comparison_method,
        categorical_comparison_threshold=_optional(node.maybe("categorical_comparison_threshold")),
        categorical_drift_method=drift.one_of(_DRIFT_METHODS) if drift else None,
        mode=mode.one_of(_MODES) if mode else default.mode,
    )


def _switch(node: Node | None, default: bool) -> bool:
    return node.switch() if node else default


def _number(node: Node | None, default: float) -> float:
    return node.number() if node else default


def _optional(node: Node | None) -> float | None:
    return node.number() if node else None


def _block(top: Node, kind: str) -> tuple[ProblemType, Node]:
    """The one block that says which problem type it is about."""
    names = {f"{problem.block}_{kind}": type_ for type_, problem in PROBLEMS.items()}
    for name, type_ in names.items():
        if (found := top.maybe(name)) is not None:
            return type_, found
    top.fail(f"a key {' or '.join(names)}")


def _measure(node: Node) -> Measure:
    if node.maybe("value") is not None:
        return _figure(node)
    parts = tuple(node.items())
    if len(parts) == 2 and all(isinstance(each.value, list) for _, each in parts):
        (x, of_x), (y, of_y) = parts
        return Curve((x, y), (_numbers(of_x), _numbers(of_y)))
    classes = tuple(name for name, _ in parts)
    return ConfusionMatrix(
        classes, tuple(tuple(row.key(name).count() for name in classes) for _, row in parts)
    )


def _numbers(node: Node) -> tuple[float, ...]:
    return tuple(each.number() for each in node)


def _figure(node: Node) -> Figure:
    value, deviation = _double(node.key("value")), node.maybe("standard_deviation")
    return Figure(value, _double(deviation) if deviation else Undefined("not in the file"))


def _double(node: Node) -> float | Undefined:
    return Undefined("NaN in the file") if node.value == "NaN" else node.number()

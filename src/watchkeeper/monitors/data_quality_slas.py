"""SLAs laid over suggested constraints: the stricter wins, and says where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from watchkeeper.core.values import Role, Schema, Violation
from watchkeeper.monitors.data_quality_values import (
    DataQualityConstraints,
    DataQualityStatistics,
    FeatureConstraints,
    Sla,
)
from watchkeeper.monitors.wording import double_text

COMPLETENESS = "data_quality_completeness_ratio"
SLA_CHECK = "sla_check"
_UNJUDGED = frozenset({Role.ID, Role.IGNORED, Role.LABEL})

# Which part of the system knows the value an SLA is about, by the start of its metric's name.
EVALUATED_BY: Mapping[str, str] = MappingProxyType(
    {
        COMPLETENESS: "data-quality: laid over each column's completeness, and checked with it",
        "model_quality_": "model-quality: the error ceiling, on labelled windows",
        "labels_": "model-quality: how late labels come and how many",
        "endpoint_": "alert rules over the endpoint's own metrics: latency and shares of errors",
        "monitor_": "alert rules over the monitors' own metrics",
    }
)


def overlay(constraints: DataQualityConstraints, slas: Sequence[Sla]) -> DataQualityConstraints:
    """The constraints with each SLA laid over: the stricter of the two wins, and `sources` names the SLA.

    SLAs that other parts evaluate (`evaluated_by`) are kept beside the constraints as they are.
    """
    features = tuple(_under(feature, slas) for feature in constraints.features)
    return replace(constraints, features=features, slas=tuple(slas))


def evaluated_by(sla: Sla) -> str | None:
    """Who checks this SLA; None when its metric is not one that is."""
    return next((who for start, who in EVALUATED_BY.items() if sla.metric.startswith(start)), None)


def broken(slas: Sequence[Sla], figures: Mapping[str, float], subject: str) -> tuple[Violation, ...]:
    """The SLAs that these values of metrics break; those whose metric is not among them are not judged.

    For any monitor: `figures` are values by metric name without `watchkeeper_`, all of one `subject`.
    """
    return tuple(
        _violation(sla, subject, figures[sla.metric])
        for sla in slas
        if sla.metric in figures and sla.column in (None, subject) and sla.broken_by(figures[sla.metric])
    )


def broken_slas(
    statistics: DataQualityStatistics, constraints: DataQualityConstraints, schema: Schema
) -> Iterator[Violation]:
    """The SLAs about data quality that these statistics break, in the columns' order."""
    if not constraints.slas:
        return
    named = {asked.name: asked for asked in constraints.features}
    unjudged = {column.name for column in schema.columns if column.role in _UNJUDGED}
    for feature in statistics.features:
        rows = feature.num_present + feature.num_missing
        asked = named.get(feature.name)
        if rows and asked is not None and asked.evaluate and feature.name not in unjudged:
            yield from broken(constraints.slas, {COMPLETENESS: feature.num_present / rows}, feature.name)


def _under(feature: FeatureConstraints, slas: Sequence[Sla]) -> FeatureConstraints:
    for sla in slas:
        if sla.metric != COMPLETENESS or sla.at_least is None or sla.column not in (None, feature.name):
            continue
        if feature.completeness is None or sla.at_least > feature.completeness:
            sources = {**dict(feature.sources), "completeness": sla.source}
            feature = replace(feature, completeness=sla.at_least, sources=tuple(sorted(sources.items())))
    return feature


def _violation(sla: Sla, subject: str, value: float) -> Violation:
    bound = sla.at_least if sla.at_most is None else sla.at_most
    if bound is None:
        raise ValueError(f"{sla.source} has no bound")
    wanted = f"at {'least' if sla.at_most is None else 'most'} {double_text(bound)}"
    reference = f", {sla.reference}" if sla.reference else ""
    text = (
        f'SLA "{sla.name}" is broken (owner {sla.owner}{reference}). Expected: {sla.metric} {wanted}. '
        f"Observed: {double_text(value)}."
    )
    return Violation(subject, SLA_CHECK, text, value, bound)

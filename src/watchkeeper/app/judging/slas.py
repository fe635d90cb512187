"""Promises of the project file, laid over what baselines ask for and counted per promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from watchkeeper.app.setup.project import Project
from watchkeeper.core.values import Schema, Violation
from watchkeeper.monitors.data_quality import overlay
from watchkeeper.monitors.data_quality_slas import COMPLETENESS, broken, broken_slas
from watchkeeper.monitors.data_quality_values import DataQualityConstraints, DataQualityStatistics, Sla

MODEL_QUALITY = "model_quality_"


def slas_of(project: Project, environment: str) -> tuple[Sla, ...]:
    """The promises that hold in an environment, in the file's order."""
    return tuple(Sla(**each.model_dump()) for each in project.environment(environment).slas)


def with_slas(asked: DataQualityConstraints, slas: Sequence[Sla]) -> DataQualityConstraints:
    """What a baseline asks for with the promises about data quality laid over; the stricter wins."""
    return overlay(asked, (*asked.slas, *(sla for sla in slas if sla.metric == COMPLETENESS)))


def source_notes(asked: DataQualityConstraints) -> tuple[str, ...]:
    """Which constraints a promise set; all others come from the baseline's data."""
    return tuple(
        f"{name} of {feature.name} is asked by {source}, all else by the baseline's data"
        for feature in asked.features
        for name, source in feature.sources
        if source.startswith("SLA ")
    )


def broken_per_sla(
    statistics: DataQualityStatistics, asked: DataQualityConstraints, schema: Schema
) -> tuple[tuple[str, int], ...]:
    """Each promise about data quality with the number of columns that break it, 0 included."""
    return tuple(
        (sla.name, len(list(broken_slas(statistics, replace(asked, slas=(sla,)), schema))))
        for sla in asked.slas
        if sla.metric == COMPLETENESS
    )


def broken_by_figures(
    slas: Sequence[Sla], figures: Mapping[str, float]
) -> tuple[tuple[Violation, ...], tuple[tuple[str, int], ...], tuple[str, ...]]:
    """Promises about model quality against its figures, by metric name without the prefix.

    The violations, each promise with 1 or 0, and notes on those whose figure has no value.
    """
    violations: list[Violation] = []
    counts, notes = [], []
    for sla in slas:
        if not sla.metric.startswith(MODEL_QUALITY):
            continue
        if sla.metric not in figures:
            notes.append(f"{sla.source} not judged: {sla.metric} has no value here")
            continue
        found = broken((sla,), figures, sla.metric.removeprefix(MODEL_QUALITY))
        violations += found
        counts.append((sla.name, len(found)))
    return tuple(violations), tuple(counts), tuple(notes)

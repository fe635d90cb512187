"""The data-quality judge: profiles and checks, as the contract's files."""

from __future__ import annotations

import polars as pl

from watchkeeper.app.judgement import Against, Figure, Judge, Judged, Watched, sla_figures, violations_file
from watchkeeper.app.sensitive import without_values, worded
from watchkeeper.app.slas import broken_per_sla, source_notes, with_slas
from watchkeeper.app.suggestion import CONSTRAINTS, STATISTICS, Suggestion
from watchkeeper.core.statistics.distances import Distance
from watchkeeper.core.values import Role, Undefined
from watchkeeper.monitors import data_quality
from watchkeeper.monitors.evidence import offending_rows
from watchkeeper.readers import contract as read
from watchkeeper.render.contract import constraints_json, statistics_json, violations_json


def suggest(rows: pl.DataFrame, watched: Watched) -> Suggestion:
    """Statistics of the rows the model had not seen when it scored them; domains of all rows.

    So the baseline is recent, and a rare category that a few months lack is no surprise.
    """
    schema = watched.schema
    inputs = [column.name for column in schema.inputs]
    recent = rows.drop_nulls(schema.prediction.name).select(*inputs, schema.prediction.name)
    statistics = data_quality.profile(recent, schema)
    known = data_quality.profile(rows.select(inputs), schema)
    return Suggestion.of(
        statistics_json(statistics), constraints_json(data_quality.suggest(statistics, schema, known))
    )


def judge(rows: pl.DataFrame, against: Against) -> Judged:
    """Profile the rows, and hold them against the baseline's constraints and drift limits."""
    schema, baseline = against.watched.schema, against.baseline
    before = read.data_quality_statistics(baseline.statistics, "baseline statistics.json")
    asked = with_slas(
        read.data_quality_constraints(baseline.constraints, "baseline constraints.json"), against.slas
    )
    watched = [column.name for column in schema.columns if column.role is not Role.LABEL]
    statistics = data_quality.profile(rows.select(name for name in watched if name in rows.columns), schema)
    violations = data_quality.check(statistics, before, asked, schema)
    drifts = data_quality.drift(statistics, before, asked, schema)
    figures = [Figure("data_quality_violations", float(len(violations)))]
    figures += [
        Figure("data_quality_drift_distance", drift.distance.value, (("feature", drift.column),))
        for drift in drifts
        if isinstance(drift.distance, Distance)
    ]
    figures += [
        Figure(
            "data_quality_completeness_ratio",
            feature.num_present / statistics.item_count,
            (("feature", feature.name),),
        )
        for feature in statistics.features
        if statistics.item_count
    ]
    figures += sla_figures(broken_per_sla(statistics, asked, schema))
    notes = tuple(
        f"drift of {drift.column} not measured: {drift.distance.reason}"
        for drift in drifts
        if isinstance(drift.distance, Undefined)
    )
    hidden = against.sensitive
    suggested = without_values(data_quality.suggest(statistics, schema), hidden)
    told = tuple(worded(each, hidden) for each in violations)
    return Judged(
        (
            (STATISTICS, statistics_json(without_values(statistics, hidden))),
            (CONSTRAINTS, constraints_json(suggested)),
            *violations_file(violations_json(told), told),
        ),
        told,
        tuple(offending_rows(each, before, asked, hidden) for each in violations),
        tuple(figures),
        (*notes, *source_notes(asked)),
    )


JUDGE = Judge(data_quality.MONITOR.needs_labels, (STATISTICS, CONSTRAINTS), suggest, judge)

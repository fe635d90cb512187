"""The data-quality judge: profiles and checks, as the contract's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import polars as pl

from watchkeeper.app.files.sensitive import without_values, worded
from watchkeeper.app.files.suggestion import CONSTRAINTS, SAMPLE, STATISTICS, Suggestion
from watchkeeper.app.judging.judgement import (
    Against,
    Figure,
    Judge,
    Judged,
    Watched,
    drawn,
    sla_figures,
    violations_file,
)
from watchkeeper.app.judging.slas import broken_per_sla, source_notes, with_slas
from watchkeeper.core.statistics.distances import Distance
from watchkeeper.core.values import Role, Undefined, Violation
from watchkeeper.model.domain_classifier import Told, tell_apart
from watchkeeper.monitors import data_quality, data_quality_diff
from watchkeeper.monitors.data_quality_diff import Change, DataQualityBaseline
from watchkeeper.monitors.evidence import NoRows, offending_rows
from watchkeeper.monitors.multivariate import Encoding, Floats, Reconstruction, reconstruction
from watchkeeper.readers import contract as read
from watchkeeper.render.contract import constraints_json, statistics_json, violations_json

SAMPLED = 2_000  # rows of a side that are compared as a whole
_OF_ALL_ROWS = NoRows("it is about all columns of all rows together")
_METHODS: Mapping[str, Callable[[Floats, Floats, Sequence[str]], Reconstruction | Told]] = MappingProxyType(
    {"pca": reconstruction, "classifier": tell_apart}
)


def suggest(rows: pl.DataFrame, watched: Watched) -> Suggestion:
    """Statistics of the rows the model had not seen when it scored them; domains of all rows.

    So the baseline is recent, and a rare category that a few months lack is no surprise.
    """
    schema = watched.schema
    inputs = [column.name for column in schema.inputs]
    recent = rows.drop_nulls(schema.prediction.name).select(*inputs, schema.prediction.name)
    statistics = data_quality.profile(recent, schema)
    known = data_quality.profile(rows.select(inputs), schema)
    found = Suggestion.of(
        statistics_json(statistics), constraints_json(data_quality.suggest(statistics, schema, known))
    )
    if not watched.section.multivariate:
        return found
    return Suggestion((*found.files, (SAMPLE, drawn(recent, SAMPLED).write_csv())))


def judge(rows: pl.DataFrame, against: Against) -> Judged:
    """Profile the rows, and hold them against the baseline's constraints and drift limits."""
    schema, baseline = against.watched.schema, against.baseline
    before = read.data_quality_statistics(baseline.statistics, "baseline statistics.json")
    asked = with_slas(
        read.data_quality_constraints(baseline.constraints, "baseline constraints.json"), against.slas
    )
    watched = [column.name for column in schema.columns if column.role is not Role.LABEL]
    statistics = data_quality.profile(rows.select(name for name in watched if name in rows.columns), schema)
    by_column = data_quality.check(statistics, before, asked, schema)
    drifts = data_quality.drift(statistics, before, asked, schema)
    together, seen, why = _together(rows, against)
    figures = [Figure("data_quality_violations", float(len(by_column) + len(together)))]
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
    told = tuple(worded(each, hidden) for each in (*by_column, *together))
    return Judged(
        (
            (STATISTICS, statistics_json(without_values(statistics, hidden))),
            (CONSTRAINTS, constraints_json(suggested)),
            *violations_file(violations_json(told), told),
        ),
        told,
        (
            *(offending_rows(each, before, asked, hidden) for each in by_column),
            *(_OF_ALL_ROWS for _ in together),
        ),
        (*figures, *seen),
        (*notes, *source_notes(asked), *why),
    )


def _together(rows: pl.DataFrame, against: Against) -> tuple[list[Violation], list[Figure], list[str]]:
    """Drift of columns together by the methods that the project names; of a sensitive column nothing."""
    methods = against.watched.section.multivariate
    if not methods:
        return [], [], []
    if not against.baseline.has(SAMPLE):
        return [], [], ["columns together not compared: the baseline keeps no rows; suggest a new one"]
    sample = pl.read_csv(against.baseline.text(SAMPLE).encode(), infer_schema=False)
    usable = [name for name in sample.columns if name not in against.sensitive]
    found: list[Reconstruction | Told] = []
    notes = []
    for method in methods:
        try:
            encoding = Encoding.of(sample.select(usable), against.watched.schema)
            before, now = (encoding.matrix(each) for each in (sample, drawn(rows, SAMPLED)))
            found.append(_METHODS[method](before, now, encoding.columns))
        except ValueError as error:
            notes.append(f"columns together not compared by {method}: {error}")
    figures = [
        Figure("data_quality_reconstruction_ratio", each.ratio)
        if isinstance(each, Reconstruction)
        else Figure("data_quality_classifier_auc", each.auc)
        for each in found
    ]
    return [each.violation for each in found if each.drifted], figures, notes


def diff(before: Suggestion, after: Suggestion) -> tuple[Change, ...]:
    """What tells two baselines apart, column by column."""
    left, right = (
        DataQualityBaseline(
            read.data_quality_statistics(each.statistics, "statistics.json"),
            read.data_quality_constraints(each.constraints, "constraints.json"),
        )
        for each in (before, after)
    )
    return data_quality_diff.diff(left, right)


JUDGE = Judge(data_quality.MONITOR, (STATISTICS, CONSTRAINTS), suggest, judge, diff, extras=(SAMPLE,))

"""The bias judge: how the model treats groups of rows against the others, and against its baseline."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import polars as pl

from watchkeeper.app.files.suggestion import ANALYSIS, Suggestion
from watchkeeper.app.judging.judgement import LABEL, Against, Figure, Judge, Judged, Watched, violations_file
from watchkeeper.core.errors import InputError
from watchkeeper.monitors import bias, clarify_diff
from watchkeeper.monitors.bias_values import BiasAnalysis, BiasConfig, Facet, FacetBias
from watchkeeper.monitors.data_quality_diff import Change
from watchkeeper.monitors.evidence import MASK, NoRows
from watchkeeper.readers import clarify as read
from watchkeeper.render.clarify import bias_json, bias_violations_json

_OF_A_GROUP = NoRows("it is about a group's rows against all others")


def suggest(rows: pl.DataFrame, watched: Watched) -> Suggestion:
    """Bias of the rows that have both label and prediction."""
    return Suggestion(((ANALYSIS, bias_json(_analysis(rows, watched))),))


def judge(rows: pl.DataFrame, against: Against) -> Judged:
    """Each facet's metrics against the baseline's.

    Raises InputError when the baseline was measured with another positive outcome than the project asks for.
    """
    before = read.bias_analysis(against.baseline.text(ANALYSIS), f"baseline {ANALYSIS}")
    found = _analysis(rows, against.watched)
    _check_outcome(found, before)
    if hidden := against.sensitive:
        found, before = masked(found, before, hidden), masked(before, before, hidden)
    violations = bias.check(found, before)
    return Judged(
        ((ANALYSIS, bias_json(found)), *violations_file(bias_violations_json(violations), violations)),
        tuple(each.violation for each in violations),
        (_OF_A_GROUP,) * len(violations),
        (Figure("bias_violations", float(len(violations))), *_figures(found.facets)),
        bias.unjudged(found, before),
    )


def _analysis(rows: pl.DataFrame, watched: Watched) -> BiasAnalysis:
    schema = watched.schema
    names = [*(column.name for column in schema.inputs), schema.prediction.name]
    known = rows.select(pl.col(LABEL).alias(schema.label.name), *names)
    return bias.statistics(known, bias_config(watched))


def bias_config(watched: Watched) -> BiasConfig:
    """What the project asks to be measured. Raises InputError where it names no facet."""
    section, schema = watched.section, watched.schema
    if not section.facet or not section.label_values_or_threshold:
        raise InputError(
            "measure bias: want facet and label_values_or_threshold under monitors.bias, got none"
        )
    return BiasConfig(
        label=schema.label.name,
        positive=_spelled(section.label_values_or_threshold),
        facets=tuple(Facet(each.name_or_index, _spelled(each.value_or_threshold)) for each in section.facet),
        predicted=schema.prediction.name,
        group=section.group_variable,
    )


def _spelled(values: Sequence[str | float]) -> tuple[str, ...]:
    """As the contract's files have them: whole numbers without a fraction."""
    return tuple(
        str(int(each)) if isinstance(each, float) and each.is_integer() else str(each) for each in values
    )


def _check_outcome(found: BiasAnalysis, before: BiasAnalysis) -> None:
    """Of a threshold the interval's upper end is the data's, so the lower one counts."""
    now, then = (each.label_value.partition(", ")[0] for each in (found, before))
    if now != then:
        raise InputError(
            f"judge bias: want a baseline of the outcome {found.label_value}, got one of "
            f"{before.label_value}; suggest a new one"
        )


def masked(analysis: BiasAnalysis, baseline: BiasAnalysis, hidden: Collection[str]) -> BiasAnalysis:
    """Groups of sensitive columns by their place in the baseline; the outcome of a sensitive label hidden."""
    facets = tuple(
        replace(each, value=_place(each, baseline)) if each.name in hidden else each
        for each in analysis.facets
    )
    value = MASK if analysis.label in hidden else analysis.label_value
    return replace(analysis, facets=facets, label_value=value)


def _place(facet: FacetBias, baseline: BiasAnalysis) -> str:
    known = bias.counterpart(facet, baseline)
    return f"group {baseline.facets.index(known) + 1}" if known else "a group the baseline has not"


def _figures(facets: Iterable[FacetBias]) -> Iterator[Figure]:
    """The metrics of the model that have a finite value."""
    for facet in facets:
        for metric in facet.of_model:
            if isinstance(metric.value, float) and math.isfinite(metric.value):
                labels = (("facet", facet.name), ("facet_value", facet.value), ("metric", metric.name))
                yield Figure("bias_metric", metric.value, labels)


def diff(before: Suggestion, after: Suggestion) -> tuple[Change, ...]:
    """What tells two baselines apart, metric by metric."""
    left, right = (read.bias_analysis(each.text(ANALYSIS), ANALYSIS) for each in (before, after))
    return clarify_diff.bias_diff(left, right)


JUDGE = Judge(bias.MONITOR, (ANALYSIS,), suggest, judge, diff)

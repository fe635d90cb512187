"""What would change if one model-quality baseline took another's place, in words."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.core.values import Undefined
from watchkeeper.monitors.data_quality_diff import Change
from watchkeeper.monitors.model_quality_values import (
    Figure,
    MetricConstraint,
    Operator,
    QualityConstraints,
    QualityStatistics,
)

_WORSE = {Operator.GREATER: "at most", Operator.LESS: "at least"}


@dataclass(frozen=True, slots=True)
class QualityBaseline:
    """The two files of a baseline."""

    statistics: QualityStatistics
    constraints: QualityConstraints


def diff(before: QualityBaseline, after: QualityBaseline) -> tuple[Change, ...]:
    """What `after` says otherwise than `before`: the whole first, then metrics in the order of `after`."""
    rows = before.statistics.item_count, after.statistics.item_count
    found = [Change("", f"It is made of {rows[1]} rows instead of {rows[0]}.")] if rows[0] != rows[1] else []
    old_figures = dict(before.statistics.figures())
    for name, figure in after.statistics.figures():
        found += _figure(name, old_figures.get(name), figure)
    old = {each.metric: each for each in before.constraints.metrics}
    for each in after.constraints.metrics:
        found += _line(old.pop(each.metric, None), each)
    return (*found, *(Change(name, f"{_sentence(each)} is asked no longer.") for name, each in old.items()))


def _figure(name: str, before: Figure | None, after: Figure) -> list[Change]:
    if before is None or before.value == after.value:
        return []
    return [Change(name, f"{name} of the baseline's rows is {_said(after)} instead of {_said(before)}.")]


def _line(before: MetricConstraint | None, after: MetricConstraint) -> list[Change]:
    if before == after:
        return []
    was = "nothing was asked before" if before is None else f"{_asked(before)} before"
    return [Change(after.metric, f"{_sentence(after)} is asked; {was}.")]


def _sentence(each: MetricConstraint) -> str:
    return f"{each.metric} {_asked(each)}"


def _asked(each: MetricConstraint) -> str:
    return f"{_WORSE[each.comparison_operator]} {each.threshold:.6g}"


def _said(figure: Figure) -> str:
    value = figure.value
    return f"not known ({value.reason})" if isinstance(value, Undefined) else f"{value:.6g}"

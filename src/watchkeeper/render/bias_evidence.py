"""How a facet's group fared against the others, then and now: a table of its metrics and their picture."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from watchkeeper.core.values import Undefined
from watchkeeper.monitors.bias_values import BiasMetric, FacetBias
from watchkeeper.render import text
from watchkeeper.render.charts import Pair, Spot, paired_dots
from watchkeeper.render.pages import svg

WIDE = 1.96  # standard errors of an interval that holds 95 %
DRAWN = 1.5  # a metric beyond it would squeeze all others; the table has it


@dataclass(frozen=True, slots=True)
class FacetThenAndNow:
    """A facet's group in a window and, where it was there, in the baseline."""

    now: FacetBias
    before: FacetBias | None


@dataclass(frozen=True, slots=True)
class MetricLine:
    """A metric of a group as text; `verdict` is worse, held, or why it was not judged."""

    name: str
    description: str
    before: str
    now: str
    verdict: str
    worse: bool


@dataclass(frozen=True, slots=True)
class FacetExhibit:
    """A group's heading, its picture, and every metric of the model."""

    heading: str
    rows: str
    chart: Markup
    lines: tuple[MetricLine, ...]


def facet_exhibits(shown: Sequence[FacetThenAndNow], worse: Collection[str]) -> tuple[FacetExhibit, ...]:
    """One exhibit a group; `worse` are the subjects of the violations."""
    return tuple(_exhibit(each, worse) for each in shown)


def _exhibit(shown: FacetThenAndNow, worse: Collection[str]) -> FacetExhibit:
    facet = shown.now
    group = f"{facet.name} {facet.value}"
    hurt = {metric.name for metric in facet.of_model if f"{metric.name} of {group}" in worse}
    pairs = [
        pair
        for metric in facet.of_model
        if (pair := _pair(metric, _before(shown, metric), worse=metric.name in hurt)) is not None
    ]
    rows = f"{text.count(facet.rows, 'row')} of {text.whole(facet.of_rows)}"
    return FacetExhibit(
        group,
        rows,
        svg(paired_dots(f"Bias of {group}, then and now", pairs)),
        tuple(_line(metric, _before(shown, metric), worse=metric.name in hurt) for metric in facet.of_model),
    )


def _before(shown: FacetThenAndNow, metric: BiasMetric) -> BiasMetric | None:
    return shown.before.metric(metric.name) if shown.before else None


def _pair(metric: BiasMetric, before: BiasMetric | None, *, worse: bool) -> Pair | None:
    now = _spot(metric)
    if now is None:
        return None
    then = _spot(before) if before else None
    said = f"{text.decimal(now.value)}{f', was {text.decimal(then.value)}' if then else ''}"
    return Pair(metric.name, then, now, said, worse)


def _spot(metric: BiasMetric) -> Spot | None:
    """Where a metric stands; of DI, whose error is that of its logarithm, the interval is so too."""
    value, error = metric.value, metric.standard_error
    if isinstance(value, Undefined) or not abs(value) <= DRAWN:
        return None
    if not isinstance(error, float):
        return Spot(value, value, value)
    if metric.name == "DI":
        factor = math.exp(WIDE * error)
        return Spot(value, value / factor, min(value * factor, DRAWN))
    return Spot(value, max(value - WIDE * error, -DRAWN), min(value + WIDE * error, DRAWN))


def _line(metric: BiasMetric, before: BiasMetric | None, *, worse: bool) -> MetricLine:
    now = _said(metric)
    then = _said(before) if before else ""
    verdict = "worse" if worse else "held" if now and then else _why(metric)
    long = metric.description.removesuffix(f" ({metric.name})")
    return MetricLine(metric.name, long, then, now, verdict, worse)


def _why(metric: BiasMetric) -> str:
    return metric.value.reason if isinstance(metric.value, Undefined) else "not in the baseline"


def _said(metric: BiasMetric) -> str:
    """A value with its standard error, of DI that of its logarithm; empty where there is none."""
    if isinstance(metric.value, Undefined):
        return ""
    value = text.decimal(metric.value) if math.isfinite(metric.value) else "infinite"
    error = metric.standard_error
    if not isinstance(error, float):
        return value
    return f"{value}{', log' if metric.name == 'DI' else ''} ± {text.decimal(error)}"

"""The charts that stand beside a finding, for the report and the page of one execution alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from watchkeeper.core.values import Segment
from watchkeeper.render import text
from watchkeeper.render.charts import (
    Bar,
    Distribution,
    Residuals,
    bars,
    histogram,
    paired_bars,
    residual_plot,
)
from watchkeeper.render.pages import svg

MOST_VALUES = 12


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A chart with its heading and what to say beneath it."""

    heading: str
    chart: Markup
    note: str


def exhibits(distributions: Sequence[Distribution]) -> tuple[Exhibit, ...]:
    """Each column's two distributions; of many values those that changed most."""
    return tuple(_exhibit(shown) for shown in distributions)


def importance_exhibit(shown: Distribution) -> Exhibit:
    """Features by their share of all importance, in the order given; of many the first."""
    kept = Distribution(
        shown.column,
        shown.kind,
        shown.baseline[:MOST_VALUES],
        shown.window[:MOST_VALUES],
        labels=shown.labels[:MOST_VALUES],
    )
    left = len(shown.labels) > MOST_VALUES
    note = f"The {MOST_VALUES} that count most, of {len(shown.labels)}." if left else ""
    return Exhibit(shown.column, svg(paired_bars(kept)), note)


def residual_exhibit(residuals: Residuals) -> Exhibit:
    """Predicted against actual, of at most 2,500 rows, evenly picked."""
    drawn = thinned(residuals)
    said = f"{text.count(residuals.rows, 'row')}; predicted across, actual upwards, exact on the line"
    if len(drawn.points) < residuals.rows:
        said = f"{text.whole(len(drawn.points))} of {said}"
    return Exhibit("Predicted against actual", svg(residual_plot(drawn)), said)


def thinned(residuals: Residuals, most: int = 2500) -> Residuals:
    """At most `most` points, every n-th, so that the same rows give the same picture."""
    every = -(-len(residuals.points) // most) or 1
    return Residuals(residuals.points[::every], residuals.rows, residuals.unit)


def segment_chart(segments: Sequence[Segment], label: str) -> Markup:
    """Segments by their mean error as a share, worst first."""
    worst = sorted(segments, key=lambda segment: -segment.metrics.mape)
    return svg(bars(label, [_segment(segment) for segment in worst]))


def _segment(segment: Segment) -> Bar:
    note = f"{text.count(segment.metrics.rows, 'row')}, bias {text.signed_share(segment.metrics.bias)}"
    return Bar(
        f"{segment.column} {segment.value}", segment.metrics.mape, text.share(segment.metrics.mape), note
    )


def _exhibit(shown: Distribution) -> Exhibit:
    if shown.kind == "numeric":
        return Exhibit(shown.column, svg(histogram(shown)), shown.note)
    kept = most_changed(shown)
    left = len(shown.labels) - len(kept.labels)
    note = " ".join(
        part
        for part in (shown.note, f"The {MOST_VALUES} values that changed most, of {len(shown.labels)}.")
        if part
    )
    return Exhibit(shown.column, svg(paired_bars(kept)), note if left else shown.note)


def most_changed(shown: Distribution, most: int = MOST_VALUES) -> Distribution:
    """The values of a categorical column whose share moved most, the most moved first."""
    moved = [abs(window - baseline) for baseline, window in zip(shown.baseline, shown.window, strict=True)]
    order = sorted(range(len(moved)), key=lambda index: (-moved[index], shown.labels[index]))[:most]
    return Distribution(
        shown.column,
        shown.kind,
        tuple(shown.baseline[n] for n in order),
        tuple(shown.window[n] for n in order),
        labels=tuple(shown.labels[n] for n in order),
        note=shown.note,
        series=shown.series,
    )

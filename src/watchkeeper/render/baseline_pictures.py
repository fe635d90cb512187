"""Two baselines of one column as one picture: the one before as blocks, the one after over them."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from watchkeeper.core.statistics.sketch import Ranks
from watchkeeper.monitors.data_quality_diff import Change, DataQualityBaseline
from watchkeeper.monitors.data_quality_values import (
    FeatureStatistics,
    NumericalStatistics,
    StringStatistics,
)
from watchkeeper.render.distribution_chart import Distribution
from watchkeeper.render.evidence import Exhibit, exhibits

BINS = 24
MOST_LABELS = 120  # a column of more values is text, and its picture says nothing


def distribution(before: FeatureStatistics, now: FeatureStatistics, note: str = "") -> Distribution | None:
    """A column's two distributions over the same bins.

    None where there is nothing to compare: one value throughout, texts without end, numbers against texts.
    """
    if before.numerical is not None and now.numerical is not None:
        return _numeric(now.name, (before.numerical, now.numerical), note)
    if before.string is not None and now.string is not None:
        return _categorical(now.name, (before.string, now.string), note)
    return None


def pictures(before: DataQualityBaseline, after: DataQualityBaseline) -> tuple[Exhibit, ...]:
    """A chart of each column both baselines have and that differs, in the order of `after`."""
    drawn = [
        shown
        for feature in after.statistics.features
        if (earlier := before.statistics.feature(feature.name)) is not None
        and earlier != feature
        and (shown := distribution(earlier, feature)) is not None
    ]
    return exhibits(drawn)


def diff_fragment(
    changes: tuple[Change, ...], before: DataQualityBaseline, after: DataQualityBaseline
) -> Markup:
    """What would change, as a list of sentences and a picture a column: HTML for a page with our styles."""
    if not changes:
        return Markup("<p>Nothing would change.</p>")
    said = Markup("").join(Markup("<li>{}{}</li>").format(_subject(each), each.what) for each in changes)
    drawn = Markup("").join(
        Markup("<figure><figcaption>{}</figcaption>{}<p>{}</p></figure>").format(
            each.heading, each.chart, each.note
        )
        for each in pictures(before, after)
    )
    return Markup("<ul>{}</ul>{}").format(said, drawn)


def _subject(change: Change) -> Markup:
    return Markup("<b>{}</b>: ").format(change.column) if change.column else escape("")


def _numeric(
    name: str, sides: tuple[NumericalStatistics, NumericalStatistics], note: str
) -> Distribution | None:
    low = min(side.summary.min for side in sides)
    high = max(side.summary.max for side in sides)
    if low == high or not all(side.sketch.weight for side in sides):
        return None
    edges = np.linspace(low, high, BINS + 1)
    before, now = (_binned(side.sketch.ranks(), edges) for side in sides)
    return Distribution(name, "numeric", before, now, edges=tuple(edges.tolist()), note=note)


def _categorical(
    name: str, sides: tuple[StringStatistics, StringStatistics], note: str
) -> Distribution | None:
    before, now = (dict(side.counts) for side in sides)
    labels = tuple(sorted(before.keys() | now.keys()))
    if len(labels) > MOST_LABELS or not before or not now:
        return None
    first, second = (
        tuple(held.get(label, 0) / side.total for label in labels)
        for held, side in zip((before, now), sides, strict=True)
    )
    return Distribution(name, "categorical", first, second, labels=labels, note=note)


def _binned(ranks: Ranks, edges: NDArray[np.float64]) -> tuple[float, ...]:
    """Share of the weight in each bin; the last bin has its upper edge too."""
    below = ranks.below(edges)
    below[-1] = ranks.total
    return tuple((np.diff(below) / ranks.total).tolist())

"""Values then and now, each with how far chance may carry it, as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.render.scales import Scale, scale
from watchkeeper.render.svg import AXIS, hover, nothing_to_draw, percent, picture, tag
from watchkeeper.render.x_axis import across, row_texts, x_axis

ROW = 40  # px


@dataclass(frozen=True, slots=True)
class Spot:
    """A value and the ends of its interval; both are the value itself where none is known."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Pair:
    """One row: its name, the value in the baseline and now, both as text, and whether it got worse."""

    name: str
    before: Spot | None
    now: Spot
    said: str
    worse: bool = False


def paired_dots(label: str, shown: Sequence[Pair]) -> str:
    """Rows of two dots on one axis, which has a line at zero: the baseline's above, the newer beneath."""
    if not shown:
        return nothing_to_draw(label)
    spots = [spot for pair in shown for spot in (pair.before, pair.now) if spot is not None]
    axis = scale([0.0, *(end for spot in spots for end in (spot.low, spot.high))])
    bottom = ROW * len(shown) + 4
    rows = [_row(ROW * place, pair, axis) for place, pair in enumerate(shown)]
    return picture(bottom + AXIS, label, x_axis(axis, bottom), *rows)


def _row(top: int, pair: Pair, axis: Scale) -> str:
    return tag(
        "g",
        hover(f"{pair.name}: {pair.said}"),
        row_texts(pair.name, pair.said, top),
        _spot(top + 23, pair.before, axis, "baseline") if pair.before else "",
        _spot(top + 32, pair.now, axis, "limit" if pair.worse else "watched"),
    )


def _spot(y: int, spot: Spot, axis: Scale, tone: str) -> str:
    left, right = (percent(across(axis.at(end))) for end in (spot.low, spot.high))
    return tag(
        "g",
        tag("line", x1=left, x2=right, y1=y, y2=y, class_="whisker"),
        tag("circle", cx=percent(across(axis.at(spot.value))), cy=y, r=4, class_="point"),
        class_=f"tone-{tone}",
    )

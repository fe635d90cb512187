"""Values then and now, each with how far chance may carry it, as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.render.scales import Scale, scale
from watchkeeper.render.svg import AXIS, anchor, hover, nothing_to_draw, percent, picture, tag, words

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
    ticks = [
        tag(
            "line",
            x1=percent(_at(tick.at)),
            x2=percent(_at(tick.at)),
            y1=0,
            y2=bottom,
            class_="zero" if abs(tick.at - axis.at(0.0)) < 1e-9 else "grid",
        )
        + tag(
            "text",
            words(tick.label),
            x=percent(_at(tick.at)),
            y=bottom + 17,
            text_anchor=anchor(_at(tick.at)),
            class_="tick",
        )
        for tick in axis.ticks()
    ]
    rows = [_row(ROW * place, pair, axis) for place, pair in enumerate(shown)]
    return picture(bottom + AXIS, label, *ticks, *rows)


def _row(top: int, pair: Pair, axis: Scale) -> str:
    return tag(
        "g",
        hover(f"{pair.name}: {pair.said}"),
        tag("text", words(pair.name), x=0, y=top + 13, class_="bar-name over-grid"),
        tag("text", words(pair.said), x="100%", y=top + 13, text_anchor="end", class_="bar-value over-grid"),
        _spot(top + 23, pair.before, axis, "baseline") if pair.before else "",
        _spot(top + 32, pair.now, axis, "limit" if pair.worse else "watched"),
    )


def _spot(y: int, spot: Spot, axis: Scale, tone: str) -> str:
    left, right = (percent(_at(axis.at(end))) for end in (spot.low, spot.high))
    return tag(
        "g",
        tag("line", x1=left, x2=right, y1=y, y2=y, class_="whisker"),
        tag("circle", cx=percent(_at(axis.at(spot.value))), cy=y, r=4, class_="point"),
        class_=f"tone-{tone}",
    )


def _at(fraction: float) -> float:
    return 0.02 + 0.96 * fraction

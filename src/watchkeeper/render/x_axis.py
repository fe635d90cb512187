"""A number axis across the whole width of a chart of rows: grid lines with their numbers beneath."""

from __future__ import annotations

from watchkeeper.render.scales import Scale
from watchkeeper.render.svg import anchor, percent, tag, words


def across(fraction: float) -> float:
    """Where a fraction of the axis stands, as a fraction of the width: dots at the ends stay whole."""
    return 0.02 + 0.96 * fraction


def x_axis(axis: Scale, bottom: int) -> str:
    """A line from top to bottom at each tick, the one at zero drawn apart."""
    return "".join(
        tag(
            "line",
            x1=percent(across(tick.at)),
            x2=percent(across(tick.at)),
            y1=0,
            y2=bottom,
            class_="zero" if abs(tick.at - axis.at(0.0)) < 1e-9 else "grid",
        )
        + tag(
            "text",
            words(tick.label),
            x=percent(across(tick.at)),
            y=bottom + 17,
            text_anchor=anchor(across(tick.at)),
            class_="tick",
        )
        for tick in axis.ticks()
    )


def row_texts(name: str, said: str, top: int) -> str:
    """A row's name at the left and what is said of it at the right, over the grid."""
    return tag("text", words(name), x=0, y=top + 13, class_="bar-name over-grid") + tag(
        "text", words(said), x="100%", y=top + 13, text_anchor="end", class_="bar-value over-grid"
    )

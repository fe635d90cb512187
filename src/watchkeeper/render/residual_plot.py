"""Predicted against actual, as inline SVG."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.render import text
from watchkeeper.render.scales import Scale, scale
from watchkeeper.render.svg import (
    AXIS,
    LEFT,
    STRETCH,
    WIDTH,
    anchor,
    nothing_to_draw,
    percent,
    picture,
    stretched,
    tag,
    words,
)

LAYERS = 12  # a path's own points do not darken each other, so many points need several


@dataclass(frozen=True, slots=True)
class Residuals:
    """Predicted against actual, row by row, in the label's unit; `rows` counts those not drawn too."""

    points: tuple[tuple[float, float], ...]
    rows: int
    unit: str = ""


def residual_plot(shown: Residuals, height: int = 320) -> str:
    """Predicted against actual, both from the same scale; on the diagonal a prediction is right."""
    label = f"Predicted against actual, {text.count(shown.rows, 'row')}"
    if not shown.points:
        return nothing_to_draw(label)
    both = scale([value for point in shown.points for value in point])
    top, bottom = 12, height - AXIS
    spots = [_spot(predicted, actual, both, (top, bottom)) for predicted, actual in shown.points]
    layers = ["".join(spots[n::LAYERS]) for n in range(min(LAYERS, len(spots)))]
    ends = f"M{LEFT * STRETCH:g} {bottom}L{(LEFT + WIDTH) * STRETCH:g} {top}"
    return picture(
        height,
        label,
        _both_axes(both, (top, bottom), shown.unit),
        stretched(
            0,
            bottom,
            tag("path", d=ends, class_="diagonal", vector_effect="non-scaling-stroke"),
            *[tag("path", d=layer, class_="spots", vector_effect="non-scaling-stroke") for layer in layers],
        ),
    )


def _spot(predicted: float, actual: float, both: Scale, frame: tuple[int, int]) -> str:
    x = (LEFT + WIDTH * both.at(predicted)) * STRETCH
    return f"M{x:.1f} {frame[1] - (frame[1] - frame[0]) * both.at(actual):.1f}h0"


def _both_axes(both: Scale, frame: tuple[int, int], unit: str) -> str:
    drawn, ticks = [], both.ticks()
    for tick in ticks:
        y, x = frame[1] - (frame[1] - frame[0]) * tick.at, LEFT + WIDTH * tick.at
        named = f"{tick.label} {unit} actual".replace("  ", " ") if tick is ticks[-1] else tick.label
        drawn.append(tag("line", x1=0, x2="100%", y1=y, y2=y, class_="grid"))
        drawn.append(tag("text", words(named), x=0, y=y - 4, class_="tick"))
        drawn.append(
            tag(
                "text", words(tick.label), x=percent(x), y=frame[1] + 17, text_anchor=anchor(x), class_="tick"
            )
        )
    return "".join(drawn)

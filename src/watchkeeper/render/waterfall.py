"""Steps from one number to another, as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from watchkeeper.render.scales import Scale, scale
from watchkeeper.render.svg import AXIS, hover, nothing_to_draw, percent, picture, tag
from watchkeeper.render.x_axis import across, row_texts, x_axis

ROW = 36  # px


@dataclass(frozen=True, slots=True)
class Step:
    """What is added, by what, and both as text."""

    name: str
    added: float
    said: str


def waterfall(label: str, start: float, steps: Sequence[Step]) -> str:
    """Bars that begin where the one above ended, from `start` on; up to the right, down to the left."""
    if not steps:
        return nothing_to_draw(label)
    reached = list(accumulate((step.added for step in steps), initial=start))
    axis = scale(reached)
    bottom = ROW * len(steps) + 6
    rows = [
        _row(ROW * place, step, ends, axis)
        for place, (step, ends) in enumerate(zip(steps, pairwise(reached), strict=True))
    ]
    return picture(bottom + AXIS, label, x_axis(axis, bottom), *rows)


def _row(top: int, step: Step, ends: tuple[float, float], axis: Scale) -> str:
    left, right = sorted(across(axis.at(end)) for end in ends)
    tone = "watched" if step.added >= 0 else "unwatched"
    return tag(
        "g",
        hover(f"{step.name}: {step.said}"),
        row_texts(step.name, step.said, top),
        tag(
            "rect",
            x=percent(min(left, 0.997)),
            y=top + 19,
            width=percent(max(right - left, 0.003)),
            height=9,
            rx=2,
            class_=f"fill-{tone}",
        ),
    )

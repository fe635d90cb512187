"""The loop as a picture: twelve steps, each with its figure of this run.

Drawn twice, as a ring for wide pages and as a list for narrow ones; style.css shows one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.render.svg import hover, percent, picture, tag, words

_WIDE, _TALL, _BETWEEN = 0.145, 86, 56  # share of the width; px
_ROW = 46


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the loop: its name, its figure of this run, a few words; tone is calm, ok, warn or bad."""

    name: str
    figure: str
    detail: str
    tone: str = "calm"


def loop_picture(steps: Sequence[Step], back: str) -> str:
    """The steps in order; the second half runs back under the first, and `back` names the way round again.

    Wants an even count of at least four steps; raises ValueError for any other.
    """
    if len(steps) < 4 or len(steps) % 2:
        raise ValueError(f"draw the loop: want an even count of steps from 4 on, got {len(steps)}")
    return _ring(steps, back) + _ladder(steps, back)


def _said(steps: Sequence[Step]) -> str:
    return "The loop: " + "; ".join(f"{step.name} {step.figure}" for step in steps)


def _ring(steps: Sequence[Step], back: str) -> str:
    half = len(steps) // 2
    spread = (1 - _WIDE) / (half - 1)
    spots = [(spread * n, 6) for n in range(half)]
    spots += [(x, 6 + _TALL + _BETWEEN) for x, _ in reversed(spots)]
    arrows = [_across(spots[n], spots[n + 1]) for n in range(len(steps) - 1) if n != half - 1]
    turn, close = 1 - _WIDE / 2, _WIDE / 2
    low, high = 6 + _TALL, 6 + _TALL + _BETWEEN
    return picture(
        high + _TALL + 6,
        _said(steps),
        *arrows,
        _upright(turn, low + 4, high - 4, "flow"),
        _head(turn, high - 4, "down", "flow"),
        _upright(close, high - 4, low + 4, "flow-back"),
        _head(close, low + 4, "up", "flow-back"),
        tag("text", words(back), x=percent(close + 0.016), y=(low + high) / 2 + 4, class_="loop-note"),
        *[_box(step, x, y) for step, (x, y) in zip(steps, spots, strict=True)],
        kind="loop loop-wide",
    )


def _box(step: Step, x: float, y: float) -> str:
    middle = percent(x + _WIDE / 2)
    lines = [(22, "loop-name", step.name), (48, "loop-figure", step.figure), (70, "loop-detail", step.detail)]
    return tag(
        "g",
        hover(f"{step.name}: {step.figure} {step.detail}".strip()),
        tag("rect", x=percent(x), y=y, width=percent(_WIDE), height=_TALL, rx=8, class_="loop-box"),
        *[
            tag("text", words(said), x=middle, y=y + at, text_anchor="middle", class_=kind)
            for at, kind, said in lines
        ],
        class_=f"step-{step.tone}",
    )


def _across(start: tuple[float, float], end: tuple[float, float]) -> str:
    y, forward = start[1] + _TALL / 2, end[0] > start[0]
    left, right = (start[0], end[0]) if forward else (end[0], start[0])
    tip = right - 0.003 if forward else left + _WIDE + 0.003
    line = tag("line", x1=percent(left + _WIDE + 0.003), x2=percent(right - 0.003), y1=y, y2=y, class_="flow")
    return line + _head(tip, y, "right" if forward else "left", "flow")


def _upright(x: float, start: float, end: float, kind: str) -> str:
    return tag("line", x1=percent(x), x2=percent(x), y1=start, y2=end, class_=kind)


_HEADS = {
    "right": "M-7 -5L0 0L-7 5",
    "left": "M7 -5L0 0L7 5",
    "down": "M-5 -7L0 0L5 -7",
    "up": "M-5 7L0 0L5 7",
}


def _head(x: float, y: float, way: str, kind: str) -> str:
    return tag(
        "svg",
        tag("path", d=_HEADS[way], class_=f"{kind} head"),
        x=percent(x),
        y=y,
        width=1,
        height=1,
        overflow="visible",
    )


def _ladder(steps: Sequence[Step], back: str) -> str:
    bottom = _ROW * len(steps)
    rungs = [_rung(step, _ROW * n) for n, step in enumerate(steps)]
    return picture(
        bottom + 14,
        _said(steps),
        tag("line", x1=9, x2=9, y1=20, y2=bottom - 20, class_="flow"),
        *rungs,
        _head_at(9, bottom + 2),
        tag("text", words(back), x=26, y=bottom + 6, class_="loop-note"),
        kind="loop loop-narrow",
    )


def _head_at(x: float, y: float) -> str:
    return tag(
        "svg",
        tag("path", d="M0 -18V0M-5 -7L0 0L5 -7", class_="flow-back head"),
        x=x,
        y=y,
        width=1,
        height=1,
        overflow="visible",
    )


def _rung(step: Step, top: float) -> str:
    return tag(
        "g",
        tag("circle", cx=9, cy=top + 16, r=6, class_="rung"),
        tag("text", words(step.name), x=26, y=top + 21, class_="loop-name"),
        tag("text", words(step.figure), x="100%", y=top + 17, text_anchor="end", class_="loop-figure"),
        tag("text", words(step.detail), x="100%", y=top + 33, text_anchor="end", class_="loop-detail"),
        class_=f"step-{step.tone}",
    )

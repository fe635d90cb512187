"""Line charts over time, as inline SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from watchkeeper.render import text
from watchkeeper.render.scales import Scale, Style, Tick, TimeScale, scale
from watchkeeper.render.svg import (
    AXIS,
    LEFT,
    STRETCH,
    WIDTH,
    anchor,
    hover,
    nothing_to_draw,
    percent,
    picture,
    stretched,
    tag,
    words,
)

GLYPHS = {"alert": "▲", "retrain": "●", "promote": "◆", "rollback": "▼"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `tone` is a colour of style.css; a point without a value interrupts the line."""

    name: str
    tone: str
    points: tuple[tuple[datetime, float | None], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: a kind of GLYPHS, and what to say of it."""

    time: datetime
    kind: str
    note: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """A level that is not to be crossed."""

    value: float
    name: str


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines over time. `say` writes a value for a hover title; `zero` keeps zero in sight."""

    label: str
    lines: tuple[Line, ...]
    say: Callable[[float], str] = text.amount
    style: Style = Style.NUMBER
    zero: bool = False
    marks: tuple[Mark, ...] = ()
    threshold: Threshold | None = None
    height: int = 230


def line_chart(chart: LineChart) -> str:
    """Lines on a time axis, with marks on top and a threshold; no points give a note instead."""
    times = [time for line in chart.lines for time, _ in line.points]
    values = [value for line in chart.lines for _, value in line.points if value is not None]
    if not values:
        return nothing_to_draw(chart.label)
    axis = TimeScale(min(times), max(times))
    levels = [*values, chart.threshold.value] if chart.threshold else values
    y = scale(levels, zero=chart.zero)
    top, bottom = 24 if chart.marks else 12, chart.height - AXIS
    frame = _Frame(axis, y, top, bottom)
    return picture(
        chart.height,
        chart.label,
        _grid(frame, y.ticks(chart.style)),
        _time_axis(frame),
        *([_threshold(chart.threshold, frame)] if chart.threshold else []),
        *[_mark(mark, frame) for mark in chart.marks if axis.start <= mark.time <= axis.end],
        *[_line(line, frame, chart.say) for line in chart.lines],
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a time and a value stand in a line chart."""

    time: TimeScale
    scale: Scale
    top: int
    bottom: int

    def x(self, time: datetime) -> float:
        return LEFT + WIDTH * self.time.at(time)

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * self.scale.at(value)


def _grid(frame: _Frame, ticks: Sequence[Tick]) -> str:
    drawn = []
    for tick in ticks:
        y = frame.bottom - (frame.bottom - frame.top) * tick.at
        drawn.append(tag("line", x1=0, x2="100%", y1=y, y2=y, class_="grid"))
        drawn.append(tag("text", words(tick.label), x=0, y=y - 4, class_="tick"))
    return "".join(drawn)


def _time_axis(frame: _Frame) -> str:
    drawn = []
    for tick in frame.time.ticks():
        x = LEFT + WIDTH * tick.at
        at = percent(x)
        drawn.append(tag("line", x1=at, x2=at, y1=frame.bottom, y2=frame.bottom + 5, class_="grid"))
        drawn.append(
            tag("text", words(tick.label), x=at, y=frame.bottom + 17, text_anchor=anchor(x), class_="tick")
        )
    return "".join(drawn)


def _threshold(threshold: Threshold, frame: _Frame) -> str:
    y = frame.y(threshold.value)
    return tag("line", x1=percent(LEFT), x2="100%", y1=y, y2=y, class_="threshold") + tag(
        "text", words(threshold.name), x="100%", y=y - 5, text_anchor="end", class_="threshold-name"
    )


def _mark(mark: Mark, frame: _Frame) -> str:
    at = percent(frame.x(mark.time))
    said = f"{text.day_text(mark.time)}: {mark.note}"
    return tag(
        "g",
        hover(said),
        tag("line", x1=at, x2=at, y1=18, y2=frame.bottom, class_="mark"),
        tag("text", GLYPHS[mark.kind], x=at, y=13, text_anchor="middle"),
        class_=f"mark-{mark.kind}",
    )


def _line(line: Line, frame: _Frame, say: Callable[[float], str]) -> str:
    known = [(time, value) for time, value in line.points if value is not None]
    runs = [list(run) for present, run in groupby(line.points, lambda point: point[1] is not None) if present]
    path = " ".join(_run([(t, v) for t, v in run if v is not None], frame) for run in runs)
    drawn = tag("path", d=path, class_="line", vector_effect="non-scaling-stroke")
    dots = [_dot(line.name, time, frame, (value, say(value))) for time, value in known]
    density = "sparse" if len(known) < 15 else "dense"
    return tag("g", stretched(0, frame.bottom, drawn), *dots, class_=f"tone-{line.tone} {density}")


def _run(points: Sequence[tuple[datetime, float]], frame: _Frame) -> str:
    spots = [f"{frame.x(time) * STRETCH:.1f} {frame.y(value):.1f}" for time, value in points]
    return "M" + "L".join(spots)


def _dot(name: str, time: datetime, frame: _Frame, value: tuple[float, str]) -> str:
    title = hover(f"{name}, {text.MONTHS[time.month - 1]} {time.year}: {value[1]}")
    return tag("circle", title, cx=percent(frame.x(time)), cy=round(frame.y(value[0]), 1), r=4, class_="dot")

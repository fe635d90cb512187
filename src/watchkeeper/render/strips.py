"""Bars, status strips and timelines of alerts, as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from watchkeeper.render.scales import TimeScale
from watchkeeper.render.svg import AXIS, anchor, hover, nothing_to_draw, percent, picture, tag, words

CELL_GLYPHS = {"ok": "✓", "bad": "!", "warn": "!", "none": "·"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One horizontal bar: its name, value, the value as text, and what to add on hover."""

    name: str
    value: float
    said: str
    note: str = ""
    tone: str = "watched"


@dataclass(frozen=True, slots=True)
class Cell:
    """One status in a strip: a tone (ok, bad, warn, none), what it says, and the page it leads to."""

    tone: str
    note: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """An alert's time: pending from `start`, firing from `fired`, until `end` (None: still open)."""

    name: str
    start: datetime
    fired: datetime | None
    end: datetime | None
    note: str


def bars(label: str, shown: Sequence[Bar]) -> str:
    """Horizontal bars from zero, each with its name above and its value at the right."""
    if not shown:
        return nothing_to_draw(label)
    most = max(max(abs(bar.value) for bar in shown), 1e-12)
    return picture(
        36 * len(shown), label, *[_bar(row, bar, abs(bar.value) / most) for row, bar in enumerate(shown)]
    )


def _bar(row: int, bar: Bar, length: float) -> str:
    top = 36 * row
    return tag(
        "g",
        hover(f"{bar.name}: {bar.said}{f', {bar.note}' if bar.note else ''}"),
        tag(
            "text",
            words(bar.name),
            tag("tspan", words(bar.note), dx=8, class_="soft"),
            x=0,
            y=top + 12,
            class_="bar-name",
        ),
        tag("text", words(bar.said), x="100%", y=top + 12, text_anchor="end", class_="bar-value"),
        tag("rect", x=0, y=top + 18, width="100%", height=6, rx=3, class_="bar-bed"),
        tag("rect", x=0, y=top + 18, width=percent(length), height=6, rx=3, class_=f"fill-{bar.tone}"),
    )


def status_strip(label: str, cells: Sequence[Cell], height: int = 26) -> str:
    """One cell per execution, left to right; a glyph says the status where colour cannot."""
    if not cells:
        return nothing_to_draw(label)
    width = 1 / max(len(cells), 6)
    return picture(
        height, label, *[_cell(n, cell, width, height) for n, cell in enumerate(cells)], kind="chart strip"
    )


def _cell(index: int, cell: Cell, width: float, height: int) -> str:
    drawn = tag(
        "g",
        hover(cell.note),
        tag(
            "rect",
            x=percent(index * width),
            width=percent(width * 0.9),
            height=height,
            rx=3,
            class_=f"cell-{cell.tone}",
        ),
        tag(
            "text",
            CELL_GLYPHS[cell.tone],
            x=percent((index + 0.45) * width),
            y=height / 2 + 4,
            text_anchor="middle",
            class_=f"glyph-{cell.tone}",
        ),
    )
    return tag("a", drawn, href=cell.href) if cell.href else drawn


def timeline(label: str, spans: Sequence[Span], until: datetime) -> str:
    """Alerts over time, a row for each name: thin while pending, thick while firing, to `until` when open."""
    if not spans:
        return nothing_to_draw(label)
    axis = TimeScale(min(span.start for span in spans), max(until, *(span.end or until for span in spans)))
    rows: dict[str, list[Span]] = {}
    for span in spans:
        rows.setdefault(span.name, []).append(span)
    bottom = 38 * len(rows) + 4
    ticks = [
        tag("line", x1=percent(tick.at), x2=percent(tick.at), y1=0, y2=bottom, class_="grid")
        + tag(
            "text",
            words(tick.label),
            x=percent(tick.at),
            y=bottom + 17,
            text_anchor=anchor(tick.at),
            class_="tick",
        )
        for tick in axis.ticks()
    ]
    drawn = [_row_of_spans(38 * n, name, rows[name], (axis, until)) for n, name in enumerate(rows)]
    return picture(bottom + AXIS, label, *ticks, *drawn)


def _row_of_spans(top: int, name: str, spans: Sequence[Span], over: tuple[TimeScale, datetime]) -> str:
    named = tag("text", words(name), x=0, y=top + 13, class_="bar-name over-grid")
    return named + "".join(_span(top, span, *over) for span in spans)


def _span(top: int, span: Span, axis: TimeScale, until: datetime) -> str:
    begin, end = axis.at(span.start), axis.at(span.end or until)
    fired = axis.at(span.fired) if span.fired else end
    tone = "pending" if span.fired is None else "resolved" if span.end else "firing"
    wide = percent(max(end - fired, 0.006))
    return tag(
        "g",
        hover(span.note),
        tag(
            "rect",
            x=percent(begin),
            y=top + 25,
            width=percent(max(fired - begin, 0)),
            height=3,
            class_="span-pending",
        ),
        tag(
            "rect",
            x=percent(min(fired, 0.994)),
            y=top + 22,
            width=wide,
            height=9,
            rx=2,
            class_=f"span-{tone}",
        ),
    )

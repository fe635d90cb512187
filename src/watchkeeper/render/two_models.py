"""The figure of a rehearsal of years, as a file of its own: the watched model beside the one left alone.

Self-contained, on a ground of its own, in the reader's light or dark, with words for those who cannot see it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from watchkeeper.core.values import Metrics
from watchkeeper.core.windows import month_start
from watchkeeper.render import text
from watchkeeper.render.charts import Line, LineChart, Mark, line_chart
from watchkeeper.render.line_chart import GLYPHS
from watchkeeper.render.pages import page, svg
from watchkeeper.render.report_values import Month, Retrain

_CHART = 240  # px of each of the two charts
_FIRST, _STEP = 84, 290  # px of the first chart's name, and from one to the next


@dataclass(frozen=True, slots=True)
class TwoModels:
    """What the figure shows. `alert` is the name of the rule whose alerts are marked."""

    title: str
    source: str
    unit: str
    alert: str
    months: tuple[Month, ...]
    retrains: tuple[Retrain, ...]


@dataclass(frozen=True, slots=True)
class _Key:
    kind: str
    said: str

    @property
    def glyph(self) -> str:
        return GLYPHS[self.kind]


@dataclass(frozen=True, slots=True)
class _Panel:
    name: str
    top: int
    height: int
    marks: tuple[_Key, ...]
    chart: Markup


@dataclass(frozen=True, slots=True)
class _Legend:
    tone: str
    said: str


def two_models(figure: TwoModels) -> str:
    """The figure as an SVG file. Raises ValueError when no month has figures of both models."""
    both = [month for month in figure.months if month.metrics and month.unwatched]
    if not both:
        raise ValueError("draw two models: want a month with figures of both, got none")
    panels = (
        _panel(0, "R² by month", _r2(figure), _retrain_keys(figure)),
        _panel(1, f"RMSE by month, {figure.unit}", _rmse(figure), (_Key("alert", _alert_key(figure)),)),
    )
    return page(
        "two_models.svg",
        title=figure.title,
        description=_description(figure, both),
        height=_FIRST + 2 * _STEP,
        legend=(
            _Legend("watched", "watched: retrained when an alert asks for it and the challenger wins"),
            _Legend("unwatched", "unwatched: the first model, left alone"),
        ),
        panels=panels,
        source=figure.source,
    )


def _panel(place: int, name: str, chart: LineChart, marks: tuple[_Key, ...]) -> _Panel:
    return _Panel(name, _FIRST + place * _STEP, _CHART, marks, svg(line_chart(chart)))


def _r2(figure: TwoModels) -> LineChart:
    return LineChart(
        label="R² by month",
        lines=_lines(figure.months, lambda m: m.r2),
        marks=_retrains(figure),
        height=_CHART,
    )


def _rmse(figure: TwoModels) -> LineChart:
    alerts = [each for each in figure.months if figure.alert in each.alerts]
    return LineChart(
        label="RMSE by month",
        lines=_lines(figure.months, lambda m: m.rmse),
        say=lambda value: text.amount(value, figure.unit),
        zero=True,
        marks=tuple(Mark(month_start(each.month), "alert", figure.alert) for each in alerts),
        height=_CHART,
    )


def _lines(months: Sequence[Month], figure: Callable[[Metrics], float]) -> tuple[Line, ...]:
    found = []
    for name, of in (("unwatched", _unwatched), ("watched", _watched)):
        known = [(month_start(month.month), of(month)) for month in months]
        points = tuple((time, figure(metrics) if metrics else None) for time, metrics in known)
        found.append(Line(name, name, points))
    return tuple(found)


def _retrains(figure: TwoModels) -> tuple[Mark, ...]:
    """Retrains that met the champion, in the month they did."""
    return tuple(
        Mark(month_start(each.month), "promote", f"version {each.promoted} goes into service")
        if each.promoted is not None
        else Mark(month_start(each.month), "retrain", "the challenger loses, the champion stays")
        for each in figure.retrains
        if each.promoted is not None or each.gate is not None
    )


def _retrain_keys(figure: TwoModels) -> tuple[_Key, ...]:
    known = {mark.kind for mark in _retrains(figure)}
    keys = (_Key("promote", "a challenger wins and goes into service"), _Key("retrain", "a challenger loses"))
    return tuple(key for key in keys if key.kind in known)


def _alert_key(figure: TwoModels) -> str:
    return f"a month about which {figure.alert} fires, when its labels are known"


def _description(figure: TwoModels, both: Sequence[Month]) -> str:
    """The two curves in words: where each begins and ends, and how often there was a retrain."""
    said = [
        _course(name, both, [metrics for month in both if (metrics := of(month))])
        for name, of in (("watched", _watched), ("unwatched", _unwatched))
    ]
    won = sum(each.promoted is not None for each in figure.retrains)
    rows = text.count(sum(month.rows for month in figure.months), "row")
    ends = f"{text.sentence(text.spelled(won, 'retrain'))} led to a new version."
    return " ".join((f"Two line charts by month over {rows}.", *said, ends))


def _course(name: str, months: Sequence[Month], found: Sequence[Metrics]) -> str:
    begins = f"{text.decimal(found[0].r2)} in {text.month_text(months[0].month)}"
    ends = f"{text.decimal(found[-1].r2)} in {text.month_text(months[-1].month)}"
    return f"R² of the {name} model: {begins}, {ends}."


def _watched(month: Month) -> Metrics | None:
    return month.metrics


def _unwatched(month: Month) -> Metrics | None:
    return month.unwatched

"""The report of a run as one page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from watchkeeper.core.rules import Alert
from watchkeeper.core.values import Execution, Metrics
from watchkeeper.core.windows import month_start
from watchkeeper.render import report_story, text
from watchkeeper.render.charts import (
    Bar,
    Cell,
    Distribution,
    Line,
    LineChart,
    Mark,
    Residuals,
    Span,
    bars,
    line_chart,
    status_strip,
    timeline,
)
from watchkeeper.render.evidence import exhibits, residual_exhibit, segment_chart
from watchkeeper.render.loop import loop_picture
from watchkeeper.render.pages import page, status_name, status_tone, svg
from watchkeeper.render.report_values import AuditSlice, Counts, DataSource, Gate, Month, Report, Retrain

__all__ = [
    "AuditSlice",
    "Counts",
    "DataSource",
    "Distribution",
    "Gate",
    "Month",
    "Report",
    "Residuals",
    "Retrain",
    "report_page",
]


def report_page(report: Report) -> str:
    """The whole page as HTML, under 2 MB also for three years of months.

    Every list may be empty: the section then says so or is left out.
    """
    return page(
        "report.html",
        classification=report.classification,
        report=report,
        headline=report_story.headline(report),
        standfirst=report_story.standfirst(report),
        figures=report_story.figures(report),
        loop=svg(loop_picture(report_story.steps(report), report_story.way_back(report))),
        quality=_quality(report),
        strips=_strips(report.executions),
        found=[execution for execution in report.executions if execution.violations],
        exhibits=exhibits(report.distributions),
        residuals=[residual_exhibit(report.residuals)] if report.residuals else [],
        segments=segment_chart(report.segments, "Segments by mean error") if report.segments else "",
        alerts=svg(timeline("Alerts over time", [_span(alert) for alert in report.alerts], _end(report))),
        stages=_stages(report),
    )


@dataclass(frozen=True, slots=True)
class _Strip:
    schedule: str
    cells: Markup
    said: str


def _quality(report: Report) -> list[Markup]:
    """RMSE and R² over the months; a single month needs no line."""
    if len(report.months) < 2:
        return []
    marks = _marks(report)
    return [svg(line_chart(chart)) for chart in (_rmse_chart(report, marks), _r2_chart(report, marks))]


def _rmse_chart(report: Report, marks: tuple[Mark, ...]) -> LineChart:
    baseline = Line("baseline", "baseline", _points(report, lambda month: month.baseline_rmse))
    limit = Line("alert threshold", "limit", _points(report, lambda month: _limit(report, month)))
    expected = _points(report, lambda month: month.estimated_rmse)
    known = any(value is not None for _, value in expected)
    estimated = [Line("estimated before labels came", "estimate", expected)] if known else []
    unit = report.label_unit
    return LineChart(
        label=f"RMSE by month{f' in {unit}' if unit else ''}, watched model and baseline",
        lines=(
            baseline,
            *([limit] if report.ratio_limit is not None else []),
            *estimated,
            *_model_lines(report, lambda m: m.rmse),
        ),
        say=lambda value: text.amount(value, unit),
        zero=True,
        marks=marks,
    )


def _r2_chart(report: Report, marks: tuple[Mark, ...]) -> LineChart:
    return LineChart(
        label="R² by month, watched model",
        lines=_model_lines(report, lambda m: m.r2),
        say=lambda value: text.decimal(value),
        marks=marks,
    )


def _model_lines(report: Report, figure: Callable[[Metrics], float]) -> tuple[Line, ...]:
    watched = Line(
        "watched", "watched", _points(report, lambda month: figure(month.metrics) if month.metrics else None)
    )
    if not any(month.unwatched for month in report.months):
        return (watched,)
    alone = _points(report, lambda month: figure(month.unwatched) if month.unwatched else None)
    return Line("left alone", "unwatched", alone), watched


def _points(
    report: Report, figure: Callable[[Month], float | None]
) -> tuple[tuple[datetime, float | None], ...]:
    return tuple((month_start(month.month), figure(month)) for month in report.months)


def _limit(report: Report, month: Month) -> float | None:
    if report.ratio_limit is None or month.baseline_rmse is None:
        return None
    return report.ratio_limit * month.baseline_rmse


def _marks(report: Report) -> tuple[Mark, ...]:
    alerts = [Mark(month_start(m.month), "alert", text.listing(m.alerts)) for m in report.months if m.alerts]
    moves = [
        Mark(
            d.time, d.kind if d.kind == "rollback" else "promote", f"version {d.version} into {d.environment}"
        )
        for d in report.deployments
        if d.environment == report.environment and d.previous is not None
    ]
    return (*alerts, *moves)


def _strips(executions: Sequence[Execution]) -> list[_Strip]:
    by_schedule: dict[str, list[Execution]] = {}
    for execution in executions:
        by_schedule.setdefault(f"{execution.schedule}, {execution.environment}", []).append(execution)
    return [_strip(name, sorted(by_schedule[name], key=lambda e: e.window)) for name in by_schedule]


def _strip(name: str, executions: Sequence[Execution]) -> _Strip:
    cells = [
        Cell(status_tone(e.status), f"{text.window_text(e.window)}: {status_name(e.status)}")
        for e in executions
    ]
    said = f"{text.window_text(executions[0].window)} to {text.window_text(executions[-1].window)}"
    return _Strip(
        name,
        svg(status_strip(f"Executions of {name}", cells)),
        said if len(executions) > 1 else said.split(" to ")[0],
    )


def _span(alert: Alert) -> Span:
    place = dict(alert.labels).get("environment", "")
    name = f"{alert.name}, {place}" if place else alert.name
    since = alert.fired_at or alert.active_at
    note = f"{name}: {alert.state} since {text.time_text(since)}. {alert.summary}"
    return Span(name, alert.active_at, alert.fired_at, alert.resolved_at, note)


def _end(report: Report) -> datetime:
    """The latest moment the report speaks of, on the clock of its alerts and not the wall's."""
    times = [
        time for a in report.alerts for time in (a.active_at, a.fired_at, a.resolved_at) if time is not None
    ]
    times += [execution.window.end for execution in report.executions]
    times += [decision.time for decision in report.decisions]
    return max(times, default=month_start(report.until))


def _stages(report: Report) -> Markup:
    total = sum(seconds for _, seconds in report.seconds)
    shown = [
        Bar(stage, seconds, text.seconds_text(seconds), text.share(seconds / total, 0) if total else "")
        for stage, seconds in report.seconds
    ]
    return svg(bars("Seconds by stage", shown)) if shown else Markup("")

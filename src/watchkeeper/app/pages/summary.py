"""What a rehearsal came to, as one value: `summary.json`, the table at its end and the report's figures."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from watchkeeper.app.judging.judgement import LABEL, numbers
from watchkeeper.app.judging.model_quality import known_figures
from watchkeeper.app.retraining.retrains import Outcome, Retrain
from watchkeeper.core.audit import Verification
from watchkeeper.core.rules import Alert
from watchkeeper.core.values import VERDICTS, Execution, Metrics, Sample, Status
from watchkeeper.core.windows import month_of, utc_text


@dataclass(frozen=True, slots=True)
class Counts:
    """What was sent and what came of it, in the watched environment. Nothing may get lost on the way."""

    requests: int  # sent and answered
    captured: int  # capture records
    rows: int  # rows sent
    labels: int  # rows whose label was collected
    scored: int  # captured rows joined to their label
    unmatched: int  # ids that are not in exactly one request and one capture record

    @property
    def reconciled(self) -> bool:
        """Requests = captured, rows = labels = scored, joined one to one."""
        return (
            self.requests == self.captured and self.rows == self.labels == self.scored and not self.unmatched
        )


UNWATCHED = "unwatched_prediction"  # the column of what the first model, left alone, says


@dataclass(frozen=True, slots=True)
class HalfYear:
    """Six months' rows pooled: the model that is watched, and the first one left alone."""

    half: str  # 2020H1
    rows: int
    watched: Metrics | None
    unwatched: Metrics | None


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A version by what it has learned from, for `models.json`."""

    version: int
    trained_from: str
    trained_through: str
    labels_known_in: str
    digest: str


@dataclass(frozen=True, slots=True)
class GateSummary:
    """Both models on the rows of the gate."""

    champion_rmse: float
    challenger_rmse: float
    rows: int


@dataclass(frozen=True, slots=True)
class RetrainSummary:
    """One retrain: when it was decided, why, on whose word, and the version promoted, if any."""

    decision: str
    month: str
    reason: str
    outcome: str
    approved_by: str | None
    gate: GateSummary | None
    promoted: int | None


@dataclass(frozen=True, slots=True)
class MonthSummary:
    """One month of both models. `rmse_baseline_ratio` is None where no monitor could say."""

    month: str
    rows: int
    model_version: int
    watched: Metrics | None
    unwatched: Metrics | None
    rmse_baseline_ratio: float | None
    violations: int
    alerts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """One alert that began to fire, by the month it is about and the month it was known in."""

    name: str
    environment: str
    month: str
    labels_known_in: str
    state: str


@dataclass(frozen=True, slots=True)
class DecisionSummary:
    """One decision and what it says."""

    kind: str
    alert: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class AlertPlace:
    """An alert that is open. Its fingerprint stands for its name and all labels of its series."""

    alert: str
    environment: str
    endpoint: str
    state: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class StackCheck:
    """What was open at one moment: to our evaluator, to Prometheus, and by what came through the door."""

    time: datetime
    embedded: tuple[AlertPlace, ...]
    prometheus: tuple[AlertPlace, ...]
    door: tuple[AlertPlace, ...]

    @property
    def equal(self) -> bool:
        """Whether all three say the same; what is pending does not come through the door."""
        firing = tuple(each for each in self.prometheus if each.state == "firing")
        return self.embedded == self.prometheus and self.door == firing


@dataclass(frozen=True, slots=True)
class StackSummary:
    """How Prometheus and Alertmanager, of these versions, compare with the embedded evaluator.

    Durations were divided by `factor`.
    """

    prometheus: str
    alertmanager: str
    factor: float
    interval_seconds: float
    checks: tuple[StackCheck, ...]

    @property
    def differences(self) -> tuple[str, ...]:
        """Each check at which they did not say the same."""
        return tuple(
            f"rules at {utc_text(check.time)}: want what ours finds, {_places(check.embedded)}, got "
            f"{_places(check.prometheus)} from Prometheus and {_places(check.door)} through the door"
            for check in self.checks
            if not check.equal
        )


def _places(found: Sequence[AlertPlace]) -> str:
    return ", ".join(f"{each.alert} {each.state}" for each in found) or "nothing"


@dataclass(frozen=True, slots=True)
class Summary:
    """`summary.json`. `closed` says whether the loop closed; `problems` say what kept it open.

    `search_seconds` are those of the searches of `train` and `retrain`, and are part of these two.
    """

    project: str
    data_source: str
    data_description: str
    first: str
    until: str
    closed: bool
    problems: tuple[str, ...]
    seconds: Mapping[str, float]
    search_seconds: float
    counts: Counts
    half_years: tuple[HalfYear, ...]
    months: tuple[MonthSummary, ...]
    alerts: tuple[AlertSummary, ...]
    decisions: tuple[DecisionSummary, ...]
    retrains: tuple[RetrainSummary, ...]
    audit: Verification
    stack: StackSummary | None = None


def half_years(scores: pl.DataFrame, prediction: str) -> tuple[HalfYear, ...]:
    """Both models' figures, pooled over the rows of each half-year."""
    first_half = pl.col("month").str.slice(5, 2) <= "06"
    half = pl.col("month").str.slice(0, 4) + pl.when(first_half).then(pl.lit("H1")).otherwise(pl.lit("H2"))
    named = scores.with_columns(half.alias("half"))
    return tuple(
        HalfYear(name, rows.height, _figures(rows, prediction), _figures(rows, UNWATCHED))
        for name in sorted(named["half"].unique().to_list())
        if (rows := named.filter(pl.col("half") == name)).height
    )


def retrain_summaries(found: Sequence[Retrain]) -> tuple[RetrainSummary, ...]:
    """The retrains, oldest first."""
    return tuple(
        RetrainSummary(
            decision=each.decision.id,
            month=month_of(each.decision.time),
            reason=each.decision.reasons[0],
            outcome=each.outcome.kind.value if each.outcome else each.state.value,
            approved_by=str(each.answer.actor) if each.answer and each.answer.approved else None,
            gate=_gate(each.outcome),
            promoted=each.outcome.promoted if each.outcome else None,
        )
        for each in found
    )


def _gate(outcome: Outcome | None) -> GateSummary | None:
    gate = outcome.gate if outcome else None
    return GateSummary(gate.champion_rmse, gate.challenger_rmse, gate.rows) if gate else None


def _figures(rows: pl.DataFrame, prediction: str) -> Metrics | None:
    return known_figures(numbers(rows[LABEL]), numbers(rows[prediction]))


def month_summaries(
    scores: pl.DataFrame,
    executions: Sequence[Execution],
    alerts: Sequence[Alert],
    prediction: str,
    served: Mapping[str, int],
) -> tuple[MonthSummary, ...]:
    """One summary a month; `scores` has `month`, `_model_version`, `label` and the prediction.

    `served` has each month with the version that served at its end; a month without a row keeps that.
    """
    found = []
    for month in sorted(served):
        rows = scores.filter(pl.col("month") == month)
        own = [execution for execution in executions if month_of(execution.window.start) == month]
        found.append(
            MonthSummary(
                month=month,
                rows=rows.height,
                model_version=_newest_version(rows) or served[month],
                watched=_figures(rows, prediction),
                unwatched=_figures(rows, UNWATCHED),
                rmse_baseline_ratio=_ratio([s for execution in own for s in execution.samples]),
                violations=sum(len(execution.violations) for execution in own),
                alerts=tuple(each.name for each in fired(alerts) if subject_month(each, executions) == month),
            )
        )
    return tuple(found)


def alert_summaries(
    alerts: Sequence[Alert], executions: Sequence[Execution], environment: str
) -> tuple[AlertSummary, ...]:
    """The alerts that fired, each once, in the order in which they began to."""
    return tuple(
        AlertSummary(
            name=alert.name,
            environment=environment,
            month=subject_month(alert, executions) or month_of(alert.active_at),
            labels_known_in=month_of(alert.active_at),
            state=alert.state.value,
        )
        for alert in fired(alerts)
    )


def fired(alerts: Sequence[Alert]) -> tuple[Alert, ...]:
    """Of every change of every alert: each firing once, as it stands now, the first to begin first."""
    return tuple({(alert.fingerprint, alert.fired_at): alert for alert in alerts if alert.fired_at}.values())


def subject_month(alert: Alert, executions: Sequence[Execution]) -> str | None:
    """The month an alert is about: that of the window whose execution made it begin."""
    schedule = dict(alert.labels).get("schedule")
    windows = [e.window for e in executions if e.schedule == schedule and e.scheduled_at <= alert.active_at]
    return month_of(windows[-1].start) if windows else None


def problems(
    counts: Counts, executions: Sequence[Execution], audit: Verification, sent: Sequence[datetime]
) -> tuple[str, ...]:
    """What keeps a loop open: rows lost, executions without a verdict, a log that does not verify.

    `sent` are the requests' times in order. Too few rows are no problem, and neither is a window without
    traffic when none was sent in it.
    """
    found = []
    if not counts.reconciled:
        found.append(
            f"want nothing lost, got {counts.requests} requests, {counts.captured} captured, "
            f"{counts.rows} rows, {counts.labels} labels, {counts.scored} scored, "
            f"{counts.unmatched} unmatched"
        )
    found += [
        f"{execution.schedule} {execution.window}: {execution.status}, {execution.reason}"
        for execution in executions
        if not _answered(execution, sent)
    ]
    found += [fault.reason for fault in audit.faults]
    return tuple(found)


def _answered(execution: Execution, sent: Sequence[datetime]) -> bool:
    if execution.status is Status.NO_TRAFFIC:
        return bisect_left(sent, execution.window.start) == bisect_left(sent, execution.window.end)
    return execution.status in VERDICTS or execution.status is Status.INSUFFICIENT_DATA


def month_column(time: str = "_time") -> pl.Expr:
    """The month of a time column, as `YYYY-MM`."""
    return pl.col(time).dt.strftime("%Y-%m").alias("month")


def _newest_version(rows: pl.DataFrame) -> int | None:
    versions: list[int] = rows["_model_version"].drop_nulls().to_list()
    return max(versions, default=None)


def _ratio(samples: Sequence[Sample]) -> float | None:
    found = [s.value for s in samples if s.metric == "watchkeeper_model_quality_rmse_baseline_ratio"]
    return found[-1] if found else None

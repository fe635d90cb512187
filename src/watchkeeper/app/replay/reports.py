"""What a rehearsal reports of its months, for people in `note` and to be counted in figures and labels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from watchkeeper.app.retraining.retrains import Retrain
from watchkeeper.core.decisions import Decision
from watchkeeper.core.metrics import METRIC_PREFIX
from watchkeeper.core.rules import Alert
from watchkeeper.core.values import Execution, Progress, Status
from watchkeeper.core.windows import month_of

_RATIO = "rmse_baseline_ratio"
_FIGURES = ("rmse", _RATIO)


def serving_report(environment: str, version: int) -> Progress:
    """An environment's new version."""
    return Progress(
        step="promote",
        done=1,
        total=None,
        note=f"{environment} serves model v{version}",
        figures={"model_version": version},
        labels={"environment": environment},
    )


def execution_report(execution: Execution) -> Progress:
    """How an execution ended and, while labels are awaited, what the error is likely to be."""
    likely = [
        f"; {each.metric} likely {each.low:,.0f} to {each.high:,.0f}"
        for each in execution.estimates
        if each.metric == "rmse" and execution.status is Status.AWAITING_LABELS
    ]
    said = f"{execution.schedule} {execution.status}: {execution.reason}{''.join(likely)}"
    return Progress("monitor", 1, None, said)


def alert_report(alert: Alert, executions: Sequence[Execution], now: datetime) -> Progress:
    """An alert that changed, by the month it is about: that of its schedule's execution, else this one."""
    schedule = dict(alert.labels).get("schedule")
    windows = [each.window for each in executions if each.schedule == schedule]
    return Progress(
        step="alert",
        done=1,
        total=None,
        note=f"{alert.name} {alert.state}: {alert.summary}",
        labels={
            "name": alert.name,
            "series": alert.fingerprint,
            "state": alert.state.value,
            "since": f"{alert.active_at:%Y-%m-%d}",
            "month": month_of(windows[-1].start if windows else now),
        },
    )


def month_report(execution: Execution, limit: float | None) -> Progress:
    """A month's verdict, now that its labels are known.

    `rmse` and `rmse_baseline_ratio` are left out where there is no verdict, `limit` where no rule has one.
    """
    judged = [judgement.model_version for judgement in execution.judgements]
    held = {
        sample.metric.removeprefix(f"{METRIC_PREFIX}model_quality_"): sample for sample in execution.samples
    }
    figures = {name: held[name].value for name in _FIGURES if name in held}
    figures |= {"rows": execution.rows} | ({"limit": limit} if limit is not None else {})
    figures |= {"model_version": judged[-1]} if judged else {}
    month = month_of(execution.window.start)
    labels = {"month": month, "status": execution.status.value, "reason": execution.reason}
    return Progress("month", 1, 1, month, figures, labels)


def decision_report(decision: Decision) -> Progress:
    """What was decided on an alert."""
    return Progress(
        "decide",
        1,
        None,
        f"{decision.kind} on {decision.alert}",
        labels={"kind": decision.kind.value, "alert": decision.alert},
    )


def retrain_report(retrain: Retrain) -> Progress | None:
    """How a retrain ended; None while it has not."""
    outcome = retrain.outcome
    if outcome is None:
        return None
    figures: dict[str, float] = {} if outcome.promoted is None else {"model_version": outcome.promoted}
    note = f"{outcome.kind}: {outcome.reason}"
    return Progress("retrain", 1, None, note, figures, {"outcome": outcome.kind.value})

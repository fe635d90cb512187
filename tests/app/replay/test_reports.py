"""What a rehearsal reports can be counted: figures and labels, not only words."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from watchkeeper.app.replay.reports import (
    alert_report,
    decision_report,
    month_report,
    retrain_report,
    serving_report,
)
from watchkeeper.app.retraining.retrains import Outcome, OutcomeKind, Retrain
from watchkeeper.core.decisions import Decision, DecisionKind
from watchkeeper.core.rules import Action, Alert, AlertState, Severity
from watchkeeper.core.values import BaselineRef, Execution, Judgement, Sample, Status, labels_of
from watchkeeper.core.windows import Window, month_start

NOW = month_start("2020-05")
SCHEDULE = "resale-price-prod-model-quality"


def sample(metric: str, value: float) -> Sample:
    return Sample(f"watchkeeper_{metric}", labels_of(schedule=SCHEDULE), value, NOW)


EXECUTION = Execution(
    key="k",
    schedule=SCHEDULE,
    monitor="model-quality",
    environment="prod",
    endpoint="resale-price-prod",
    window=Window(month_start("2020-03"), month_start("2020-04")),
    scheduled_at=NOW,
    status=Status.VIOLATIONS,
    reason="3 violations in 1,937 rows",
    rows=1937,
    judgements=(
        Judgement(2, 1937, Status.VIOLATIONS, "3 violations", BaselineRef("model-quality", 2, "d" * 64)),
    ),
    samples=(
        sample("model_quality_rmse", 39_300.0),
        sample("model_quality_rmse_baseline_ratio", 1.31),
        sample("monitor_rows", 1937.0),
    ),
    inputs=(),
)


def alert(schedule: str | None) -> Alert:
    labels = labels_of(schedule=schedule) if schedule else ()
    return Alert(
        name="ModelQualityDegraded",
        fingerprint="f1",
        labels=labels,
        state=AlertState.FIRING,
        severity=Severity.CRITICAL,
        action=Action.RETRAIN,
        notify=(),
        summary="it is high",
        value=1.31,
        active_at=NOW,
        fired_at=NOW,
    )


def decided(kind: DecisionKind, time: datetime = NOW) -> Decision:
    return Decision(
        id="d1",
        kind=kind,
        alert="ModelQualityDegraded",
        fingerprint="f1",
        fired_at=time,
        environment="prod",
        reasons=("it is high",),
        needs_approval=True,
        time=time,
    )


def test_a_months_verdict_is_of_its_window_and_not_of_the_day_it_is_known() -> None:
    said = month_report(EXECUTION, 1.2)
    assert said.labels["month"] == "2020-03"
    assert said.figures == {
        "rmse": 39_300.0,
        "rmse_baseline_ratio": 1.31,
        "rows": 1937,
        "limit": 1.2,
        "model_version": 2,
    }


def test_a_month_without_a_verdict_has_no_error() -> None:
    quiet = replace(EXECUTION, status=Status.NO_TRAFFIC, samples=(), judgements=(), rows=0)
    said = month_report(quiet, None)
    assert (said.figures, said.labels["status"]) == ({"rows": 0}, "NoTraffic")


def test_an_alert_is_about_its_schedules_month_or_else_about_this_one() -> None:
    assert alert_report(alert(SCHEDULE), [EXECUTION], NOW).labels["month"] == "2020-03"
    assert alert_report(alert(None), [EXECUTION], NOW).labels["month"] == "2020-05"


def test_a_retrain_that_promoted_names_the_version_and_one_that_did_not_names_none() -> None:
    decision = decided(DecisionKind.RETRAIN)
    won = Outcome("d1", OutcomeKind.PROMOTED, "better", NOW, promoted=3)
    lost = Outcome("d1", OutcomeKind.CHAMPION_KEPT, "worse", NOW)
    said = [retrain_report(Retrain(decision, None, outcome)) for outcome in (won, lost, None)]
    assert [each and (each.figures, each.labels["outcome"]) for each in said] == [
        ({"model_version": 3}, "promoted"),
        ({}, "champion kept"),
        None,
    ]


def test_decisions_and_versions_are_named() -> None:
    assert decision_report(decided(DecisionKind.SKIP)).labels["kind"] == "Skip"
    assert serving_report("prod", 4).figures == {"model_version": 4}

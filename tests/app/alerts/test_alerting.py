"""From samples to alerts, notifications and decisions, each of them once."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.app.loop import KIM, Loop, new_loop
from watchkeeper.app.alerts.alerting import alert_history, evaluate_rules, open_alerts
from watchkeeper.app.alerts.deciding import decide_on, decisions
from watchkeeper.app.alerts.delivering import Dispatcher, notifications
from watchkeeper.app.pages.summary import alert_summaries, fired
from watchkeeper.app.retraining.retrains import answer_retrain, retrains
from watchkeeper.core.decisions import DecisionKind
from watchkeeper.core.rules import AlertState
from watchkeeper.core.values import Sample, labels_of

RATIO, ERRORS = "watchkeeper_model_quality_rmse_baseline_ratio", "watchkeeper_endpoint_errors_5xx_ratio"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return new_loop(tmp_path)


def sample(loop: Loop, value: float, metric: str = RATIO, environment: str = "prod") -> Sample:
    labels = labels_of(project="demo", environment=environment, endpoint=f"demo-{environment}")
    return Sample(metric, labels, value, loop.clock.now())


def evaluate(loop: Loop, *samples: Sample, environment: str = "prod") -> tuple[str, ...]:
    """States of the alerts that changed."""
    changed = evaluate_rules(loop.target, environment, samples).changed
    Dispatcher(loop.target, environment).run()
    return tuple(each.state for each in changed)


def later(loop: Loop, minutes: int) -> None:
    loop.clock.move_to(loop.clock.now() + minutes * MINUTE)


def files(loop: Loop) -> list[str]:
    return list(loop.store.list("notifications/"))


def test_a_condition_that_goes_on_fires_once_and_resolves_once(loop: Loop) -> None:
    assert evaluate(loop, sample(loop, 1.2)) == ()
    assert evaluate(loop, sample(loop, 1.6)) == ("firing",)
    later(loop, 1)
    assert evaluate(loop, sample(loop, 1.7)) == ()
    (alert,) = open_alerts(loop.store, "prod")
    assert (alert.name, alert.state) == ("ModelQualityDegraded", AlertState.FIRING)
    later(loop, 1)
    assert evaluate(loop, sample(loop, 1.0)) == ("resolved",)
    assert open_alerts(loop.store, "prod") == ()
    assert loop.actions() == ["alert.firing", "alert.resolved"]
    assert len(files(loop)) == 2
    (told,) = fired(alert_history(loop.store, "prod"))
    assert (told.state, told.fingerprint) == (AlertState.RESOLVED, alert.fingerprint)
    (summary,) = alert_summaries([told], (), "prod")
    assert (summary.state, summary.labels_known_in) == ("resolved", "2020-05")


def test_only_the_newest_sample_of_a_series_counts(loop: Loop) -> None:
    old = sample(loop, 2.0)
    later(loop, 1)
    assert evaluate(loop, sample(loop, 1.0), old) == ()


def test_the_notification_is_alertmanager_s(loop: Loop) -> None:
    evaluate(loop, sample(loop, 1.6))
    (key,) = files(loop)
    body = json.loads(loop.store.read(key))
    (notification,) = notifications(loop.store, "prod")
    assert key == f"notifications/mlops/20200501T000000Z-{notification.id}-firing.json"
    assert (body["version"], body["status"], body["receiver"]) == ("4", "firing", "mlops")
    assert body["commonLabels"] == {
        "alertname": "ModelQualityDegraded",
        "severity": "critical",
        "action": "retrain",
        "incident": "ModelQualityDegraded",
        "project": "demo",
        "environment": "prod",
        "endpoint": "demo-prod",
    }
    assert body["alerts"][0]["startsAt"] == "2020-05-01T00:00:00Z"
    assert body["alerts"][0]["annotations"] == {
        "summary": f"{RATIO} is 1.6, above 1.5",
        "runbook_url": "docs/runbooks/ModelQualityDegraded.md",
    }


def test_an_alert_that_lasts_fires_after_its_time_and_a_pending_one_tells_nobody(loop: Loop) -> None:
    assert evaluate(loop, sample(loop, 0.5, ERRORS)) == ("pending",)
    assert (files(loop), loop.actions()) == ([], [])
    later(loop, 4)
    assert evaluate(loop, sample(loop, 0.5, ERRORS)) == ()
    later(loop, 1)
    assert evaluate(loop, sample(loop, 0.5, ERRORS)) == ("firing",)
    assert len(files(loop)) == 1


def test_a_pending_alert_that_went_away_begins_anew(loop: Loop) -> None:
    """As in Prometheus: `for` counts from the last time the condition began to hold."""
    evaluate(loop, sample(loop, 0.5, ERRORS))
    later(loop, 1)
    evaluate(loop, sample(loop, 0.0, ERRORS))
    assert open_alerts(loop.store, "prod") == ()
    assert fired(alert_history(loop.store, "prod")) == ()
    later(loop, 10)
    assert evaluate(loop, sample(loop, 0.5, ERRORS)) == ("pending",)
    later(loop, 4)
    assert evaluate(loop, sample(loop, 0.5, ERRORS)) == ()
    assert (files(loop), loop.actions()) == ([], [])


def test_alerts_of_another_environment_are_left_alone(loop: Loop) -> None:
    evaluate(loop, sample(loop, 1.6, environment="dev"), environment="dev")
    before = open_alerts(loop.store, "dev")
    assert evaluate(loop, sample(loop, 1.6, environment="dev")) == ()
    later(loop, 1)
    assert evaluate(loop) == ()
    assert (open_alerts(loop.store, "dev"), open_alerts(loop.store, "prod")) == (before, ())


def test_a_firing_alert_is_decided_on_once(loop: Loop) -> None:
    evaluation = evaluate_rules(loop.target, "prod", [sample(loop, 1.6)])
    (made,) = decide_on(loop.target, "prod", evaluation.open)
    assert (made.kind, made.needs_approval) == (DecisionKind.RETRAIN, True)
    assert made.reasons == (f"{RATIO} is 1.6, above 1.5",)
    later(loop, 1)
    again = evaluate_rules(loop.target, "prod", [sample(loop, 1.8)])
    assert decide_on(loop.target, "prod", again.open) == ()
    assert decisions(loop.store, "prod") == (made,)
    assert loop.actions() == ["alert.firing", "decision.retrain"]


def test_a_retrain_soon_after_another_is_skipped_and_says_why(loop: Loop) -> None:
    decide_on(loop.target, "prod", evaluate_rules(loop.target, "prod", [sample(loop, 1.6)]).open)
    answer_retrain(loop.target, retrains(loop.store, "prod")[0], False, KIM, "not now")
    later(loop, 60)
    evaluate(loop, sample(loop, 1.0))
    later(loop, 60)
    evaluation = evaluate_rules(loop.target, "prod", [sample(loop, 1.6)])
    (skipped,) = decide_on(loop.target, "prod", evaluation.open)
    assert skipped.kind is DecisionKind.SKIP
    assert skipped.reasons[1].startswith("cooling down until 2020-05-08T00:00:00Z")


def test_decisions_of_another_environment_do_not_hold_this_one_back(loop: Loop) -> None:
    for environment in ("dev", "prod"):
        found = evaluate_rules(loop.target, environment, [sample(loop, 1.6, environment=environment)])
        (made,) = decide_on(loop.target, environment, found.open)
        assert made.kind is DecisionKind.RETRAIN


def test_a_pending_alert_is_not_decided_on(loop: Loop) -> None:
    evaluation = evaluate_rules(loop.target, "prod", [sample(loop, 0.5, ERRORS)])
    assert [alert.state for alert in evaluation.open] == [AlertState.PENDING]
    assert decide_on(loop.target, "prod", evaluation.open) == ()

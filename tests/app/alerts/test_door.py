"""Alerts that come back from Alertmanager are taken in once, and then are like any other."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.app.loop import Loop, new_loop
from watchkeeper.app.alerts.alerting import alert_history, open_alerts
from watchkeeper.app.alerts.deciding import decide_on
from watchkeeper.app.alerts.door import door_token, receive, take_in
from watchkeeper.app.endpoints.serving import ServeRequest, store_alerts
from watchkeeper.core.decisions import DecisionKind
from watchkeeper.core.incidents import Notification, NotificationStatus, group_of
from watchkeeper.core.rules import Action, Alert, AlertState, Severity, fingerprint_of
from watchkeeper.core.values import labels_of
from watchkeeper.core.windows import month_start
from watchkeeper.render.alertmanager import webhook_payload
from watchkeeper.serving.refusals import RequestRefused

FIRED = month_start("2020-04")


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return new_loop(tmp_path)


def degraded(environment: str = "prod") -> Alert:
    labels = labels_of(project="demo", environment=environment, endpoint=f"demo-{environment}")
    return Alert(
        name="ModelQualityDegraded",
        fingerprint=fingerprint_of("ModelQualityDegraded", labels),
        labels=labels,
        state=AlertState.FIRING,
        severity=Severity.CRITICAL,
        action=Action.RETRAIN,
        notify=("mlops",),
        summary="rmse ratio is 1.6, above 1.5",
        value=None,
        active_at=FIRED,
        fired_at=FIRED,
        incident="ModelQualityDegraded",
    )


def over(alert: Alert) -> Alert:
    return replace(alert, state=AlertState.RESOLVED, resolved_at=FIRED + timedelta(hours=1))


def payload(*alerts: Alert) -> bytes:
    told = Notification("1", "2", "r", group_of(alerts[0]), NotificationStatus.FIRING, alerts, FIRED)
    return json.dumps(webhook_payload(told)).encode()


def deliver(loop: Loop, *alerts: Alert) -> None:
    loop.clock.move_to(loop.clock.now() + timedelta(seconds=1))
    receive(loop.store, loop.clock, payload(*alerts))


def test_an_alert_comes_in_with_its_own_times_and_the_receivers_of_its_rule(loop: Loop) -> None:
    deliver(loop, degraded())
    assert take_in(loop.target, "prod") == (degraded(),)
    assert open_alerts(loop.store, "prod") == (degraded(),)
    assert loop.actions() == ["alert.firing"]
    (decision,) = decide_on(loop.target, "prod", open_alerts(loop.store, "prod"))
    assert (decision.kind, decision.needs_approval) == (DecisionKind.RETRAIN, True)


def test_what_is_delivered_twice_or_says_nothing_new_changes_nothing(loop: Loop) -> None:
    deliver(loop, degraded())
    receive(loop.store, loop.clock, payload(degraded()))
    take_in(loop.target, "prod")
    deliver(loop, degraded())
    assert take_in(loop.target, "prod") == ()
    assert take_in(loop.target, "prod") == ()
    deliver(loop, over(degraded()))
    deliver(loop, over(degraded()))
    assert [alert.state for alert in take_in(loop.target, "prod")] == [AlertState.RESOLVED]
    assert len(alert_history(loop.store, "prod")) == 2


def test_a_delivery_that_was_taken_in_is_not_taken_in_again(loop: Loop) -> None:
    """Else an old firing would come back to life once its alert is over."""
    deliver(loop, degraded())
    deliver(loop, over(degraded()))
    take_in(loop.target, "prod")
    assert take_in(loop.target, "prod") == ()
    assert open_alerts(loop.store, "prod") == ()


def test_each_environment_takes_its_own(loop: Loop) -> None:
    deliver(loop, degraded("dev"), degraded("prod"))
    assert take_in(loop.target, "prod") == (degraded("prod"),)
    assert take_in(loop.target, "dev") == (degraded("dev"),)
    assert take_in(loop.target, "uat") == ()


def test_in_a_rehearsal_it_has_the_clock_s_times_and_what_came_and_went_is_left_out(loop: Loop) -> None:
    deliver(loop, degraded())
    deliver(loop, over(degraded()))
    assert take_in(loop.target, "prod", own_time=False) == ()
    deliver(loop, degraded())
    (alert,) = take_in(loop.target, "prod", own_time=False)
    now = loop.clock.now()
    assert (alert.fired_at, alert.resolved_at) == (now, None)
    deliver(loop, over(degraded()))
    (ended,) = take_in(loop.target, "prod", own_time=False)
    assert (ended.fired_at, ended.resolved_at) == (now, loop.clock.now())


def test_the_token_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    token = door_token(tmp_path)
    assert door_token(tmp_path) == token
    assert len(token) > 30
    assert stat.S_IMODE((tmp_path / "run" / "alerts.token").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["alerts.token"]


def test_without_the_token_nothing_is_kept(loop: Loop, tmp_path: Path) -> None:
    request = ServeRequest(tmp_path)
    for token in ("", "guess"):
        with pytest.raises(RequestRefused, match=r"want the bearer token of run/alerts\.token") as refused:
            store_alerts(loop.target, request, token, payload(degraded()))
        assert refused.value.status == 401
    assert loop.store.list("alert") == []
    with pytest.raises(RequestRefused, match=r'read the alerts: want an object with "version": "4"'):
        store_alerts(loop.target, request, door_token(tmp_path), b"{}")


def test_a_server_decides_on_what_it_takes_and_a_rehearsal_s_leaves_that_to_the_rehearsal(
    loop: Loop, tmp_path: Path
) -> None:
    token = door_token(tmp_path)
    received = store_alerts(loop.target, ServeRequest(tmp_path, rehearsal=True), token, payload(degraded()))
    assert (received.alerts, loop.actions()) == (1, [])
    loop.clock.move_to(loop.clock.now() + timedelta(seconds=1))
    store_alerts(loop.target, ServeRequest(tmp_path), token, payload(degraded()))
    assert loop.actions() == ["alert.firing", "decision.retrain"]

"""A page that nobody is at goes to others; one that somebody is at is repeated no more."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.app.loop import ANA, KIM, Loop, new_loop
from watchkeeper.app.alerts.acknowledging import acknowledge
from watchkeeper.app.alerts.alerting import evaluate_rules
from watchkeeper.app.alerts.delivering import Dispatcher, notifications
from watchkeeper.app.alerts.incident_records import incident_record
from watchkeeper.app.alerts.incident_stories import incident_story, known_incidents
from watchkeeper.app.alerts.muting import MuteRequest, confirm_mute, mute_alerts, preview
from watchkeeper.core.errors import InputError, Refused
from watchkeeper.core.incidents import Acknowledgement
from watchkeeper.core.values import Actor, Sample, labels_of

RATIO = "watchkeeper_model_quality_rmse_baseline_ratio"
NOTIFY = "notifications: {group_wait: 0s, group_interval: 1m}"
ESCALATING = "escalate_after: 30m, escalate_to: [boss]"
CHANGES = (
    ("receivers:\n", "receivers:\n  boss: [{kind: file, path: notifications/boss}]\n"),
    (NOTIFY, f"notifications: {{group_wait: 0s, group_interval: 1m, repeat_interval: 2h, {ESCALATING}}}"),
)


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return new_loop(tmp_path, *CHANGES)


def see(loop: Loop, value: float, segment: str = "a") -> None:
    labels = labels_of(project="demo", environment="prod", endpoint="demo-prod", segment=segment)
    evaluate_rules(loop.target, "prod", [Sample(RATIO, labels, value, loop.clock.now())])


def follow(loop: Loop, hours: float) -> list[tuple[float, str, str]]:
    """Who is told when, in hours from now."""
    begin, dispatcher = loop.clock.now(), Dispatcher(loop.target, "prod")
    known = {each.id for each in notifications(loop.store, "prod")}
    end = begin + timedelta(hours=hours)
    while True:
        dispatcher.run()
        due = dispatcher.next_due()
        if due is None or due > end:
            break
        loop.clock.move_to(max(due, loop.clock.now()))
    loop.clock.move_to(end)
    return [
        ((each.time - begin).total_seconds() / 3600, each.receiver, each.status.value)
        for each in notifications(loop.store, "prod")
        if each.id not in known
    ]


def ack(loop: Loop, actor: Actor = ANA) -> None:
    (incident,) = known_incidents(loop.store, "prod")
    acknowledge(
        loop.target, "prod", incident, Acknowledgement(incident.id, actor, loop.clock.now(), "rolling back")
    )


def test_nobody_at_it_it_goes_to_others_and_is_repeated_to_all(loop: Loop) -> None:
    see(loop, 2.0)
    assert follow(loop, 3) == [
        (0.0, "mlops", "firing"),
        (0.5, "boss", "firing"),
        (2.0, "mlops", "firing"),
        (2.5, "boss", "firing"),
    ]


def test_acknowledged_in_time_it_goes_to_nobody_else_and_is_not_repeated(loop: Loop) -> None:
    see(loop, 2.0)
    follow(loop, 0.25)
    ack(loop)
    assert follow(loop, 10) == []


def test_acknowledged_too_late_whoever_was_told_is_told_of_its_end_as_well(loop: Loop) -> None:
    see(loop, 2.0)
    follow(loop, 1)
    ack(loop)
    see(loop, 1.0)
    assert sorted(follow(loop, 1)) == [(0.0, "boss", "resolved"), (0.0, "mlops", "resolved")]


def test_what_joins_an_acknowledged_incident_is_told(loop: Loop) -> None:
    see(loop, 2.0)
    follow(loop, 0.1)
    ack(loop)
    labels = [
        labels_of(project="demo", environment="prod", endpoint="demo-prod", segment=each) for each in "ab"
    ]
    evaluate_rules(loop.target, "prod", [Sample(RATIO, each, 2.0, loop.clock.now()) for each in labels])
    assert [(who, status) for _, who, status in follow(loop, 3)] == [("mlops", "firing")]


def test_what_does_not_page_is_not_escalated(tmp_path: Path) -> None:
    severity = ("severity: critical\n    action: retrain", "severity: warning\n    action: retrain")
    loop = new_loop(tmp_path, *CHANGES, severity)
    see(loop, 2.0)
    assert {who for _, who, _ in follow(loop, 1)} == {"mlops"}


def test_what_is_muted_is_not_escalated_until_the_mute_is_over(loop: Loop) -> None:
    see(loop, 2.0)
    follow(loop, 0.1)
    wanted = MuteRequest(
        "prod", {"alertname": "ModelQualityDegraded"}, loop.clock.now() + timedelta(hours=1.5), "we know", ANA
    )
    made = mute_alerts(loop.target, preview(loop.target, wanted))
    confirm_mute(loop.target, "prod", made.id, KIM)
    assert follow(loop, 1) == []  # and it comes to an end, with nothing that is due for ever
    assert [(who, status) for _, who, status in follow(loop, 0.6)] == [("boss", "firing")]


def test_it_is_said_once_while_it_goes_on_and_stands_in_the_record(loop: Loop) -> None:
    see(loop, 2.0)
    ack(loop)
    with pytest.raises(Refused, match=r"ana .*is at it already"):
        ack(loop, KIM)
    (incident,) = known_incidents(loop.store, "prod")
    assert "ana is at it: rolling back" in incident_record(incident_story(loop.store, "prod", incident))
    assert "incident.acknowledged" in loop.actions()
    see(loop, 1.0)
    with pytest.raises(Refused, match="it is over"):
        ack(loop, KIM)


def test_who_it_is_escalated_to_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'unknown receiver "boss"'):
        new_loop(tmp_path, CHANGES[1])

"""Nobody is told of what is muted; it is evaluated and recorded, and told in one summary at the end."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.app.loop import ANA, KIM, Loop, new_loop
from watchkeeper.app.alerts.alerting import alert_history, evaluate_rules
from watchkeeper.app.alerts.delivering import Dispatcher, notifications
from watchkeeper.app.alerts.muting import (
    MuteRequest,
    confirm_mute,
    find_mute,
    mute_alerts,
    mute_spans,
    preview,
    unmute,
)
from watchkeeper.core.errors import InputError, Refused
from watchkeeper.core.mutes import Mute, MuteState
from watchkeeper.core.values import Sample, labels_of

RATIO = "watchkeeper_model_quality_rmse_baseline_ratio"
NAMED = {"alertname": "ModelQualityDegraded"}


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return new_loop(tmp_path)


def see(loop: Loop, value: float, environment: str = "dev") -> None:
    labels = labels_of(project="demo", environment=environment, endpoint=f"demo-{environment}")
    evaluate_rules(loop.target, environment, [Sample(RATIO, labels, value, loop.clock.now())])
    Dispatcher(loop.target, environment).run()


def later(loop: Loop, hours: float, environment: str = "dev") -> None:
    loop.clock.move_to(loop.clock.now() + timedelta(hours=hours))
    Dispatcher(loop.target, environment).run()


def request(loop: Loop, environment: str = "dev", hours: float = 4, **labels: str) -> MuteRequest:
    ends = loop.clock.now() + timedelta(hours=hours)
    return MuteRequest(environment, labels or NAMED, ends, "we know", ANA, "T-1")


def mute(loop: Loop, environment: str = "dev", hours: float = 4, **labels: str) -> Mute:
    return mute_alerts(loop.target, preview(loop.target, request(loop, environment, hours, **labels)))


def told(loop: Loop, environment: str = "dev") -> list[tuple[str, list[str]]]:
    return [
        (each.status.value, [f"{alert.name} {alert.state}" for alert in each.alerts])
        for each in notifications(loop.store, environment)
    ]


def test_what_comes_and_goes_under_a_mute_is_told_once_at_its_end(loop: Loop) -> None:
    mute(loop)
    for value in (2.0, 1.0, 2.0, 1.0):
        see(loop, value)
        later(loop, 0.5)
    assert told(loop) == []
    assert len(alert_history(loop.store, "dev")) == 4  # evaluated and on record all the same
    later(loop, 4)
    assert told(loop) == [("resolved", ["ModelQualityDegraded resolved", "ModelQualityDegraded resolved"])]
    later(loop, 1)
    assert len(told(loop)) == 1
    (key,) = loop.store.list("notifications/")
    assert json.loads(loop.store.read(key))["groupLabels"].keys() == {"environment", "mute"}


def test_what_still_fires_when_the_mute_ends_is_told_then(loop: Loop) -> None:
    mute(loop)
    see(loop, 2.0)
    later(loop, 3)
    assert told(loop) == []
    later(loop, 2)
    assert told(loop) == [("firing", ["ModelQualityDegraded firing"])]


def test_what_was_told_before_and_ends_under_a_mute_is_told_to_be_over_afterwards(loop: Loop) -> None:
    see(loop, 2.0)
    mute(loop)
    later(loop, 1)
    see(loop, 1.0)
    later(loop, 1)
    assert [status for status, _ in told(loop)] == ["firing"]
    later(loop, 3)
    assert [status for status, _ in told(loop)] == ["firing", "resolved"]


def test_a_mute_that_hid_nothing_says_nothing_at_its_end(loop: Loop) -> None:
    mute(loop)
    later(loop, 10)
    assert told(loop) == []


def test_other_rules_and_other_environments_are_told(loop: Loop) -> None:
    mute(loop, alertname="EndpointErrors")
    see(loop, 2.0)
    see(loop, 2.0, "uat")
    assert len(told(loop)) == len(told(loop, "uat")) == 1


def test_unmuted_it_is_told_at_once(loop: Loop) -> None:
    made = mute(loop)
    see(loop, 2.0)
    later(loop, 0.5)
    unmute(loop.target, "dev", made.id[:6], KIM, "it is real")
    later(loop, 0.1)
    assert [status for status, _ in told(loop)] == ["firing"]
    with pytest.raises(Refused, match="it is over since"):
        unmute(loop.target, "dev", made.id, KIM, "again")


@pytest.mark.parametrize(
    ("environment", "labels"),
    [("prod", NAMED), ("dev", {"endpoint": "demo-dev"}), ("dev", {"severity": "critical"})],
)
def test_a_broad_one_and_one_in_prod_want_a_second_person(
    loop: Loop, environment: str, labels: dict[str, str]
) -> None:
    made = mute(loop, environment, 4, **labels)
    see(loop, 2.0, environment)
    assert len(told(loop, environment)) == 1  # it mutes nothing yet
    (span,) = mute_spans(loop.store, environment)
    assert span.state(loop.clock.now()) is MuteState.WAITING
    with pytest.raises(Refused, match=r"want another person than ana"):
        confirm_mute(loop.target, environment, made.id, ANA)
    confirm_mute(loop.target, environment, made.id, KIM)
    assert find_mute(loop.store, environment, made.id).state(loop.clock.now()) is MuteState.ACTIVE
    later(loop, 1, environment)
    see(loop, 1.0, environment)
    later(loop, 1, environment)
    assert len(told(loop, environment)) == 1
    assert [action for action in loop.actions() if action.startswith("mute")] == [
        "mute.asked",
        "mute.confirmed",
    ]


def test_one_that_nobody_confirmed_in_time_mutes_nothing(loop: Loop) -> None:
    made = mute(loop, "prod")
    later(loop, 5, "prod")
    with pytest.raises(Refused, match="want one that waits, it is over"):
        confirm_mute(loop.target, "prod", made.id, KIM)


def test_the_preview_shows_the_last_seven_days_and_records_nothing(loop: Loop) -> None:
    for value in (2.0, 1.0):
        see(loop, value)
        later(loop, 1)
    later(loop, 24 * 8)
    for value in (2.0, 1.0, 2.0):
        see(loop, value)
        later(loop, 1)
    before = dict(loop.store.objects)
    seen = preview(loop.target, request(loop))
    assert (len(seen.alerts), len(seen.incidents), seen.rules) == (2, 2, ("ModelQualityDegraded",))
    assert preview(loop.target, request(loop, alertname="EndpointErrors")).alerts == ()
    assert loop.store.objects == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"matchers": {}}, "want at least one label"),
        ({"matchers": {"alertnam": "X"}}, 'unknown label "alertnam"; did you mean "alertname"'),
        ({"matchers": {"alertname": "Degraded"}}, 'unknown rule "Degraded"'),
        ({"why": " "}, "want a reason"),
        ({"environment": "live"}, 'unknown environment "live"'),
    ],
)
def test_one_that_cannot_be_is_refused(loop: Loop, change: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        preview(loop.target, replace(request(loop), **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("hours", [0, -1, 7 * 24 + 1])
def test_its_end_lies_ahead_and_not_too_far(loop: Loop, hours: float) -> None:
    with pytest.raises(InputError, match=r"want an end between now and 7 days from now"):
        preview(loop.target, request(loop, hours=hours))

"""Alerts become incidents, and each receiver is told of an incident once, and again when it changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.incidents import (
    Notification,
    NotificationStatus,
    Timing,
    due_at,
    incidents,
    next_notification,
)
from watchkeeper.core.rules import Action, Alert, AlertState, Severity, fingerprint_of
from watchkeeper.core.values import labels_of
from watchkeeper.core.windows import Duration

START = datetime(2020, 1, 1, tzinfo=UTC)
TIMING = Timing(wait=Duration(seconds=30), interval=Duration(seconds=300), repeat=Duration(seconds=86400))
FIRING, RESOLVED = NotificationStatus.FIRING, NotificationStatus.RESOLVED


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def fired(name: str = "Drift", minute: float = 0, incident: str = "drift", **labels: str) -> Alert:
    own = labels_of(**{"project": "p", "environment": "prod", "endpoint": "e", **labels})
    return Alert(
        name=name,
        fingerprint=fingerprint_of(name, own),
        labels=own,
        state=AlertState.FIRING,
        severity=Severity.WARNING,
        action=Action.REVIEW,
        notify=("mlops",),
        summary="x is 2, above 1",
        value=2.0,
        active_at=at(minute),
        fired_at=at(minute),
        incident=incident,
    )


def over(alert: Alert, minute: float) -> Alert:
    return replace(alert, state=AlertState.RESOLVED, resolved_at=at(minute))


def told(history: list[Alert], until: float, timing: Timing = TIMING) -> list[Notification]:
    """What a receiver is told of the one incident, looked at every half minute."""
    said: list[Notification] = []
    for step in range(int(until * 2) + 1):
        known = [alert for alert in history if alert.since <= at(step / 2)]
        for incident in incidents(known):
            if said_now := next_notification(incident, "mlops", said, timing, at(step / 2)):
                said.append(said_now)
    return said


def shape(said: list[Notification]) -> list[tuple[float, NotificationStatus, list[str]]]:
    return [
        (
            (each.time - START).total_seconds() / 60,
            each.status,
            [f"{alert.name} {alert.state}" for alert in each.alerts],
        )
        for each in said
    ]


def test_alerts_of_one_endpoint_and_kind_are_one_incident_and_others_are_not() -> None:
    town, area = fired(feature="town"), fired(feature="area", minute=1)
    pages = replace(fired("Errors", incident="errors"), severity=Severity.CRITICAL)
    found = incidents([town, area, pages, fired(endpoint="f")])
    assert sorted(len(each.alerts) for each in found) == [1, 1, 2]
    assert dict(found[0].group).keys() == {
        "project",
        "environment",
        "endpoint",
        "incident",
        "severity",
        "action",
    }


def test_an_incident_ends_when_its_last_alert_does_and_the_next_one_is_another() -> None:
    town, area = fired(feature="town"), fired(feature="area", minute=1)
    first, second = incidents([town, area, over(town, 2), over(area, 5), fired(feature="town", minute=9)])
    assert (first.started_at, first.ended_at) == (at(0), at(5))
    assert (second.started_at, second.ended_at) == (at(9), None)
    assert first.id != second.id
    assert incidents([town])[0].id == first.id


def test_an_alert_that_fires_as_the_other_is_resolved_goes_on_with_the_incident() -> None:
    town = fired(feature="town")
    (incident,) = incidents([town, over(town, 2), fired(feature="area", minute=2)])
    assert incident.ended_at is None


def test_what_never_fired_and_what_began_before_this_history_is_no_incident() -> None:
    pending = replace(fired(), state=AlertState.PENDING, fired_at=None)
    assert incidents([pending, replace(pending, state=AlertState.RESOLVED, resolved_at=at(1))]) == ()
    assert incidents([over(fired(), 3)]) == ()


def test_one_notification_when_it_begins_and_one_when_it_is_over() -> None:
    alert = fired()
    assert shape(told([alert, over(alert, 20)], 60)) == [
        (0.5, FIRING, ["Drift firing"]),
        (20.0, RESOLVED, ["Drift resolved"]),
    ]


def test_what_comes_within_the_wait_is_told_together_and_what_joins_later_after_the_interval() -> None:
    first, second, third = fired(a="1"), fired(a="2", minute=0.5), fired(a="3", minute=1)
    assert [(time, len(names)) for time, _, names in shape(told([first, second, third], 60))] == [
        (0.5, 2),
        (5.5, 3),
    ]


def test_an_alert_that_came_and_went_within_the_interval_is_told_of_once() -> None:
    lasting, brief = fired(a="1"), fired("Brief", minute=1)
    assert shape(told([lasting, brief, over(brief, 2)], 60)) == [
        (0.5, FIRING, ["Drift firing"]),
        (5.5, FIRING, ["Drift firing", "Brief resolved"]),
    ]


def test_an_incident_that_is_over_within_the_wait_is_not_told_of() -> None:
    alert = fired()
    assert told([alert, over(alert, 0.25)], 60) == []


def test_one_that_goes_on_is_told_of_again_under_another_id() -> None:
    said = told([fired()], 3 * 1440)
    assert [time for time, *_ in shape(said)] == [0.5, 1440.5, 2880.5]
    assert len({each.id for each in said}) == 3


def test_what_is_worked_out_again_has_the_same_id() -> None:
    (incident,) = incidents([fired()])
    once, again = (next_notification(incident, "mlops", [], TIMING, at(minute)) for minute in (1, 2))
    assert once is not None
    assert again is not None
    assert once.id == again.id
    other = next_notification(incident, "oncall", [], TIMING, at(1))
    assert other is not None
    assert other.id != once.id


def test_it_says_when_it_is_due() -> None:
    (incident,) = incidents([fired()])
    assert due_at(incident, [], TIMING) == at(0.5)
    said = told([fired()], 1)
    assert due_at(incident, said, TIMING) == at(1440.5)
    (ended,) = incidents([fired(), over(fired(), 7)])
    assert due_at(ended, said, TIMING) == at(5.5)
    assert due_at(ended, [*said, *told([fired(), over(fired(), 7)], 8)[1:]], TIMING) is None


@given(
    changes=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(1, 8)),
        min_size=1,
        max_size=12,
    )
)
@pytest.mark.parametrize("interval", [0, 300])
def test_every_firing_that_lasts_is_told_of_and_its_end_too(
    interval: int, changes: list[tuple[str, int]]
) -> None:
    """Each letter's alert fires and is resolved in turn; in the end all are over and all is told."""
    timing = replace(TIMING, wait=Duration(), interval=Duration(seconds=interval))
    history: list[Alert] = []
    going: dict[str, Alert] = {}
    minute = 0
    for letter, pause in changes:
        minute += pause
        if letter in going:
            history.append(over(going.pop(letter), minute))
        else:
            going[letter] = fired(letter.upper(), minute)
            history.append(going[letter])
    history += [over(alert, minute + 1) for alert in going.values()]
    said: dict[str, list[Notification]] = {}
    for step in range(minute + 20):
        for incident in incidents([alert for alert in history if alert.since <= at(step)]):
            before = said.setdefault(incident.id, [])
            if now := next_notification(incident, "mlops", before, timing, at(step)):
                before.append(now)
    told_of = {(each.name, each.since) for notes in said.values() for note in notes for each in note.alerts}
    ends = {(each.name, each.since) for each in history if each.state is AlertState.RESOLVED}
    assert ends <= told_of
    ids = [note.id for notes in said.values() for note in notes]
    assert len(ids) == len(set(ids))

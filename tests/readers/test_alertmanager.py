"""Alertmanager's payloads come back as the alerts they were made of."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.incidents import Notification, NotificationStatus, group_of
from watchkeeper.core.rules import Action, Alert, AlertState, Severity, fingerprint_of
from watchkeeper.core.values import labels_of
from watchkeeper.readers.alertmanager import read_webhook
from watchkeeper.render.alertmanager import webhook_payload

START = datetime(2020, 2, 1, tzinfo=UTC)


def alert(name: str = "Drift", value: str = "town", over: bool = False) -> Alert:
    labels = labels_of(project="p", environment="prod", endpoint="p-prod", feature=value)
    return Alert(
        name=name,
        fingerprint=fingerprint_of(name, labels),
        labels=labels,
        state=AlertState.RESOLVED if over else AlertState.FIRING,
        severity=Severity.WARNING,
        action=Action.REVIEW,
        notify=(),
        summary="x is 2, above 1",
        value=None,
        active_at=START,
        fired_at=START,
        resolved_at=START + timedelta(hours=1) if over else None,
        incident="drift",
    )


def payload(*alerts: Alert) -> bytes:
    told = Notification("1", "2", "r", group_of(alerts[0]), NotificationStatus.FIRING, alerts, START)
    return json.dumps(webhook_payload(told)).encode()


@given(value=st.text(min_size=1), over=st.booleans())
def test_what_we_write_is_read_back(value: str, over: bool) -> None:
    written = alert(value=value, over=over)
    assert read_webhook(payload(written, alert("Other"))) == (written, alert("Other"))


def test_what_a_scrape_added_does_not_count_and_the_value_is_the_rule_s() -> None:
    body = json.loads(payload(alert()))
    body["alerts"][0]["labels"] |= {"job": "watchkeeper", "instance": "127.0.0.1:8321"}
    body["alerts"][0]["annotations"] |= {"value": "1.25"}
    assert read_webhook(json.dumps(body).encode()) == (replace(alert(), value=1.25),)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "", "much", "1,2"])
def test_a_value_that_is_no_number_is_none(value: str) -> None:
    body = json.loads(payload(alert()))
    body["alerts"][0]["annotations"] |= {"value": value}
    assert read_webhook(json.dumps(body).encode())[0].value is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"version": "4"', b'"version": "3"', 'want an object with "version": "4"'),
        (b'"alerts": [', b'"alarms": [', 'want a list "alerts", got NoneType'),
        (b'"severity": "warning", "action"', b'"action"', "alert 1: want a key 'severity'"),
        (b'"action": "review", "inc', b'"action": "sing", "inc', "alert 1: 'sing' is not a valid Action"),
        (b'"status": "firing", "labels"', b'"status": "odd", "labels"', "alert 1: want a key 'odd'"),
        (b'"startsAt": "2020-02-01T00:00:00Z"', b'"startsAt": "now"', "alert 1: want a time with a zone"),
        (b'"feature": "town"', b'"feature": 7', "alert 1: want texts, got int"),
    ],
)
def test_what_is_not_ours_is_refused_with_its_place(old: bytes, new: bytes, said: str) -> None:
    body = payload(alert())
    assert old in body
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        read_webhook(body.replace(old, new))


@given(
    body=st.binary(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["version", "alerts", "a"]), inner, max_size=3)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_other_bytes_are_refused_and_nothing_else_happens(body: bytes) -> None:
    try:
        assert read_webhook(body) == ()
    except ValueError:
        return

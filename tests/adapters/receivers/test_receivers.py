"""Every receiver tells of a change once, in Alertmanager's form."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.adapters.receivers import RECEIVERS
from watchkeeper.adapters.receivers.file import payload
from watchkeeper.app.setup.sections import ReceiverSection
from watchkeeper.core.rules import Action, Alert, AlertState, Severity

START = datetime(2020, 2, 1, tzinfo=UTC)
FIRING = Alert(
    name="DataQualityViolations",
    fingerprint="b48e7e78b2343f7a",
    labels=(("endpoint", "prices"), ("environment", "prod")),
    state=AlertState.FIRING,
    severity=Severity.WARNING,
    action=Action.REVIEW,
    notify=("mlops",),
    summary="violations is 1, above 0",
    value=1.0,
    active_at=START - timedelta(minutes=5),
    fired_at=START,
)
RESOLVED = replace(FIRING, state=AlertState.RESOLVED, resolved_at=START + timedelta(hours=1))
KEYS = ["version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels"]
ALERT_KEYS = ["status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"]


def test_every_kind_of_the_project_file_is_there() -> None:
    assert set(RECEIVERS) == set(get_args(ReceiverSection.model_fields["kind"].annotation))


@pytest.mark.parametrize("kind", RECEIVERS)
def test_a_change_is_told_once_and_another_beside_it(kind: str) -> None:
    store = MemoryStore()
    for alert in (FIRING, FIRING, RESOLVED):
        RECEIVERS[kind](store, "told/mlops", "mlops", alert)
    assert store.list("") == [
        "told/mlops/20200201T000000Z-b48e7e78b2343f7a-firing.json",
        "told/mlops/20200201T010000Z-b48e7e78b2343f7a-resolved.json",
    ]


def test_the_payload_is_alertmanager_s_version_4() -> None:
    body = json.loads(json.dumps(payload("mlops", FIRING)))
    assert [*body] == [*KEYS, "commonAnnotations", "externalURL", "alerts"]
    assert body["groupKey"] == '{}:{alertname="DataQualityViolations"}'
    (alert,) = body["alerts"]
    assert [*alert] == ALERT_KEYS
    assert (alert["startsAt"], alert["endsAt"]) == ("2020-02-01T00:00:00Z", "0001-01-01T00:00:00Z")
    assert alert["labels"] == {
        "alertname": "DataQualityViolations",
        "severity": "warning",
        "endpoint": "prices",
        "environment": "prod",
    }


def test_a_resolved_alert_says_when_it_ended() -> None:
    body = payload("mlops", RESOLVED)
    assert (body["status"], body["alerts"][0]["status"]) == ("resolved", "resolved")
    assert body["alerts"][0]["endsAt"] == "2020-02-01T01:00:00Z"

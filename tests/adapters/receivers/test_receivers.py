"""Every receiver is told in Alertmanager's form, and says what became of it."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import get_args

import pytest

from tests.adapters.receivers.told import FIRING, RESOLVED, TOLD
from tests.webhooks import listener, status
from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.adapters.receivers import RECEIVERS, sender
from watchkeeper.app.setup.alert_sections import ReceiverSection
from watchkeeper.core.incidents import Delivery, NotificationStatus, Outlet
from watchkeeper.render.alertmanager import webhook_payload

KEYS = ["version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels"]
ALERT_KEYS = ["status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"]


def post(url: str, **options: str) -> Delivery:
    return sender("webhook")(MemoryStore(), Outlet("mlops", 0, "webhook", {"url": url, **options}), TOLD)


def test_every_kind_of_the_project_file_is_there() -> None:
    assert set(RECEIVERS) == set(get_args(ReceiverSection.model_fields["kind"].annotation))


def test_a_notification_is_one_file_however_often_it_is_sent() -> None:
    store, outlet = MemoryStore(), Outlet("mlops", 0, "file", {"path": "told/mlops"})
    for each in (TOLD, TOLD, replace(TOLD, id="1", status=NotificationStatus.RESOLVED)):
        assert sender("file")(store, outlet, each) == Delivery(delivered=True)
    assert store.list("") == [
        "told/mlops/20200201T000000Z-0123456789abcdef-firing.json",
        "told/mlops/20200201T000000Z-1-resolved.json",
    ]


def test_a_webhook_carries_the_payload_its_id_and_a_token_from_where_the_reference_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("from-a-file\n", encoding="utf-8")
    monkeypatch.setenv("HOOK_TOKEN", "from-the-environment")
    with listener(status(200)) as (url, heard):
        assert post(url, token=f"${{file:{tmp_path / 'token'}}}").delivered
        assert post(url, token="${env:HOOK_TOKEN}").delivered
    assert json.loads(heard[0][1]) == webhook_payload(TOLD)
    assert [headers["idempotency-key"] for headers, _ in heard] == [TOLD.id, TOLD.id]
    assert [headers["authorization"] for headers, _ in heard] == [
        "Bearer from-a-file",
        "Bearer from-the-environment",
    ]


def test_a_token_that_is_not_there_is_said_and_nothing_is_sent() -> None:
    with listener(status(200)) as (url, heard):
        told = post(url, token="${env:WATCHKEEPER_NO_SUCH_TOKEN}")
    assert (told.delivered, told.refused, heard) == (False, False, [])
    assert told.reason == "follow the secret ${env:WATCHKEEPER_NO_SUCH_TOKEN}: want a text, got none"


@pytest.mark.parametrize(
    ("code", "refused"), [(500, False), (503, False), (429, False), (408, False), (400, True), (404, True)]
)
def test_what_it_answers_says_whether_others_may_be_sent(code: int, refused: bool) -> None:
    with listener(status(code)) as (url, _):
        assert post(url) == Delivery(delivered=False, reason=f"it answered {code}", refused=refused)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("nan", None), ("-1", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
)
def test_it_may_say_how_long_to_wait(header: str, seconds: float | None) -> None:
    with listener(status(429, Retry_After=header)) as (url, _):
        assert post(url).retry_after == seconds


def test_one_that_is_down_and_one_that_never_answers_are_failures_of_theirs() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        down = post(f"http://127.0.0.1:{closed.getsockname()[1]}/")
    released = threading.Event()

    def hang(_: BaseHTTPRequestHandler) -> None:
        released.wait()

    with listener(hang) as (url, _):
        silent = post(url, timeout="0.2")
        released.set()
    assert [(each.delivered, each.refused, each.reason.partition(":")[0]) for each in (down, silent)] == [
        (False, False, "ConnectError"),
        (False, False, "ReadTimeout"),
    ]


def test_the_payload_is_alertmanager_s_version_4() -> None:
    body = json.loads(json.dumps(webhook_payload(TOLD)))
    assert [*body] == [*KEYS, "commonAnnotations", "externalURL", "alerts", "notification", "incident"]
    assert body["groupKey"].startswith('{}:{environment="prod", endpoint="prices", ')
    (alert,) = body["alerts"]
    assert [*alert] == ALERT_KEYS
    assert (alert["startsAt"], alert["endsAt"]) == ("2020-02-01T00:00:00Z", "0001-01-01T00:00:00Z")
    assert alert["labels"] == {
        "alertname": "DataQualityViolations",
        "severity": "warning",
        "action": "review",
        "incident": "DataQualityViolations",
        "endpoint": "prices",
        "environment": "prod",
    }


def test_a_resolved_alert_says_when_it_ended_and_the_common_labels_are_those_of_all() -> None:
    other = replace(FIRING, labels=(("endpoint", "prices"), ("environment", "prod"), ("feature", "town")))
    body = webhook_payload(replace(TOLD, alerts=(other, RESOLVED)))
    assert [each["status"] for each in body["alerts"]] == ["firing", "resolved"]
    assert body["alerts"][1]["endsAt"] == "2020-02-01T01:00:00Z"
    assert "feature" not in body["commonLabels"]
    assert body["commonLabels"]["endpoint"] == "prices"


def test_a_secret_that_is_no_url_is_said_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_HERE", "http://hook.example:5ecret/x")
    assert post("${env:HOOK_HERE}") == Delivery(delivered=False, reason="its URL cannot be read")

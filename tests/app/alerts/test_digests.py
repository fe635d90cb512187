"""A digest comes when its schedule says, once, and says what people read it for."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.app.loop import KIM, Loop, bring_to_prod, model_of, new_loop, train_in
from tests.webhooks import Heard, listener, status
from watchkeeper.app.alerts.alerting import evaluate_rules
from watchkeeper.app.alerts.deciding import decide_on
from watchkeeper.app.alerts.delivering import Dispatcher, notifications
from watchkeeper.app.alerts.digests import digest_of
from watchkeeper.app.alerts.muting import MuteRequest, confirm_mute, mute_alerts, preview
from watchkeeper.app.alerts.trying_out import try_receiver
from watchkeeper.app.captures.labels import record_labels
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.core.values import Actor, GroundTruth, Sample, labels_of
from watchkeeper.core.windows import month_start

RATIO = "watchkeeper_model_quality_rmse_baseline_ratio"
FILE = "mlops: [{kind: file, path: notifications/mlops}]"
ANA = Actor("ana", "os-user")


def with_digests(folder: Path, monkeypatch: pytest.MonkeyPatch, url: str, schedule: str = "@daily") -> Loop:
    monkeypatch.setenv("DIGEST_URL_HERE", url.replace("http://", "json://"))
    ways = f"mlops: [{{kind: digest, url: '${{env:DIGEST_URL_HERE}}', schedule: '{schedule}'}}]"
    return new_loop(folder, (FILE, ways), ("version: 1\n", "version: 1\nclassification: RESTRICTED\n"))


def titles(heard: Heard) -> list[str]:
    return [json.loads(body)["title"] for _, body in heard]


def test_it_comes_once_for_each_time_of_its_schedule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listener(status(200)) as (url, heard):
        loop = with_digests(tmp_path, monkeypatch, url)
        loop.clock.move_to(month_start("2020-06") + timedelta(hours=7))
        dispatcher = Dispatcher(loop.target, "prod")
        assert dispatcher.run() == ()
        due = month_start("2020-06") + timedelta(days=1)
        assert dispatcher.next_due() == due
        loop.clock.move_to(due - timedelta(seconds=1))
        assert dispatcher.run() == ()
        loop.clock.move_to(due)
        assert [each.outlet for each in dispatcher.run()] == ["mlops/0-digest"]
        assert dispatcher.run() == ()
        loop.clock.move_to(due + timedelta(days=4, hours=3))  # nothing ran for four days
        again = Dispatcher(loop.target, "prod")
        assert len(again.run()) == 1
        assert again.next_due() == due + timedelta(days=5)
    assert titles(heard) == ["[digest] demo-prod: no open incidents, no windows"] * 2
    first, second = (each.digest for each in notifications(loop.store, "prod"))
    assert first is not None
    assert second is not None
    assert (first.since, second.since) == (due - timedelta(days=1), due)
    assert "Nothing ran, fired, or waits for anybody." in second.text


def test_an_outlet_of_digests_hears_of_no_incident(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listener(status(200)) as (url, heard):
        loop = with_digests(tmp_path, monkeypatch, url)
        labels = labels_of(project="demo", environment="prod", endpoint="demo-prod")
        evaluate_rules(loop.target, "prod", [Sample(RATIO, labels, 1.9, loop.clock.now())])
        loop.clock.move_to(loop.clock.now() + timedelta(minutes=5))
        Dispatcher(loop.target, "prod").run()
    assert heard == []


def test_one_that_could_not_be_sent_is_sent_later_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listener(status(503)) as (url, _):
        loop = with_digests(tmp_path, monkeypatch, url)
        dispatcher = Dispatcher(loop.target, "prod")
        loop.clock.move_to(loop.clock.now() + timedelta(days=1))
        (receipt,) = dispatcher.run()
    assert not receipt.delivery.delivered
    with listener(status(200)) as (url, heard):
        monkeypatch.setenv("DIGEST_URL_HERE", url.replace("http://", "json://"))
        loop.clock.move_to(loop.clock.now() + timedelta(minutes=1))
        (receipt,) = Dispatcher(loop.target, "prod").run()
    assert (receipt.attempt, receipt.delivery.delivered, len(heard)) == (2, True, 1)


def test_it_says_what_was_found_what_is_open_and_what_waits(tmp_path: Path) -> None:
    loop = new_loop(tmp_path, ("version: 1\n", "version: 1\nclassification: RESTRICTED\n"))
    train_in(loop)
    bring_to_prod(loop)
    requests = loop.plan()
    loop.send(requests, model_of(loop))
    loop.clock.move_to(month_start("2020-07"))
    since = loop.clock.now() - timedelta(days=1)
    for monitor in ("data-quality", "model-quality"):
        run_monitor(loop.target, MonitorRun(monitor, "prod", loop.clock.now()), ANA)
    labels = labels_of(project="demo", environment="prod", endpoint="demo-prod")
    held = evaluate_rules(loop.target, "prod", [Sample(RATIO, labels, 1.9, loop.clock.now())]).open
    decide_on(loop.target, "prod", held)
    ends = loop.clock.now() + timedelta(hours=2)
    asked = MuteRequest("prod", {"alertname": "EndpointErrors"}, ends, "a move", ANA)
    mute = mute_alerts(loop.target, preview(loop.target, asked))
    waiting = digest_of(loop.target, "prod", since, {}).text
    confirm_mute(loop.target, "prod", mute.id, KIM)
    seen = digest_of(loop.target, "prod", since, {"oncall/0-webhook": 3})
    assert seen.title.startswith("[digest] demo-prod: 1 open incident, ")
    for part in (
        "RESTRICTED",
        "## Open incidents",
        "ModelQualityDegraded, since 2020-07-01T00:00:00Z",
        "## Waiting for an answer",
        "for ModelQualityDegraded",
        "## Verdicts",
        "demo-prod-data-quality",
        "## Awaiting labels",
        "rows have a label",
        "## Mutes about to end",
        "alertname=EndpointErrors",
        "oncall/0-webhook: 3",
    ):
        assert part in seen.text, (part, seen.text)
    assert f"mute `{mute.id}` by ana: a second person's word" in waiting
    truths = [GroundTruth(each.inference_id, each.truth.labels) for each in requests]
    record_labels(loop.target, "prod", truths, month_start("2020-06"))
    run_monitor(loop.target, MonitorRun("model-quality", "prod", loop.clock.now()), ANA)
    assert "## Awaiting labels" not in digest_of(loop.target, "prod", since, {}).text


def test_a_test_of_a_receiver_of_digests_sends_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listener(status(200)) as (url, heard):
        loop = with_digests(tmp_path, monkeypatch, url)
        (tried,) = try_receiver(loop.target, "prod", "mlops", KIM)
    assert tried.delivery.delivered
    assert titles(heard) == ["[test] [digest] demo-prod: no open incidents, no windows"]

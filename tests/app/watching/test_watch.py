"""The watch runs what is due, and alerts, decisions and notifications follow by themselves."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.loop import Loop, bring_to_prod, model_of, new_loop, train_in
from tests.app.retraining.market import RISEN, ask, risen_market
from watchkeeper.adapters.local.lock import alone
from watchkeeper.adapters.memory.endpoint import MemoryEndpointHost
from watchkeeper.adapters.sources.dataset import Dataset
from watchkeeper.app.alerts.alerting import alert_history, open_alerts, record_change
from watchkeeper.app.alerts.deciding import decisions
from watchkeeper.app.alerts.door import ALERTMANAGER
from watchkeeper.app.captures.labels import record_labels
from watchkeeper.app.registry.executions import executions
from watchkeeper.app.retraining.retrains import RetrainState, retrains
from watchkeeper.app.setup.workspace import LOCK
from watchkeeper.app.watching.jobs import one_by_one
from watchkeeper.app.watching.retraining import Retrainer
from watchkeeper.app.watching.rules import RuleWatch
from watchkeeper.app.watching.watch import Watch
from watchkeeper.core.errors import ExistsError, IntegrityError, PlatformError
from watchkeeper.core.values import GroundTruth, Sample
from watchkeeper.core.windows import month_start

PATIENCE = 60.0  # seconds


class Unreachable(MemoryEndpointHost):
    """No server runs."""

    def samples(self) -> Sequence[Sample]:
        raise PlatformError("no server runs here", retryable=True)

    def flush(self) -> None:
        raise PlatformError("no server runs here", retryable=True)


def after_a_bad_month(folder: Path) -> Loop:
    loop = new_loop(folder)
    train_in(loop)
    bring_to_prod(loop)
    requests = loop.plan()
    loop.send(requests, model_of(loop))
    dearer = [
        GroundTruth(each.inference_id, tuple(1.5 * float(x) for x in each.truth.labels)) for each in requests
    ]
    record_labels(loop.target, "prod", dearer, month_start("2020-06"))
    loop.clock.move_to(month_start("2020-07"))
    return loop


def watched(loop: Loop, until: Callable[[], bool], host: MemoryEndpointHost | None = None) -> list[str]:
    """Let it watch until something is so, and give what it reported."""
    said: list[str] = []
    stop = threading.Event()

    def report(line: str) -> None:
        said.append(line)
        if until():
            stop.set()

    target = loop.target if host is None else replace(loop.target, host=host)
    watch = Watch(target, report, one_by_one(target), interval=0.01, stop=stop)
    thread = threading.Thread(target=watch.run)
    thread.start()
    thread.join(PATIENCE)
    alive = thread.is_alive()
    stop.set()
    thread.join()
    assert not alive, said
    return said


def test_a_bad_month_leads_to_a_decision_and_a_notification_by_itself(tmp_path: Path) -> None:
    loop = after_a_bad_month(tmp_path)
    said = watched(
        loop, lambda: bool(decisions(loop.store, "prod")) and bool(loop.store.list("notifications/"))
    )
    assert {each.environment for each in executions(loop.store)} >= {"prod"}
    assert [alert.name for alert in open_alerts(loop.store, "prod")] == ["ModelQualityDegraded"]
    (decision,) = decisions(loop.store, "prod")
    assert (decision.kind, decision.needs_approval) == ("Retrain", True)
    assert any("prod: decided Retrain on ModelQualityDegraded" in line for line in said)
    assert any(line == "prod: told mlops/0-file" for line in said)


def test_stopped_and_started_again_it_does_nothing_twice(tmp_path: Path) -> None:
    loop = after_a_bad_month(tmp_path)
    watched(loop, lambda: bool(loop.store.list("notifications/")))
    before = set(loop.store.objects)
    said: list[str] = []
    stop = threading.Event()
    watch = Watch(loop.target, said.append, one_by_one(loop.target), interval=0.01, stop=stop)

    def seen_everything(line: str) -> None:
        said.append(line)
        if sum("demo-prod-model-quality" in each for each in said) >= 2:  # both windows of the last time
            stop.set()

    watch.report = seen_everything
    watch.run()
    made = {key.split("/")[0] for key in set(loop.store.objects) - before}
    assert made <= {"executions"}  # windows that the first watch had not come to
    assert len(alert_history(loop.store, "prod")) == 1


def test_without_a_server_the_monitors_findings_are_judged_all_the_same(tmp_path: Path) -> None:
    loop = after_a_bad_month(tmp_path)
    said = watched(loop, lambda: bool(decisions(loop.store, "prod")), Unreachable())
    assert [line for line in said if line.startswith("no sample")] == [
        "no sample of the endpoints: no server runs here"
    ]


def test_where_prometheus_evaluates_ours_does_not_and_tells_what_alertmanager_cannot(tmp_path: Path) -> None:
    loop = after_a_bad_month(tmp_path)
    watched(loop, lambda: bool(decisions(loop.store, "prod")))
    (alert,) = open_alerts(loop.store, "prod")
    other = after_a_bad_month(tmp_path / "stacked")
    watch = RuleWatch(other.target, "prod", evaluates=False)
    seen = [Sample("watchkeeper_model_quality_rmse_baseline_ratio", alert.labels, 9.0, other.clock.now())]
    assert watch.run(seen).evaluation.changed == ()
    assert alert_history(other.store, "prod") == ()
    record_change(other.target, "prod", alert, ALERTMANAGER)  # as the door does
    told = watch.run(seen)
    assert [alert.name for alert in told.evaluation.open] == ["ModelQualityDegraded"]
    assert [receipt.outlet for receipt in told.receipts] == ["mlops/0-file"]
    assert len(alert_history(other.store, "prod")) == 1


def test_alerts_that_come_in_while_ours_are_evaluated_are_noticed_once(tmp_path: Path) -> None:
    loop = after_a_bad_month(tmp_path)
    loop.store.create("alert-inbox/before.json", b"{}")
    said: list[str] = []
    stop, watch_twice = threading.Event(), "--rules prometheus"

    def report(line: str) -> None:
        said.append(line)
        if "demo-prod" in line:
            with contextlib.suppress(ExistsError):
                loop.store.create("alert-inbox/now.json", b"{}")
        if watch_twice in line:
            stop.set()

    watch = Watch(loop.target, report, one_by_one(loop.target), interval=0.01, stop=stop)
    watch.run()
    assert len([line for line in said if watch_twice in line]) == 1


def test_a_record_that_was_changed_stops_the_watch(tmp_path: Path) -> None:
    loop = after_a_bad_month(tmp_path)
    (key,) = [key for key in loop.store.list("baselines/model-quality/") if key.endswith("statistics.json")]
    loop.store.objects[key] += b" "
    with pytest.raises(IntegrityError):
        Watch(loop.target, lambda _: None, one_by_one(loop.target), interval=0.01).run()


def test_a_disk_that_is_full_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = after_a_bad_month(tmp_path)
    create, failed = loop.store.create, threading.Event()

    def full_once(key: str, data: bytes) -> None:
        if key.startswith("executions/demo-prod-model-quality/") and not failed.is_set():
            failed.set()
            raise PlatformError("write it: no space left; nothing was changed", retryable=True)
        create(key, data)

    monkeypatch.setattr(type(loop.store), "create", lambda self, key, data: full_once(key, data))  # noqa: ARG005
    said = watched(loop, lambda: bool(decisions(loop.store, "prod")))
    assert any("look at the schedules: write it: no space left" in line for line in said)


def decided_alone(folder: Path) -> Loop:
    """A retrain is decided that needs nobody's approval."""
    notified = "notifications: {group_wait: 0s"
    loop = new_loop(folder, (notified, f"retrain: {{approval: {{prod: none}}}}\n{notified}"))
    train_in(loop)
    bring_to_prod(loop)
    loop.clock.move_to(month_start(RISEN))
    ask(loop)
    return loop


def test_a_retrain_that_waits_for_nobody_is_run_by_the_watch(tmp_path: Path) -> None:
    loop = decided_alone(tmp_path)
    said: list[str] = []
    stop = threading.Event()

    def report(line: str) -> None:
        said.append(line)
        if ": retrain " in line:
            stop.set()

    watch = Watch(loop.target, report, one_by_one(loop.target), interval=0.01, rows=risen_market, stop=stop)
    watch.run()
    (done,) = retrains(loop.store, "prod")
    assert done.outcome is not None, said
    assert done.starts[0].actor.name == "retrainer"
    assert any(f"prod: retrain {done.decision.id}: {done.outcome.kind}" in line for line in said)


def test_a_watch_that_is_stopped_leaves_its_retrain_for_the_next(tmp_path: Path) -> None:
    loop = decided_alone(tmp_path)
    stop = threading.Event()

    def rows() -> Dataset:
        stop.set()  # while it learns
        return risen_market()

    Retrainer(loop.target, rows, lambda _: None, stop).run()
    (left,) = retrains(loop.store, "prod")
    assert left.state is RetrainState.INTERRUPTED
    said: list[str] = []
    Retrainer(loop.target, risen_market, said.append, threading.Event()).run()
    (done,) = retrains(loop.store, "prod")
    assert (done.state, len(done.starts)) == (RetrainState.DONE, 2)


def test_what_stands_in_a_retrains_way_is_said_once(tmp_path: Path) -> None:
    loop = decided_alone(tmp_path)

    def rows() -> Dataset:
        raise PlatformError("fetch rows: the publisher does not answer", retryable=True)

    said: list[str] = []
    retrainer = Retrainer(loop.target, rows, said.append, threading.Event())
    retrainer.run()
    retrainer.run()
    assert said == ["prod: fetch rows: the publisher does not answer"]
    with alone(loop.target.folder / LOCK, "rehearse"):
        Retrainer(loop.target, rows, said.append, threading.Event()).run()
    assert len(said) == 1

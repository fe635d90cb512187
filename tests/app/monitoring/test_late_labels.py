"""Labels that come 45 days late: the verdict is of now, whatever its window, and every alert fires."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.app.loop import ANA, Loop, bring_to_prod, model_of, new_loop, train_in
from tests.webhooks import Quiet, served
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.programs import free_ports
from watchkeeper.app.alerts.alerting import evaluate_rules
from watchkeeper.app.captures.labels import record_labels
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.registry.executions import executions, exposed
from watchkeeper.app.stack.files import stack_files, write_stack
from watchkeeper.app.stack.servers import running_stack
from watchkeeper.core.rules import AlertState
from watchkeeper.core.values import Execution, GroundTruth, Status
from watchkeeper.core.windows import month_start
from watchkeeper.monitors import model_quality
from watchkeeper.monitors.answers import Answers
from watchkeeper.render.cloudwatch import MetricLabels, model_quality_metrics
from watchkeeper.render.exposition import CONTENT_TYPE, exposition
from watchkeeper.render.stack import StackSettings

DELAY = ("labels: {delay: 1 month, coverage: 0.95}", "labels: {delay: 45 days, coverage: 0.95}")
DUE = month_start("2020-08")  # the window is that of July, moved back by 45 days: 17 May to 17 June
NAME = "ModelQualityDegraded"


def judged(loop: Loop, dearer: float = 3.0) -> Execution:
    """Requests of May, labels of 10 July in which everything cost much more, the verdict of 1 August."""
    train_in(loop)
    bring_to_prod(loop)
    requests = [each for each in loop.plan() if each.time >= DUE - timedelta(days=76)]
    loop.send(tuple(requests), model_of(loop))
    labels(loop, requests, dearer, day=9)
    loop.clock.move_to(DUE)
    return run_monitor(loop.target, MonitorRun("model-quality", "prod", DUE), ANA)


def labels(loop: Loop, requests: list, dearer: float, day: int) -> None:  # type: ignore[type-arg]
    truths = [
        GroundTruth(each.inference_id, tuple(dearer * float(x) for x in each.truth.labels))
        for each in requests
    ]
    record_labels(loop.target, "prod", truths, month_start("2020-07") + timedelta(days=day))


@contextmanager
def metrics_of(loop: Loop) -> Iterator[str]:
    """The address of a server whose /metrics are what the loop's records expose."""
    text = exposition(exposed(loop.store)).encode()

    class Handler(Quiet):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", CONTENT_TYPE)
            self.end_headers()
            self.wfile.write(text)

        def do_POST(self) -> None:
            """The way back, where nobody listens here."""
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()

    with served(Handler) as url:
        yield url.removeprefix("http://")


def test_embedded_the_alert_fires_when_the_verdict_is_reached(tmp_path: Path) -> None:
    loop = new_loop(tmp_path, DELAY)
    execution = judged(loop)
    assert (execution.status, execution.window.end) == (Status.VIOLATIONS, DUE - timedelta(days=45))
    assert {sample.time for sample in exposed(loop.store)} == {DUE}
    found = evaluate_rules(loop.target, "prod", exposed(loop.store)).open
    (alert,) = [each for each in found if each.name == NAME]
    assert (alert.state, alert.fired_at) == (AlertState.FIRING, DUE)
    values = {sample.metric: sample.value for sample in exposed(loop.store)}
    assert values["watchkeeper_monitor_window_end_timestamp_seconds"] == execution.window.end.timestamp()
    assert values["watchkeeper_monitor_revision"] == 1


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed (make test-deps)")
def test_a_real_prometheus_fires_on_it_too(tmp_path: Path) -> None:
    """A sample stamped with its window's time would be 45 days old there, and stale before it is stored."""
    loop = new_loop(tmp_path, DELAY)
    judged(loop)
    prometheus, alertmanager = free_ports(2)
    (tmp_path / "token").write_text("unused")
    with metrics_of(loop) as address:
        settings = StackSettings(
            str(tmp_path / "token"), address, f"127.0.0.1:{prometheus}", f"127.0.0.1:{alertmanager}", 200
        )
        write_stack(tmp_path / "stack", stack_files(loop.target.project, ("prod",), settings))
        with running_stack(tmp_path / "stack", settings) as stack:
            stack.prometheus.settle(WallClock().now())
            found = stack.prometheus.alerts()
    assert [(each.name, each.state) for each in found] == [(NAME, AlertState.FIRING)]


def test_a_line_for_cloudwatch_is_stamped_with_the_verdict_as_well() -> None:
    """An alarm looks at the last periods by their time: 45 days ago is none of them.

    CloudWatch takes what is up to two weeks old (docs.aws.amazon.com, PutMetricData), so a window's own time
    would be refused.
    """
    answers = Answers.of_numbers(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    lines = model_quality_metrics(model_quality.statistics(answers, seed=0), MetricLabels(DUE)).splitlines()
    assert {json.loads(line)["Timestamp"] for line in lines} == {"2020-08-01T00:00:00Z"}


def test_labels_that_are_corrected_later_make_a_revision_that_replaces_and_an_older_window_does_not(
    tmp_path: Path,
) -> None:
    loop = new_loop(tmp_path, DELAY)
    train_in(loop)
    bring_to_prod(loop)
    requests = list(loop.plan())
    loop.send(tuple(requests), model_of(loop))
    labels(loop, requests, 3.0, day=1)
    loop.clock.move_to(DUE)
    for due in (month_start("2020-07"), DUE):  # 17 April to 17 May, and 17 May to 17 June
        run_monitor(loop.target, MonitorRun("model-quality", "prod", due), ANA)
    before = exposed(loop.store)
    labels(loop, requests, 1.0, day=20)
    older = run_monitor(loop.target, MonitorRun("model-quality", "prod", month_start("2020-07")), ANA)
    assert older == executions(loop.store)[0]  # labels after its time change nothing of it
    assert exposed(loop.store) == before
    newest = run_monitor(loop.target, MonitorRun("model-quality", "prod", DUE), ANA)
    values = {sample.metric: sample.value for sample in exposed(loop.store)}
    assert newest.status is Status.COMPLETED
    assert values["watchkeeper_monitor_revision"] == 2
    assert evaluate_rules(loop.target, "prod", exposed(loop.store)).open == ()

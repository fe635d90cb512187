"""The months of a rehearsal: requests, labels, schedules, alerts, decisions, retrains, each in its time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import polars as pl

from watchkeeper.adapters.local.client import EndpointClient, Invocation
from watchkeeper.app.alerting import evaluate_rules
from watchkeeper.app.deciding import decide_on
from watchkeeper.app.executions import exposed
from watchkeeper.app.labels import record_labels
from watchkeeper.app.monitoring import MonitorRun, run_monitor, window_of
from watchkeeper.app.rehearsal import ENGINEER, OWNER, SCHEDULER, Rehearsal
from watchkeeper.app.reporting import write_execution_page
from watchkeeper.app.retrain import RetrainJob, run_retrain
from watchkeeper.app.retrains import Retrain, RetrainState, answer_retrain, retrains
from watchkeeper.app.schemas import schemas
from watchkeeper.app.traffic import PlannedRequest, TrafficPlan, by_day, plan_month
from watchkeeper.core.errors import WatchkeeperError
from watchkeeper.core.values import GroundTruth, Progress
from watchkeeper.core.windows import Duration


def plan_requests(run: Rehearsal) -> list[PlannedRequest]:
    """Every request of every month, in order of time; every row is in exactly one."""
    settings = run.target.project.settings
    quality = settings.monitors.get("model-quality")
    plan = TrafficPlan(
        schema=schemas(run.target.store)[-1],
        label_delay=quality.labels.delay if quality else Duration(),
        seed=run.request.seed,
    )
    month, frame = pl.col(settings.data.time), run.rows.frame
    return [
        each for name in run.request.months for each in plan_month(frame.filter(month == name), name, plan)
    ]


def live(run: Rehearsal, client: EndpointClient, requests: Sequence[PlannedRequest]) -> None:
    """Requests, labels and schedules, each when its time comes; schedules first, then what is new."""
    agenda = [(at, 0, partial(_check, run, runs)) for at, runs in _schedules(run).items()]
    agenda += [(at, 1, partial(_label, run, truths, at)) for at, truths in by_day(requests).items()]
    agenda += [(each.time, 2, partial(_send, run, client, each)) for each in requests]
    agenda.sort(key=lambda entry: entry[:2])
    for done, (at, _, act) in enumerate(agenda, start=1):
        run.clock.move_to(at)
        act()
        if done % 25 == 0 or done == len(agenda):
            run.report(Progress("live", done, len(agenda), f"{at:%Y-%m-%d}"))


def _send(run: Rehearsal, client: EndpointClient, planned: PlannedRequest) -> None:
    with run.stage("serve"):
        endpoint = run.target.project.endpoint(run.environment)
        client.invoke(
            Invocation(endpoint, planned.inference_id, planned.time, planned.content_type, planned.body),
            rehearsed=True,
        )


def _label(run: Rehearsal, truths: Sequence[GroundTruth], at: datetime) -> None:
    with run.stage("label"):
        record_labels(run.target, run.environment, truths, at)


def _check(run: Rehearsal, due: Sequence[MonitorRun]) -> None:
    """Monitors that are due, then the rules on what they found, then what is decided and done about it."""
    with run.stage("monitor"):
        run.target.host.flush()
        for each in due:
            execution = run_monitor(run.target, each, SCHEDULER)
            write_execution_page(run.target, execution)
            said = f"{execution.schedule} {execution.status}: {execution.reason}"
            run.report(Progress("monitor", 1, None, said))
    with run.stage("alert"):
        samples = (*exposed(run.target.store, run.environment), *run.target.host.samples())
        evaluation = evaluate_rules(run.target, run.environment, samples)
        for alert in evaluation.changed:
            run.report(Progress("alert", 1, None, f"{alert.name} {alert.state}: {alert.summary}"))
        for decision in decide_on(run.target, run.environment, evaluation.open):
            run.report(Progress("decide", 1, None, f"{decision.kind} on {decision.alert}"))
    if run.clock.now() < run.request.span.end:  # after that there is nobody to serve a better model to
        with run.stage("retrain"):
            for retrain in retrains(run.target.store, run.environment):
                _answer_and_run(run, retrain)


def _answer_and_run(run: Rehearsal, retrain: Retrain) -> None:
    if retrain.state is RetrainState.WAITING:
        why = retrain.decision.reasons[0]
        said = run.request.approves(f"retrain for {run.environment}: {why}?")
        retrain = answer_retrain(run.target, retrain, said, OWNER, why)
    if retrain.state is not RetrainState.APPROVED:
        return
    try:
        done = run_retrain(run.target, retrain, RetrainJob(run.rows, ENGINEER, run.report))
    except WatchkeeperError as error:
        run.report(Progress("retrain", 1, None, f"failed: {error}"))
        return
    if done.outcome:
        run.report(Progress("retrain", 1, None, f"{done.outcome.kind}: {done.outcome.reason}"))


def _schedules(run: Rehearsal) -> dict[datetime, list[MonitorRun]]:
    """When each monitor of the watched environment comes due on a window of these months."""
    span = run.request.span
    found: dict[datetime, list[MonitorRun]] = {}
    for name, section in run.target.project.environment(run.environment).monitors.items():
        at = section.schedule.next(span.start)
        while (window := window_of(section, at)).end <= span.end:
            if window.start >= span.start:
                found.setdefault(at, []).append(MonitorRun(name, run.environment, at))
            at = section.schedule.next(at)
    return found

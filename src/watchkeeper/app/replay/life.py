"""The months of a rehearsal: requests, labels, schedules, alerts, decisions, retrains, each in its time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import polars as pl

from watchkeeper.adapters.local.client import EndpointClient, Invocation
from watchkeeper.app.alerts.deciding import decide_on
from watchkeeper.app.captures.labels import record_labels
from watchkeeper.app.monitoring.due import runs_at
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.pages.reporting import ratio_limit, write_execution_page
from watchkeeper.app.registry.executions import exposed
from watchkeeper.app.registry.schemas import schemas
from watchkeeper.app.replay.evaluators import Evaluator
from watchkeeper.app.replay.rehearsal import ENGINEER, OWNER, SCHEDULER, Rehearsal
from watchkeeper.app.replay.reports import (
    alert_report,
    decision_report,
    execution_report,
    month_report,
    retrain_report,
)
from watchkeeper.app.replay.traffic import PlannedRequest, TrafficPlan, by_day, plan_month
from watchkeeper.app.retraining.interruption import settle_interrupted
from watchkeeper.app.retraining.retrain import RetrainJob, run_retrain
from watchkeeper.app.retraining.retrains import OutcomeKind, Retrain, RetrainState, answer_retrain, retrains
from watchkeeper.core.errors import WatchkeeperError
from watchkeeper.core.values import Execution, GroundTruth, Progress
from watchkeeper.core.windows import Duration
from watchkeeper.monitors import model_quality

_AFTERWARDS = timedelta(hours=1)  # how long alerts are followed after the last check
_CHECKS = 0  # the rank of schedules among what is due at one time


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


def live(
    run: Rehearsal, client: EndpointClient, evaluator: Evaluator, requests: Sequence[PlannedRequest]
) -> None:
    """Requests, labels and schedules, each when its time comes; schedules first, then what is new."""
    agenda = [(at, _CHECKS, partial(_check, run, evaluator, runs)) for at, runs in _schedules(run).items()]
    agenda += [(at, 1, partial(_label, run, truths, at)) for at, truths in by_day(requests).items()]
    agenda += [(each.time, 2, partial(_send, run, client, each)) for each in requests]
    agenda.sort(key=lambda entry: entry[:2])
    due: datetime | None = None  # when an alert or a notification is to go on, as of the last check
    for done, (at, rank, act) in enumerate(agenda):
        due = _settle(run, evaluator, due, until=at)
        run.clock.move_to(at)
        if rank == _CHECKS or done % 25 == 0:  # so that what a check finds is heard of on its own day
            run.report(Progress("live", done, len(agenda), f"{at:%Y-%m-%d}"))
        act()
        if rank == _CHECKS:
            due = evaluator.next_due()
    _settle(run, evaluator, due, until=run.clock.now() + _AFTERWARDS)
    run.report(Progress("live", len(agenda), len(agenda), f"{run.clock.now():%Y-%m-%d}"))


def _settle(run: Rehearsal, evaluator: Evaluator, due: datetime | None, until: datetime) -> datetime | None:
    """What alerts and notifications waited for, each in its time; when the next of them is due."""
    while due is not None and due < until:
        run.clock.move_to(max(due, run.clock.now()))
        _respond(run, evaluator, ())
        with run.stage("alert"):
            evaluator.tell()
        due = evaluator.next_due()
    return due


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


def _check(run: Rehearsal, evaluator: Evaluator, due: Sequence[MonitorRun]) -> None:
    """Monitors that are due, then what their findings lead to."""
    with run.stage("monitor"):
        run.target.host.flush()
        executions = [_judge(run, each) for each in due if each.scheduled_at <= run.clock.now()]
        for each in due:
            if each.scheduled_at > run.clock.now():
                _judge(run, each)  # its labels are awaited: what is found now is an estimate
    _respond(run, evaluator, executions)


def _respond(run: Rehearsal, evaluator: Evaluator, executions: Sequence[Execution]) -> None:
    """The rules on what is exposed now, then what is decided and done about it."""
    with run.stage("alert"):
        samples = (*exposed(run.target.store, run.environment), *run.target.host.samples())
        evaluation = evaluator.evaluate(samples)
        for alert in evaluation.changed:
            run.report(alert_report(alert, executions, run.clock.now()))
        limit = ratio_limit(run.target.project, run.environment)
        for execution in executions:
            if execution.monitor == model_quality.MONITOR.name:
                run.report(month_report(execution, limit))
        for decision in decide_on(run.target, run.environment, evaluation.open):
            run.report(decision_report(decision))
    if run.clock.now() < run.request.span.end:  # after that there is nobody to serve a better model to
        with run.stage("retrain"):
            job = RetrainJob(run.rows, ENGINEER, run.report_training)
            settle_interrupted(run.target, run.environment, job)
            for retrain in retrains(run.target.store, run.environment):
                _answer_and_run(run, retrain)


def _judge(run: Rehearsal, due: MonitorRun) -> Execution:
    execution = run_monitor(run.target, due, SCHEDULER)
    write_execution_page(run.target, execution)
    run.report(execution_report(execution))
    return execution


def _answer_and_run(run: Rehearsal, retrain: Retrain) -> None:
    if retrain.state is RetrainState.WAITING:
        why = retrain.decision.reasons[0]
        said = run.request.approves(f"retrain for {run.environment}: {why}?")
        retrain = answer_retrain(run.target, retrain, said, OWNER, why)
        if not said:
            run.report(Progress("retrain", 1, None, f"rejected by {OWNER}", labels={"outcome": "rejected"}))
    if retrain.state is not RetrainState.APPROVED:
        return
    try:
        done = run_retrain(run.target, retrain, RetrainJob(run.rows, ENGINEER, run.report_training))
    except WatchkeeperError as error:
        labels = {"outcome": OutcomeKind.FAILED.value}
        run.report(Progress("retrain", 1, None, f"failed: {error}", labels=labels))
        return
    if ended := retrain_report(done):
        run.report(ended)


def _schedules(run: Rehearsal) -> dict[datetime, list[MonitorRun]]:
    """When each monitor of the watched environment comes due on a window of these months.

    One that waits for labels also looks at the window when it has ended, to estimate what they will say.
    """
    span, project = run.request.span, run.target.project
    found: dict[datetime, list[MonitorRun]] = {}
    for name, section in project.environment(run.environment).monitors.items():
        at = section.schedule.next(span.start)
        while section.window(at).end <= span.end:
            for due in runs_at(project, run.environment, name, at):
                window = section.window(due.scheduled_at)
                if span.start <= window.start and window.end <= span.end:
                    found.setdefault(at, []).append(due)
            at = section.schedule.next(at)
    return found

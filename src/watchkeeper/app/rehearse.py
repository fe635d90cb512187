"""Let months of data travel through the whole loop, on a clock of their own and over real HTTP."""

from __future__ import annotations

import io
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl

from watchkeeper.adapters.local.client import EndpointClient, Invocation
from watchkeeper.adapters.local.endpoint import started_server
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.sources.dataset import Dataset, SourceRequest
from watchkeeper.app.alerting import alert_history, evaluate_rules
from watchkeeper.app.audit import verify_log
from watchkeeper.app.deciding import decide_on, decisions
from watchkeeper.app.executions import executions, samples
from watchkeeper.app.judging import LABEL
from watchkeeper.app.labels import record_labels
from watchkeeper.app.models import approve, promote, status
from watchkeeper.app.monitor_inputs import read_labelled_rows, read_rows, source_of
from watchkeeper.app.monitoring import MonitorRun, run_monitor, window_of
from watchkeeper.app.project import FILE, Project
from watchkeeper.app.project_sections import PREDICTION
from watchkeeper.app.reporting import write_execution_page, write_report
from watchkeeper.app.schemas import schemas
from watchkeeper.app.summary import (
    Counts,
    DecisionSummary,
    Summary,
    alert_summaries,
    month_column,
    month_summaries,
    problems,
)
from watchkeeper.app.targets import Target, open_target
from watchkeeper.app.traffic import PlannedRequest, TrafficPlan, by_day, plan_month
from watchkeeper.app.train import dataset_of, train
from watchkeeper.app.workspace import WRITTEN
from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import InputError, Refused
from watchkeeper.core.values import Actor, GroundTruth, Progress
from watchkeeper.core.windows import Duration, Window, add_months, month_start, months_between

ENGINEER = Actor("ml-engineer", "rehearsal")
OWNER = Actor("model-owner", "rehearsal")
SCHEDULER = Actor("scheduler", "service")
MARKER = "rehearsal.json"
RESULTS = frozenset({MARKER, "report.html", "scores.parquet", "summary.json"})

Report = Callable[[Progress], None]
Asked = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class RehearsalRequest:
    """Which months, on which data, into which folder. `approves` is asked before a version goes to prod."""

    out: Path
    source: SourceRequest
    first: str
    until: str
    approves: Asked
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Marker:
    """What a rehearsal leaves in its folder, so that the next one knows it may start over there."""

    finished: bool


@dataclass(slots=True)
class _Run:
    """A rehearsal under way: what it runs on, and what it has counted so far."""

    request: RehearsalRequest
    target: Target
    clock: MovedClock
    report: Report
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def environment(self) -> str:
        """The watched environment: the last one, where the callers are."""
        return self.target.project.environments[-1]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the wall seconds of a block to a stage."""
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


def rehearse(project: Project, request: RehearsalRequest, report: Report) -> Summary:
    """Run the months from `first` to `until` and write `summary.json`, `report.html` and a workspace.

    Raises InputError for months the data does not have and for a folder that holds something else,
    Refused when the model misses its thresholds or is not approved.
    """
    started = time.perf_counter()
    months = _months(request)
    folder = _prepared(request.out, project)
    clock = MovedClock(month_start(request.first))
    report(Progress("prepare", 0, 1, "opening the workspace and MLflow"))
    run = _Run(request, open_target(project, folder, clock=clock), clock, report)
    with run.stage("data"):
        report(Progress("prepare", 0, 1, "reading the data"))
        rows = dataset_of(project, request.source)
        _check_months(rows, project, months)
        report(Progress("prepare", 1, 1, f"{rows.frame.height:,} rows, source: {rows.source}"))
    with run.stage("train"):
        trained = train(run.target, rows, ENGINEER, report)
    if trained.model is None:
        raise Refused(f"train for {request.first}: the model misses {'; '.join(trained.missed)}")
    requests = _planned(run, rows, months)
    with _serving(run) as client:
        with run.stage("promote"):
            _bring_to_service(run, trained.model.version)
        _live(run, client, requests, months)
    with run.stage("report"):
        summary = _summary(run, rows, requests)
        write_report(run.target, summary, trained.segments)
    summary = replace(summary, seconds={**run.seconds, "total": time.perf_counter() - started})
    store = FolderStore(folder)
    store.write("summary.json", encode(summary))
    store.write(MARKER, encode(Marker(finished=True)))
    return summary


def _months(request: RehearsalRequest) -> tuple[str, ...]:
    months = months_between(request.first, request.until)
    if not months:
        raise InputError(f"rehearse: want --until {request.until} not before --from {request.first}")
    return months


def _check_months(rows: Dataset, project: Project, months: tuple[str, ...]) -> None:
    held = set(rows.frame[project.settings.data.time].drop_nulls().unique().to_list())
    missing = [month for month in months if month not in held]
    if missing:
        raise InputError(
            f"rehearse {months[0]} to {months[-1]}: want rows of every month, "
            f"got none of {', '.join(missing)} in {rows.description}"
        )


def _prepared(out: Path, project: Project) -> Path:
    """An empty workspace with the project file; what an earlier rehearsal left there is taken away.

    The marker stays while the rest goes, so that a folder left half-empty by a crash can be told.
    """
    folder = out.resolve()
    held = sorted(folder.iterdir()) if folder.is_dir() else []
    strangers = [path.name for path in held if not _is_ours(path.name, project)]
    if strangers or (held and _marker(folder) is None):
        got = strangers[0] if strangers else held[0].name
        raise InputError(f"rehearse into {out}: want an empty folder or an earlier rehearsal's, got {got}")
    store = FolderStore(folder)
    store.write(MARKER, encode(Marker(finished=False)))
    for path in held:
        if path.name != MARKER:
            _remove(path)
    store.write(FILE, project.text.encode())
    return folder


def _is_ours(name: str, project: Project) -> bool:
    """Whether a rehearsal writes a file or folder of this name, receivers' folders included."""
    receivers = [each for section in project.by_environment.values() for each in section.receivers.values()]
    folders = {receiver.path.partition("/")[0] for each in receivers for receiver in each}
    return name in WRITTEN | RESULTS | folders or name.startswith(".part-")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def interrupted(out: Path) -> bool:
    """Whether an earlier rehearsal in this folder did not come to its end."""
    marker = _marker(out)
    return marker is not None and not marker.finished


def _marker(folder: Path) -> Marker | None:
    """The folder's marker; None when there is none, or a file of that name that is something else."""
    path = folder / MARKER
    try:
        return decode(Marker, path.read_bytes()) if path.is_file() else None
    except ValueError:
        return None


@contextmanager
def _serving(run: _Run) -> Iterator[EndpointClient]:
    """The endpoints as a process of their own, on a free port, believing the requests' own time."""
    folder = str(run.target.folder)
    argv = [sys.executable, "-m", "watchkeeper", "up", "--workspace", folder, "--port", "0", "--rehearsal"]
    with started_server(argv, run.target.folder / "run" / "server.json") as host:
        yield EndpointClient(host.url())


def _bring_to_service(run: _Run, version: int) -> None:
    for environment in run.target.project.environments:
        _approve(run, version, environment)
        promote(run.target, version, environment, ENGINEER)
        run.report(Progress("promote", 1, None, f"{environment} serves model v{version}"))


def _approve(run: _Run, version: int, environment: str) -> None:
    figures = status(run.target.project, run.target.store, version).model.metrics
    said = f"RMSE {figures['rmse']:,.0f}, R² {figures['r2']:.3f} on its test months"
    question = f"approve model v{version} for {environment}: {said}?"
    if environment == run.environment and not run.request.approves(question):
        raise Refused(f"approve model v{version} for {environment}: the answer was no")
    approve(run.target, version, environment, OWNER, said)


def _planned(run: _Run, rows: Dataset, months: tuple[str, ...]) -> list[PlannedRequest]:
    settings = run.target.project.settings
    quality = settings.monitors.get("model-quality")
    plan = TrafficPlan(
        schema=schemas(run.target.store)[-1],
        label_delay=quality.labels.delay if quality else Duration(),
        seed=run.request.seed,
    )
    month = pl.col(settings.data.time)
    return [each for name in months for each in plan_month(rows.frame.filter(month == name), name, plan)]


def _live(
    run: _Run, client: EndpointClient, requests: Sequence[PlannedRequest], months: tuple[str, ...]
) -> None:
    """Requests, labels and schedules, each when its time comes; schedules first, then what is new."""
    agenda = [(at, 0, partial(_judge, run, runs)) for at, runs in _schedules(run, months).items()]
    agenda += [(at, 1, partial(_label, run, truths, at)) for at, truths in by_day(requests).items()]
    agenda += [(each.time, 2, partial(_send, run, client, each)) for each in requests]
    agenda.sort(key=lambda entry: entry[:2])
    for done, (at, _, act) in enumerate(agenda, start=1):
        run.clock.move_to(at)
        act()
        if done % 25 == 0 or done == len(agenda):
            run.report(Progress("live", done, len(agenda), f"{at:%Y-%m-%d}"))


def _send(run: _Run, client: EndpointClient, planned: PlannedRequest) -> None:
    with run.stage("serve"):
        endpoint = run.target.project.endpoint(run.environment)
        client.invoke(
            Invocation(endpoint, planned.inference_id, planned.time, planned.content_type, planned.body),
            rehearsed=True,
        )


def _label(run: _Run, truths: Sequence[GroundTruth], at: datetime) -> None:
    with run.stage("label"):
        record_labels(run.target, run.environment, truths, at)


def _judge(run: _Run, due: Sequence[MonitorRun]) -> None:
    """Monitors that are due, then the rules on what they found, then decisions on what fires."""
    with run.stage("monitor"):
        run.target.host.flush()
        for each in due:
            execution = run_monitor(run.target, each, SCHEDULER)
            write_execution_page(run.target, execution)
            said = f"{execution.schedule} {execution.status}: {execution.reason}"
            run.report(Progress("monitor", 1, None, said))
    with run.stage("alert"):
        exposed = (*samples(run.target.store, run.environment), *run.target.host.samples())
        evaluation = evaluate_rules(run.target, run.environment, exposed)
        for alert in evaluation.changed:
            run.report(Progress("alert", 1, None, f"{alert.name} {alert.state}: {alert.summary}"))
        for decision in decide_on(run.target, run.environment, evaluation.open):
            run.report(Progress("decide", 1, None, f"{decision.kind} on {decision.alert}"))


def _schedules(run: _Run, months: tuple[str, ...]) -> dict[datetime, list[MonitorRun]]:
    """When each monitor of the watched environment comes due on a window of these months."""
    span = _span(months)
    found: dict[datetime, list[MonitorRun]] = {}
    for name, section in run.target.project.environment(run.environment).monitors.items():
        at = section.schedule.next(span.start)
        while (window := window_of(section, at)).end <= span.end:
            if window.start >= span.start:
                found.setdefault(at, []).append(MonitorRun(name, run.environment, at))
            at = section.schedule.next(at)
    return found


def _span(months: tuple[str, ...]) -> Window:
    return Window(month_start(months[0]), add_months(month_start(months[-1]), 1))


def _summary(run: _Run, rows: Dataset, sent: Sequence[PlannedRequest]) -> Summary:
    target, environment = run.target, run.environment
    months = months_between(run.request.first, run.request.until)
    found, alerts = executions(target.store), alert_history(target.store, environment)
    scores = _scores(run, months)
    counts, audit = _counts(run, sent, scores), verify_log(target.trail)
    open_ends = problems(counts, found, audit)
    return Summary(
        project=target.project.name,
        data_source=rows.source,
        data_description=rows.description,
        first=months[0],
        until=months[-1],
        closed=not open_ends,
        problems=open_ends,
        seconds=dict(run.seconds),
        counts=counts,
        months=month_summaries(scores, found, alerts, PREDICTION),
        alerts=alert_summaries(alerts, found, environment),
        decisions=tuple(
            DecisionSummary(each.kind.value, each.alert, each.reasons)
            for each in decisions(target.store, environment)
        ),
        audit=audit,
    )


def _scores(run: _Run, months: tuple[str, ...]) -> pl.DataFrame:
    """Every captured row with its label, also written as `scores.parquet`."""
    source = source_of(run.target.project, run.environment, _span(months))
    known_by = Window(source.window.start, run.clock.now() + timedelta(days=1))
    scores = read_labelled_rows(run.target.store, source, known_by).frame.with_columns(month_column())
    label = run.target.project.settings.data.label
    table = scores.select(
        pl.col("_join_id").alias("inference_id"),
        pl.col("_row").alias("row"),
        "month",
        pl.col(LABEL).cast(pl.Float64).alias(label),
        pl.col(PREDICTION).cast(pl.Float64),
        pl.col("_model_version").alias("model_version"),
    )
    written = io.BytesIO()
    table.write_parquet(written)
    run.target.store.write("scores.parquet", written.getvalue())
    return scores


def _counts(run: _Run, sent: Sequence[PlannedRequest], scores: pl.DataFrame) -> Counts:
    months = months_between(run.request.first, run.request.until)
    captured = read_rows(run.target.store, source_of(run.target.project, run.environment, _span(months)))
    asked = Counter(request.inference_id for request in sent)
    heard = Counter(captured.frame.filter(pl.col("_row") == 0)["_join_id"].to_list())
    return Counts(
        requests=len(sent),
        captured=captured.requests,
        rows=sum(request.rows for request in sent),
        labels=sum(len(request.truth.labels) for request in sent if request.labelled_at <= run.clock.now()),
        scored=scores.height,
        unmatched=sum(1 for identity in asked | heard if (asked[identity], heard[identity]) != (1, 1)),
    )

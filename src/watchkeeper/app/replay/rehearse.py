"""Let months of data travel through the whole loop, on a clock of their own and over real HTTP."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from watchkeeper.adapters.local.client import EndpointClient
from watchkeeper.adapters.local.endpoint import started_server
from watchkeeper.adapters.local.lock import alone, held
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.sources.dataset import Dataset
from watchkeeper.app.pages.reporting import write_report
from watchkeeper.app.pages.summary import Summary
from watchkeeper.app.registry.history import extend_history
from watchkeeper.app.registry.models import approve, promote, status
from watchkeeper.app.replay.evaluators import evaluating
from watchkeeper.app.replay.life import live, plan_requests
from watchkeeper.app.replay.rehearsal import ENGINEER, OWNER, Rehearsal, RehearsalRequest, Report
from watchkeeper.app.replay.reports import serving_report
from watchkeeper.app.replay.results import summarise
from watchkeeper.app.retraining.train import dataset_of, train
from watchkeeper.app.setup.project import FILE, Project
from watchkeeper.app.setup.targets import open_target
from watchkeeper.app.setup.workspace import LOCK, WRITTEN
from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import InputError, Interrupted, PlatformError, Refused
from watchkeeper.core.values import Progress
from watchkeeper.core.windows import month_of, month_start

MARKER = "rehearsal.json"
_PART = ".part-"  # what a write that was cut short leaves
SERVER_PATIENCE = 20.0  # seconds a server of an earlier rehearsal may take to end
RESULTS = frozenset({MARKER, "models.json", "report.html", "scores.parquet", "summary.json"})


@dataclass(frozen=True, slots=True)
class Marker:
    """What a rehearsal leaves in its folder, so that the next one knows it may start over there."""

    finished: bool


def rehearse(project: Project, request: RehearsalRequest, report: Report) -> Summary:
    """Run the months from `first` to `until` and write `summary.json`, `report.html` and a workspace.

    What an earlier rehearsal left is taken away once the data has been read and found fit.
    Raises InputError for months before or after the data and for a folder that holds something else,
    Refused when the model misses its thresholds or is not approved, PlatformError when another process is
    at work in the folder, Interrupted on Ctrl-C.
    """
    clock = MovedClock(month_start(request.first))
    try:
        return _rehearsed(project, request, clock, report)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted in {month_of(clock.now())}; run it again to start over") from None


def _rehearsed(project: Project, request: RehearsalRequest, clock: MovedClock, report: Report) -> Summary:
    started = time.perf_counter()
    if not request.months:
        raise InputError(f"rehearse: want --until {request.until} not before --from {request.first}")
    folder = request.out.resolve()
    _refuse_strangers(request.out, project)
    report(Progress("prepare", 0, 1, "reading the data"))
    rows = dataset_of(project, request.source)
    _check_months(rows, project, request.months)
    report(Progress("prepare", 1, 1, f"{rows.frame.height:,} rows, source: {rows.source}"))
    seconds = {"data": time.perf_counter() - started}
    with alone(folder / LOCK, f"rehearse into {request.out}"):
        _prepare(folder, project)
        report(Progress("prepare", 1, 1, "opening the workspace and MLflow"))
        seeded = project.seeded(project.settings.training.search.seed + request.seed)
        target = open_target(seeded, folder, clock=clock)
        summary = _closed(Rehearsal(request, target, clock, report, rows, seconds))
        summary = replace(summary, seconds={**summary.seconds, "total": time.perf_counter() - started})
        store = FolderStore(folder)
        store.write("summary.json", encode(summary))
        store.write(MARKER, encode(Marker(finished=True)))
        return summary


def _closed(run: Rehearsal) -> Summary:
    """Once round the loop, in a workspace that is empty but for the project file."""
    with run.stage("train"):
        trained = train(run.target, run.rows, ENGINEER, run.report_training)
    if trained.model is None:
        raise Refused(f"train for {run.request.first}: the model misses {'; '.join(trained.missed)}")
    requests = plan_requests(run)
    with _serving(run) as client:
        with run.stage("promote"):
            _bring_to_service(run, trained.model.version)
        with evaluating(run.target, run.environment, client.url, run.request.compression) as evaluator:
            live(run, client, evaluator, requests)
            stack = evaluator.summary()
    with run.stage("report"):
        summary = summarise(run, requests, stack)
        extend_history(run.target.store)
        write_report(run.target, summary, trained.segments)
    return replace(summary, seconds=run.seconds)


def _check_months(rows: Dataset, project: Project, months: tuple[str, ...]) -> None:
    """A month before or after the data is a mistake; one inside it without a row is a month of no traffic."""
    known = rows.frame[project.settings.data.time].drop_nulls()
    first, last = str(known.min() or ""), str(known.max() or "")
    missing = [month for month in months if not first <= month <= last]
    if missing:
        raise InputError(
            f"rehearse {months[0]} to {months[-1]}: want months that the data covers, "
            f"got none of {', '.join(missing)} in {rows.description}, which has {first} to {last}"
        )


def _refuse_strangers(out: Path, project: Project) -> None:
    folder = out.resolve()
    found = [name for name in _names(folder) if name != LOCK and not name.startswith(_PART)]
    strangers = [name for name in found if not _is_ours(name, project)]
    if strangers or (found and _marker(folder) is None):
        got = strangers[0] if strangers else found[0]
        raise InputError(f"rehearse into {out}: want an empty folder or an earlier rehearsal's, got {got}")


def _prepare(folder: Path, project: Project) -> None:
    """Make it an empty workspace with the project file; what an earlier rehearsal left there is taken away.

    The marker stays while the rest goes, so that a folder left half-empty by a crash can be told. The
    server of a rehearsal that was killed may still be shipping captures: its end is waited for.
    """
    server = folder / "run" / "server.lock"
    doing = f"rehearse into {folder}, where a server runs"
    with alone(server, doing, SERVER_PATIENCE) if server.exists() else nullcontext():
        store = FolderStore(folder)
        store.write(MARKER, encode(Marker(finished=False)))
        for name in _names(folder):
            if name not in (MARKER, LOCK):
                _remove(folder / name)
        store.write(FILE, project.text.encode())


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _is_ours(name: str, project: Project) -> bool:
    """Whether a rehearsal writes a file or folder of this name, receivers' folders included."""
    receivers = [each for section in project.by_environment.values() for each in section.receivers.values()]
    folders = {way.path.partition("/")[0] for each in receivers for way in each if way.kind == "file"}
    return name in WRITTEN | RESULTS | folders or name.startswith(_PART)


def _remove(path: Path) -> None:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        raise PlatformError(f"remove {path}: {error.strerror or error}", retryable=True) from error


def interrupted(out: Path) -> bool:
    """Whether an earlier rehearsal in this folder did not come to its end."""
    marker = _marker(out)
    return marker is not None and not marker.finished and not held(out / LOCK)


def _marker(folder: Path) -> Marker | None:
    """The folder's marker; None when there is none, or a file of that name that is something else."""
    path = folder / MARKER
    try:
        return decode(Marker, path.read_bytes()) if path.is_file() else None
    except ValueError:
        return None


@contextmanager
def _serving(run: Rehearsal) -> Iterator[EndpointClient]:
    """The endpoints as a process of their own, on a free port, believing the requests' own time."""
    folder = str(run.target.folder)
    argv = [sys.executable, "-m", "watchkeeper", "up", "--workspace", folder, "--port", "0", "--rehearsal"]
    with started_server(argv, run.target.folder / "run" / "server.json") as host:
        client = EndpointClient(host.url())
        with client.http:
            yield client


def _bring_to_service(run: Rehearsal, version: int) -> None:
    for environment in run.target.project.environments:
        _approve(run, version, environment)
        promote(run.target, version, environment, ENGINEER)
        run.report(serving_report(environment, version))


def _approve(run: Rehearsal, version: int, environment: str) -> None:
    figures = status(run.target.project, run.target.store, version).model.metrics
    said = f"RMSE {figures['rmse']:,.0f}, R² {figures['r2']:.3f} on its test months"
    question = f"approve model v{version} for {environment}: {said}?"
    if environment == run.environment and not run.request.approves(question):
        raise Refused(f"approve model v{version} for {environment}: the answer was no")
    approve(run.target, version, environment, OWNER, said)

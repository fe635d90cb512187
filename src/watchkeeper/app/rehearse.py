"""Let months of data travel through the whole loop, on a clock of their own and over real HTTP."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from watchkeeper.adapters.local.client import EndpointClient
from watchkeeper.adapters.local.endpoint import started_server
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.sources.dataset import Dataset
from watchkeeper.app.models import approve, promote, status
from watchkeeper.app.project import FILE, Project
from watchkeeper.app.rehearsal import ENGINEER, OWNER, Rehearsal, RehearsalRequest, Report
from watchkeeper.app.rehearsal_life import live, plan_requests
from watchkeeper.app.rehearsal_results import summarise
from watchkeeper.app.reporting import write_report
from watchkeeper.app.summary import Summary
from watchkeeper.app.targets import open_target
from watchkeeper.app.train import dataset_of, train
from watchkeeper.app.workspace import WRITTEN
from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import InputError, Refused
from watchkeeper.core.values import Progress
from watchkeeper.core.windows import month_start

MARKER = "rehearsal.json"
RESULTS = frozenset({MARKER, "models.json", "report.html", "scores.parquet", "summary.json"})


@dataclass(frozen=True, slots=True)
class Marker:
    """What a rehearsal leaves in its folder, so that the next one knows it may start over there."""

    finished: bool


def rehearse(project: Project, request: RehearsalRequest, report: Report) -> Summary:
    """Run the months from `first` to `until` and write `summary.json`, `report.html` and a workspace.

    Raises InputError for months the data does not have and for a folder that holds something else,
    Refused when the model misses its thresholds or is not approved.
    """
    started = time.perf_counter()
    if not request.months:
        raise InputError(f"rehearse: want --until {request.until} not before --from {request.first}")
    folder = _prepared(request.out, project)
    run = _opened(
        project.seeded(project.settings.training.search.seed + request.seed), request, folder, report
    )
    with run.stage("train"):
        trained = train(run.target, run.rows, ENGINEER, report)
    if trained.model is None:
        raise Refused(f"train for {request.first}: the model misses {'; '.join(trained.missed)}")
    requests = plan_requests(run)
    with _serving(run) as client:
        with run.stage("promote"):
            _bring_to_service(run, trained.model.version)
        live(run, client, requests)
    with run.stage("report"):
        summary = summarise(run, requests)
        write_report(run.target, summary, trained.segments)
    summary = replace(summary, seconds={**run.seconds, "total": time.perf_counter() - started})
    store = FolderStore(folder)
    store.write("summary.json", encode(summary))
    store.write(MARKER, encode(Marker(finished=True)))
    return summary


def _opened(project: Project, request: RehearsalRequest, folder: Path, report: Report) -> Rehearsal:
    """The workspace on a clock of its own, with the data read."""
    clock = MovedClock(month_start(request.first))
    report(Progress("prepare", 0, 1, "opening the workspace and MLflow"))
    target = open_target(project, folder, clock=clock)
    started = time.perf_counter()
    report(Progress("prepare", 0, 1, "reading the data"))
    rows = dataset_of(project, request.source)
    _check_months(rows, project, request.months)
    report(Progress("prepare", 1, 1, f"{rows.frame.height:,} rows, source: {rows.source}"))
    seconds = {"data": time.perf_counter() - started}
    return Rehearsal(request, target, clock, report, rows, seconds)


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
        run.report(Progress("promote", 1, None, f"{environment} serves model v{version}"))


def _approve(run: Rehearsal, version: int, environment: str) -> None:
    figures = status(run.target.project, run.target.store, version).model.metrics
    said = f"RMSE {figures['rmse']:,.0f}, R² {figures['r2']:.3f} on its test months"
    question = f"approve model v{version} for {environment}: {said}?"
    if environment == run.environment and not run.request.approves(question):
        raise Refused(f"approve model v{version} for {environment}: the answer was no")
    approve(run.target, version, environment, OWNER, said)

"""A monitor of a project inside its job: the window that is mounted, judged as `monitor run` judges one.

The container is the analyzer's, and so are its variables and mounts (contract 8.3, 8.5); whether a Lambda
function of ours or Model Monitor's schedule started it makes no difference. Captures lie below the folder
that is mounted as they lie in the bucket. What is on record of versions, baselines and labels is read from
there, and the execution goes on record there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from watchkeeper.adapters.aws.account import open_account
from watchkeeper.adapters.aws.store import RoutedStore, S3Store
from watchkeeper.adapters.aws.trail import S3Trail
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.memory.endpoint import MemoryEndpointHost
from watchkeeper.adapters.memory.tracking import MemoryTracker
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.container.run import METRICS, Surroundings, closing_message, last_word, put_all
from watchkeeper.app.container.settings import NAMESPACE, OUTPUT_PATH, Environment
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun, section_of
from watchkeeper.app.pages.reporting import write_execution_page
from watchkeeper.app.registry.executions import folder_of
from watchkeeper.app.registry.records import RememberingStore
from watchkeeper.app.setup.project import FILE, Project, load_project
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.ports import SweptStore
from watchkeeper.core.values import VERDICTS, Actor, Execution, Status
from watchkeeper.core.windows import Window
from watchkeeper.render.cloudwatch import sample_metrics

PROJECT, ENVIRONMENT, MONITOR = "WATCHKEEPER_PROJECT", "WATCHKEEPER_ENVIRONMENT", "WATCHKEEPER_MONITOR"
REGION = "AWS_DEFAULT_REGION"
ANALYZER = Actor("analyzer", "service")
_SLACK = timedelta(days=4)  # by which months of other lengths move a window's end


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What the job's variables say: whose project, which of its monitors, on which window.

    `namespace` is of CloudWatch, None where Model Monitor reads the file of metrics.
    """

    project: str
    region: str
    environment: str
    monitor: str
    window: Window
    source: Path
    output: Path
    namespace: str | None
    publish: bool


def read_order(variables: Mapping[str, str], root: Path) -> JobOrder:
    """Raises InputError that names the variable which is missing or cannot be used."""
    found = Environment(variables, root)
    times = {name: found.time(name) for name in ("start_time", "end_time")}
    start, end = times.values()
    if start is None or end is None:
        missing = next(name for name, time in times.items() if time is None)
        raise InputError(
            f"read the variable {missing}: want a time such as 2019-12-01T15:20:00Z, got nothing"
        )
    if end <= start:
        raise found.fault("end_time", "a time after start_time", found.text("end_time"))
    return JobOrder(
        project=found.needed(PROJECT, "s3://BUCKET/FOLDER of the project file"),
        region=found.needed(REGION, "the region of the project's buckets"),
        environment=found.needed(ENVIRONMENT, "an environment of the project"),
        monitor=found.needed(MONITOR, "a monitor of the project"),
        window=Window(start, end),
        source=found.placed(found.needed("dataset_source", "the folder with the captures")),
        output=found.placed(found.text("output_path") or OUTPUT_PATH),
        namespace=found.text(NAMESPACE),
        publish=found.one_of("publish_cloudwatch_metrics", ("Enabled", "Disabled"), "Disabled") == "Enabled",
    )


def run_project_job(variables: Mapping[str, str], here: Surroundings) -> str:
    """Judge the window, put the execution on record and its files into the job's output; the message left.

    An execution without a verdict is no failure: its reason is the message. Raises the WatchkeeperError that
    ended it, once the message says so.
    """
    with last_word(here) as say, tempfile.TemporaryDirectory(prefix="watchkeeper-") as scratch:
        order = read_order(variables, here.root)
        target = _target(order, Path(scratch))
        run = MonitorRun(order.monitor, order.environment, scheduled_for(target.project, order))
        execution = run_monitor(target, run, ANALYZER)
        write_execution_page(target, execution)
        here.log(f"{execution.schedule} {execution.window}: {execution.status}, {execution.reason}")
        with here.undisturbed():
            _place_files(target, execution, order.output)
        if order.publish:
            _publish(target, order, execution, here)
        if execution.status is Status.FAILED:
            raise PlatformError(f"run {execution.schedule}: {execution.reason}", retryable=False)
        return say(message_of(execution))


def message_of(execution: Execution) -> str:
    """The service's own words for a verdict; without one, the state and its reason."""
    if execution.status in VERDICTS:
        return closing_message(len(execution.violations))
    return f"Completed: no verdict: {execution.status}: {execution.reason}"


def scheduled_for(project: Project, order: JobOrder) -> datetime:
    """The time of the monitor's schedule that has this window.

    Model Monitor knows nothing of the delay of labels: then its window's end is the time itself. Raises
    InputError for a window that is neither.
    """
    section = section_of(project, MonitorRun(order.monitor, order.environment, order.window.end))
    latest = section.labels.delay.after(order.window.end) + _SLACK
    time = section.schedule.next(latest)
    for _ in range(1 + 2 * _SLACK.days * 24 * 60):  # once a minute at most
        if section.window(time) == order.window:
            return time
        time = section.schedule.previous(time)
        if time < order.window.end:
            break
    plain = Window(section.schedule.previous(order.window.end), order.window.end)
    if order.window == plain and section.schedule.next(plain.start) == plain.end:
        return plain.end
    raise InputError(
        f"run monitor {order.monitor} in {order.environment}: want the window of a time of its schedule "
        f"{section.schedule}, labels {section.labels.delay} later, got {order.window}"
    )


def _target(order: JobOrder, folder: Path) -> Target:
    """The project's records, its captures where they are mounted; a monitor starts no run and no endpoint."""
    account, wall = open_account(order.region), WallClock()
    place = urlsplit(order.project)
    if place.scheme != "s3" or not place.netloc:
        raise InputError(f"read the variable {PROJECT}: want s3://BUCKET/FOLDER, got {order.project}")
    key = (PurePosixPath(place.path.lstrip("/")) / FILE).as_posix()
    (folder / FILE).write_bytes(S3Store(account.client("s3"), place.netloc).read(key))
    landscape = Landscape(load_project(folder), account)
    return Target(
        project=landscape.project,
        folder=folder,
        store=RememberingStore(_mounted(landscape.project, order, landscape.store(order.environment))),
        clock=wall,
        trail=S3Trail(landscape.central_store(), wall),
        tracker=MemoryTracker(),
        host=MemoryEndpointHost(),
    )


def _mounted(project: Project, order: JobOrder, rest: SweptStore) -> SweptStore:
    """The records with the captures as they are mounted, where those are of the window that is judged.

    Nothing is mounted of a window without captures: then it is looked up why there are none.
    """
    route = f"captures/{order.environment}/"
    found = [folder for folder in (order.source, *order.source.parents) if (folder / route).is_dir()]
    section = section_of(project, MonitorRun(order.monitor, order.environment, order.window.end))
    if not found or section.window(scheduled_for(project, order)) != order.window:
        return rest
    return RoutedStore(rest, {route: lambda: FolderStore(found[0])})


def _place_files(target: Target, execution: Execution, output: Path) -> None:
    """The contract's files, the page and the record, as they are on record."""
    folder, placed = folder_of(target.store, execution), FolderStore(output)
    for key in target.store.list(folder):
        name = key.removeprefix(folder)
        if not name.startswith("revision-"):
            placed.write(name, target.store.read(key))


def _publish(target: Target, order: JobOrder, execution: Execution, here: Surroundings) -> None:
    """Into CloudWatch, or into the file that Model Monitor reads."""
    aws = target.project.environment(order.environment).targets.aws
    lines = sample_metrics(execution.samples, by_feature=aws is not None and aws.feature_metrics)
    if order.namespace:
        put_all(here, order.namespace, lines)
    else:
        FolderStore(here.root / "output").write(METRICS, lines.encode())

"""A fleet watched for a simulated day: 200 endpoints, 4 monitors each, hourly, windows of 50 rows.

Usage: fleet.py [ENDPOINTS [HOURS]] (default: 200 and 24). Captures and labels of the day are written first;
then the clock goes from hour to hour, and at each whatever is due is run in two processes, with its
page, as `watchkeeper monitor watch --jobs 2` does it.
Wanted: all executions on record, within 10 minutes for 19,200. A second part has a week of schedules and
bookkeeping alone, nothing read or judged. Prints its figures as one JSON object on the last line.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.memory.endpoint import MemoryEndpointHost
from watchkeeper.adapters.memory.tracking import MemoryTracker
from watchkeeper.adapters.sources.dataset import dataset
from watchkeeper.app.monitoring.schedule import schedules_of
from watchkeeper.app.registry.artefacts import load_version
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.executions import Exposures, executions, exposed
from watchkeeper.app.registry.models import approve, promote
from watchkeeper.app.registry.records import RememberingStore, create_record
from watchkeeper.app.retraining.train import train
from watchkeeper.app.setup.init import template_folder
from watchkeeper.app.setup.project import FILE, load_project
from watchkeeper.app.setup.targets import Target
from watchkeeper.app.watching.agenda import Agenda
from watchkeeper.app.watching.jobs import side_by_side
from watchkeeper.core.values import (
    Actor,
    CaptureRecord,
    Deployment,
    Execution,
    GroundTruth,
    Payload,
    Progress,
    Sample,
    Status,
)
from watchkeeper.core.windows import Window, hour_folder, months_between
from watchkeeper.model.artefact import Model
from watchkeeper.render.records import (
    CaptureFolder,
    capture_key,
    capture_line,
    ground_truth_key,
    ground_truth_line,
)

START = datetime(2020, 5, 1, tzinfo=UTC)
ROWS = 50  # of a window
JOBS = 2  # processes
HOUR = timedelta(hours=1)
SETTLE = timedelta(minutes=40)  # after an hour's beginning its requests come, and its labels an hour later
ENGINEER, OWNER = Actor("engineer", "benchmark"), Actor("owner", "benchmark")
PROJECT = """\
version: 1
project: fleet
problem: regression
data: {{source: look-alike, time: month, label: price,
  columns: {{month: time, town: feature, area: feature, price: label}}}}
training:
  split: {{window: 24 months, validation: 2 months, test: 2 months}}
  search: {{trials: 1}}
  features:
    - {{name: town_price, kind: mean_target, columns: [town], per: area}}
    - {{name: area, kind: number, columns: [area]}}
environments: {{{environments}}}
monitors:
  data-quality: {{schedule: "cron(0 * * * ? *)", min_rows: 20}}
  model-quality:
    schedule: "cron(0 * * * ? *)"
    min_rows: 20
    labels: {{delay: 1 hour}}{intervals}
  explainability: {{schedule: "cron(0 * * * ? *)", min_rows: 20, explained_rows: 50}}
  bias:
    schedule: "cron(0 * * * ? *)"
    min_rows: 20
    labels: {{delay: 1 hour}}
    label_values_or_threshold: [400000]
    facet: [{{name_or_index: town, value_or_threshold: [EAST]}}]
"""


def sales(months: tuple[str, ...], a_month: int, seed: int) -> pl.DataFrame:
    """Rows of text: three towns, prices by area with a little noise."""
    rng = np.random.default_rng(seed)
    month = np.repeat(months, a_month)
    town, area = rng.integers(0, 3, len(month)), rng.integers(40, 140, len(month))
    price = area * np.array([3000, 4000, 6000])[town] * np.exp(rng.normal(scale=0.05, size=len(month)))
    names = np.array(["NORTH", "EAST", "WEST"])[town]
    columns = {"month": month, "town": names, "area": area, "price": price.round(0)}
    return pl.DataFrame(columns).with_columns(pl.all().cast(pl.String))


def opened(folder: Path) -> Target:
    """The fleet's target, its clock at the beginning of the day."""
    clock, files = MovedClock(START), FolderStore(folder)
    store = RememberingStore(files)
    return Target(
        project=load_project(folder),
        folder=folder,
        store=store,
        clock=clock,
        trail=FolderTrail(files, clock),
        tracker=MemoryTracker(),
        host=MemoryEndpointHost(),
    )


def ready_rules() -> str:
    """The `alerts` of a new project, and its receiver."""
    text = (template_folder("blank") / FILE).read_text(encoding="utf-8")
    rules = text[text.index("alerts:") : text.index("\nreceivers:")]
    return f"{rules}receivers: {{owner: [{{kind: file, path: notifications/owner}}]}}\n"


def fleet(folder: Path, endpoints: int, *, with_rules: bool = False) -> Target:
    """A workspace with one model that every environment serves, with the rules that ship with us or none."""
    names = [f"e{number:03d}" for number in range(endpoints)]
    environments = ", ".join(f"{name}: {{}}" for name in names)
    intervals = "\n    bootstrap: 1000" if with_rules else ""  # which a rule of theirs is about
    text = PROJECT.format(environments=environments, intervals=intervals)
    (folder / FILE).write_text(f"{text}{ready_rules() if with_rules else ''}", encoding="utf-8")
    target = opened(folder)
    history = dataset(sales(months_between("2018-01", "2020-04"), 200, 0), "file", "made up")
    trained = train(target, history, ENGINEER, quiet)
    if trained.model is None:
        raise SystemExit(f"the model misses {trained.missed}")
    for name in names:
        approve(target, trained.model.version, name, OWNER, "for the benchmark")
        promote(target, trained.model.version, name, ENGINEER)
    return target


def quiet(_: Progress) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many hours, with so many rows in each."""

    hours: int
    seed: int
    rows: int = ROWS


def traffic(target: Target, model: Model, environment: str, load: Load) -> None:
    """A file of captures an hour, and one of their labels in the hour after it."""
    hours, each, seed = load.hours, load.rows, load.seed
    rows = sales(("2020-05",), each * hours, seed)
    inputs = rows.select("month", "town", "area")
    answers = model.predict({name: inputs[name].to_list() for name in inputs.columns}).values
    asked = inputs.write_csv(include_header=False).splitlines()
    prices = rows["price"].to_list()
    endpoint = target.project.endpoint(environment)
    folder = CaptureFolder(environment, 1, endpoint, "AllTraffic")
    for hour in range(hours):
        captures, labels, begun = [], [], START + hour * HOUR
        for number in range(hour * each, (hour + 1) * each):
            identity = f"{environment}-{number:06d}"
            at = begun + timedelta(seconds=(number % each) * 2000 // each)
            record = CaptureRecord(
                event_id=identity,
                inference_id=identity,
                time=at,
                model_version=1,
                schema_version=1,
                input=Payload(asked[number], "CSV", "text/csv"),
                output=Payload(str(answers[number]), "CSV", "text/csv"),
            )
            captures.append(capture_line(record))
            truth = GroundTruth(identity, (float(prices[number]),))
            labels.append(ground_truth_line(truth, begun + HOUR + SETTLE))
        target.store.write(capture_key(folder, begun, "u"), b"".join(captures))
        target.store.write(
            ground_truth_key(environment, endpoint, begun + HOUR + SETTLE, "u"), b"".join(labels)
        )


def watched(target: Target, hours: int) -> dict[str, object]:
    """Go through the day; how long each hour took, and what is on record of it."""
    clock = target.clock
    if not isinstance(clock, MovedClock) or not isinstance(target.store, RememberingStore):
        raise TypeError("want the fleet's own target")
    agenda, lags, begun = Agenda(target), [], time.perf_counter()
    with side_by_side(partial(opened, target.folder), target, JOBS) as runs:
        for hour in range(1, hours + 1):
            clock.move_to(START + hour * HOUR)
            started = time.perf_counter()
            target.store.look_again()
            for ran in runs(agenda.take(clock.now())):
                if ran.refused:
                    raise SystemExit(ran.refused)
            lags.append(time.perf_counter() - started)
            print(f"hour {hour}: {lags[-1]:.1f} s", flush=True)
    seconds = time.perf_counter() - begun
    found = executions(target.store)
    wanted = len(target.project.environments) * 4 * hours
    times = Counter((each.schedule, each.scheduled_at) for each in found if each.scheduled_at <= clock.now())
    return {
        "executions": wanted,
        "accounted_for": len(times),
        "statuses": dict(Counter(each.status.value for each in found)),
        "seconds": seconds,
        "seconds_allowed": 600 * wanted / 19_200,
        "executions_per_second": wanted / seconds,
        "worst_lag_seconds": max(lags),
    }


def bookkept(folder: Path, endpoints: int, hours: int) -> dict[str, float]:
    """Schedules and bookkeeping alone: each due time put on record as an execution without rows."""
    names = [f"e{number:03d}" for number in range(endpoints)]
    environments = ", ".join(f"{name}: {{}}" for name in names)
    (folder / FILE).write_text(PROJECT.format(environments=environments, intervals=""), encoding="utf-8")
    target = opened(folder)
    for number, name in enumerate(names, start=1):
        deployed = Deployment(number, name, f"fleet-{name}", 1, "d" * 64, None, START, ENGINEER)
        create_record(target.store, f"deployments/{name}/{number:06d}.json", deployed)
    agenda, taking, begun, count = Agenda(target), 0.0, time.perf_counter(), 0
    for hour in range(1, hours + 1):
        now = START + hour * HOUR
        started = time.perf_counter()
        found = agenda.take(now)
        taking += time.perf_counter() - started
        for due in found:
            endpoint = target.project.endpoint(due.environment)
            schedule = f"{endpoint}-{due.monitor}"
            execution = Execution(
                key=f"{count:064x}",
                schedule=schedule,
                monitor=due.monitor,
                environment=due.environment,
                endpoint=endpoint,
                window=Window(now - HOUR, now),
                scheduled_at=now,
                status=Status.COMPLETED,
                reason="bookkeeping alone",
                rows=0,
                judgements=(),
                samples=(Sample("watchkeeper_monitor_rows", (("schedule", schedule),), 0.0, now),),
                inputs=(),
            )
            create_record(target.store, f"executions/{schedule}/{hour_folder(now)}/execution.json", execution)
            count += 1
    seconds = time.perf_counter() - begun
    started = time.perf_counter()
    again = sum(len(each.runs) > 0 for each in Agenda(target).take(START + hours * HOUR))
    return {
        "executions": count,
        "wanted": endpoints * 4 * hours,
        "seconds": seconds,
        "seconds_of_schedules": taking,
        "microseconds_each": 1e6 * seconds / count,
        "seconds_to_start_again": time.perf_counter() - started,
        "due_again": again,
        **asked_again(target, START + hours * HOUR),
    }


def asked_again(target: Target, now: datetime) -> dict[str, float]:
    """A round of the rules: what every schedule exposes, by all that is on record, and as the watch asks."""
    held = Exposures(target.store, schedules_of(target.project))
    whole, first, again = (
        _timed(each)
        for each in (
            lambda: exposed(target.store),
            lambda: held.read(now),
            lambda: held.read(now),
        )
    )
    return {
        "seconds_to_expose_all": whole[0],
        "seconds_to_expose_first": first[0],
        "seconds_to_expose_again": again[0],
        "same": float(whole[1] == first[1] == again[1]),
    }


def _timed(ask: Callable[[], tuple[Sample, ...]]) -> tuple[float, tuple[Sample, ...]]:
    started = time.perf_counter()
    found = ask()
    return time.perf_counter() - started, found


def main() -> None:
    endpoints = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    hours = int(sys.argv[2]) if len(sys.argv) > 2 else 24
    with tempfile.TemporaryDirectory() as name:
        started = time.perf_counter()
        target = fleet(Path(name), endpoints)
        version = catalogue(target.store).versions[0]
        model = load_version(target.store, version.version, version.digest)
        for number, environment in enumerate(target.project.environments):
            traffic(target, model, environment, Load(hours, number))
        print(f"prepared in {time.perf_counter() - started:.0f} s", flush=True)
        day = watched(target, hours)
    with tempfile.TemporaryDirectory() as name:
        week = bookkept(Path(name), endpoints, 7 * hours)
        print(week, flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {"endpoints": endpoints, "hours": hours, "day": day, "week": week, "peak_memory_mib": peak}
        )
    )


if __name__ == "__main__":
    main()

"""A loop small enough for a test: sixty sales a month, a model of a few trees, everything in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from tests.model.models import example, model
from tests.training.history import sales
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.memory.endpoint import MemoryEndpointHost
from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.adapters.memory.tracking import MemoryTracker
from watchkeeper.adapters.memory.trail import MemoryTrail
from watchkeeper.adapters.sources.dataset import Dataset, dataset
from watchkeeper.app.registry.models import approve, promote, register
from watchkeeper.app.registry.schemas import schemas
from watchkeeper.app.replay.traffic import PlannedRequest, TrafficPlan, plan_month
from watchkeeper.app.retraining.train import Trained, train
from watchkeeper.app.setup.audit import log
from watchkeeper.app.setup.project import FILE, load_project
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.values import (
    Actor,
    CaptureRecord,
    Deployment,
    ModelVersion,
    Progress,
)
from watchkeeper.core.windows import Duration, month_start
from watchkeeper.model.artefact import Model, load, save
from watchkeeper.serving.calls import Call
from watchkeeper.serving.capture import CaptureWriter
from watchkeeper.serving.counters import VariantCounters
from watchkeeper.serving.recorder import Recorder
from watchkeeper.serving.settings import CapturePolicy, EndpointSettings
from watchkeeper.serving.variant import Variant

ANA, KIM = Actor("ana", "os-user"), Actor("kim", "os-user")
WALL = datetime(2026, 1, 1, tzinfo=UTC)
LIVE = "2020-05"  # the month of going live; labels are known through 2020-03 by then

PROJECT = """\
version: 1
project: demo
problem: regression
data:
  source: look-alike
  time: month
  label: price
  columns: {month: time, town: feature, area: feature, price: label}
training:
  split: {window: 24 months, validation: 2 months, test: 2 months}
  search: {trials: 1}
  accept: {r2: ">= 0.5"}
  segments: [town]
  features:
    - {name: town_price, kind: mean_target, columns: [town], per: area}
    - {name: area, kind: number, columns: [area]}
environments:
  dev: {}
  uat: {}
  prod: {approval: required}
monitors:
  data-quality: {schedule: "cron(0 0 1 * ? *)", min_rows: 20}
  model-quality:
    schedule: "cron(0 0 1 * ? *)"
    min_rows: 20
    labels: {delay: 1 month, coverage: 0.95}
    tolerance: 2.0
alerts:
  - name: ModelQualityDegraded
    metric: model_quality_rmse_baseline_ratio
    above: 1.5
    severity: critical
    action: retrain
    notify: [mlops]
  - name: EndpointErrors
    metric: endpoint_errors_5xx_ratio
    above: 0.01
    for: 5m
    severity: critical
    action: review
    notify: [mlops]
receivers:
  mlops: [{kind: file, path: notifications/mlops}]
notifications: {group_wait: 0s, group_interval: 1m}
"""


def write_project(folder: Path, *changes: tuple[str, str]) -> Path:
    """The project file in a folder, some of its texts replaced; a text that is not there fails the test."""
    text = PROJECT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(text, encoding="utf-8")
    return folder


@dataclass(slots=True)
class Loop:
    """A target in memory, with the host and the clock in reach, and an endpoint that really captures."""

    target: Target
    clock: MovedClock
    host: MemoryEndpointHost
    tracker: MemoryTracker
    store: MemoryStore

    def actions(self) -> list[str]:
        """What the audit log says was done, oldest first."""
        return [entry.event.action for entry in log(self.target.trail)]

    def plan(self, month: str = LIVE, rows: pl.DataFrame | None = None) -> tuple[PlannedRequest, ...]:
        frame = sales() if rows is None else rows
        plan = TrafficPlan(schemas(self.store)[-1], Duration(months=1), seed=0)
        return plan_month(frame.filter(pl.col("month") == month), month, plan)

    def send(self, requests: tuple[PlannedRequest, ...], model: Model, version: int = 1) -> None:
        """Answer requests by the model as the server does, captures included."""
        writer = CaptureWriter(self.store, self.target.folder / "spool")
        recorder = Recorder(writer, CapturePolicy())
        endpoint = Variant(EndpointSettings("demo-prod", "prod"), "AllTraffic", recorder, VariantCounters({}))
        deployed = Deployment(1, "prod", "demo-prod", version, "d" * 64, None, self.clock.now(), ANA)
        endpoint.activate(deployed, model)
        for each in requests:
            endpoint.answer(
                Call(
                    event_id=f"event-{each.inference_id}",
                    time=each.time,
                    body=each.body,
                    content_type=each.content_type,
                    inference_id=each.inference_id,
                )
            )
        writer.flush()


def new_loop(folder: Path, *changes: tuple[str, str]) -> Loop:
    """An empty workspace at the month of going live."""
    clock = MovedClock(month_start(LIVE))
    host, tracker, store = MemoryEndpointHost(), MemoryTracker(), MemoryStore()
    target = Target(
        project=load_project(write_project(folder, *changes)),
        folder=folder,
        store=store,
        clock=clock,
        trail=MemoryTrail(MovedClock(WALL)),
        tracker=tracker,
        host=host,
    )
    return Loop(target, clock, host, tracker, store)


def history() -> Dataset:
    return dataset(sales(), "file", "sales made for tests")


def quiet(_: Progress) -> None:
    """Progress that nobody looks at."""


def train_in(loop: Loop) -> Trained:
    """Train on the history up to what is known."""
    return train(loop.target, history(), ANA, quiet)


def model_of(loop: Loop) -> Model:
    """The model of the newest training run, from its folder."""
    return load(max(loop.target.folder.glob("training/*/register/model")))


def bring_to_prod(loop: Loop, version: int = 1) -> None:
    """Through every environment, approved by another than who registered it."""
    for environment in loop.target.project.environments:
        approve(loop.target, version, environment, KIM, "good figures")
        promote(loop.target, version, environment, ANA)


def copied(loop: Loop, folder: Path, *changes: tuple[str, str]) -> Loop:
    """The same workspace again, to be changed by one test alone, under a project file changed so."""
    fresh = new_loop(folder, *changes)
    trail = MemoryTrail(MovedClock(WALL), list(loop.target.trail.entries()), loop.target.trail.head())
    store = MemoryStore(dict(loop.store.objects))
    fresh.clock.move_to(loop.clock.now())
    return replace(fresh, target=replace(fresh.target, store=store, trail=trail), store=store)


def registered(loop: Loop, *versions: int) -> Loop:
    """Each version put on record by Ana; the artefact is the same small model."""
    for version in versions:
        folder = loop.target.folder / "made" / f"v{version}"
        digest = save(folder, model(), example())
        entry = ModelVersion(
            version=version,
            digest=digest,
            run_id=f"run-{version}",
            trained_from="2018-04",
            trained_through="2020-03",
            labels_known_in="2020-05",
            metrics={"rmse": 3.0, "r2": 0.95},
            schema_version=1,
            data_digest="d" * 64,
            project_digest=loop.target.project.digest,
            registered_at=loop.clock.now(),
            registered_by=ANA,
        )
        register(loop.target, entry, folder)
    return loop


def said(record: CaptureRecord) -> tuple[str, str]:
    """What was asked, and what was answered."""
    assert record.input is not None
    assert record.output is not None
    return record.input.data, record.output.data

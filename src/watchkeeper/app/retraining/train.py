"""Train a model, and put one that meets its thresholds on record with its baselines."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import polars as pl

from watchkeeper import __version__
from watchkeeper.adapters.sources import load_dataset
from watchkeeper.adapters.sources.dataset import Dataset, SourceRequest
from watchkeeper.app.baselines.making import BaselineRows, suggest_baselines
from watchkeeper.app.baselines.sources import training_rows
from watchkeeper.app.registry.baselines import BaselineRecord
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.models import mirror_versions, register
from watchkeeper.app.registry.schema_inference import schema_of
from watchkeeper.app.registry.schemas import keep_schema, settle_schema
from watchkeeper.app.setup.here import REPOSITORY
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Actor, Metrics, ModelVersion, Progress, Schema, Segment
from watchkeeper.core.windows import Duration, add_months, month_of, month_start, shift_month
from watchkeeper.training.fitting import Recipe
from watchkeeper.training.pipeline import TrainingResult
from watchkeeper.training.pipeline import train as run_pipeline
from watchkeeper.training.request import TrainingRequest
from watchkeeper.training.settings import TrainingSettings
from watchkeeper.training.split import Split


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training run led to: a registered version, or the thresholds it missed.

    `metrics` and `segments` are those of the test months; `seconds` are measured per step.
    """

    model: ModelVersion | None
    missed: tuple[str, ...]
    run_id: str
    metrics: Metrics
    segments: tuple[Segment, ...]
    split: Split
    recipe: Recipe
    unseen: dict[str, int]
    seconds: dict[str, float]
    baselines: tuple[BaselineRecord, ...] = ()


def dataset_of(project: Project, request: SourceRequest) -> Dataset:
    """The rows of the project's source."""
    data = project.settings.data
    own = () if request.path else tuple(_matching(project, data.files))
    return load_dataset(data.source, replace(request, own=own, time=data.time))


def _matching(project: Project, patterns: Sequence[str]) -> Iterator[Path]:
    """The project's own files. Raises InputError for a pattern that none matches."""
    for pattern in patterns:
        whole = project.path.parent.resolve() / pattern
        top = Path(whole.anchor)
        if not (found := sorted(top.glob(str(whole.relative_to(top))))):
            raise InputError(f'load data: want files that match data.files, found none for "{pattern}"')
        yield from found


def known_through(project: Project, month: str) -> str:
    """The newest month whose labels are complete when `month` begins, by the label delay of the project.

    Labels of month m that take a month are complete at the end of m + 1; so are those that take 30 days.
    """
    delay, newest = _delay(project), month
    while delay.after(month_start(newest)) > month_start(month):
        newest = shift_month(newest, -1)
    return shift_month(newest, -1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finished training run that is no version yet."""

    request: TrainingRequest
    result: TrainingResult


def train(
    target: Target,
    rows: Dataset,
    actor: Actor,
    report: Callable[[Progress], None],
    through: str | None = None,
) -> Trained:
    """Train on what is known by now (or through a month), register what meets its thresholds.

    A run that misses a threshold is kept in the tracker and on the trail, and is no version.
    Raises InputError for data that cannot be used, and then nothing is kept but the run's beginning.
    """
    settings = target.project.settings.training.training_settings()
    candidate = train_candidate(target, rows, TrainingOrder(actor, settings, report, through))
    if not candidate.result.accepted:
        return _trained(candidate.result)
    return keep_candidate(target, candidate, actor)


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """Who trains, how, and through which month (default: the newest whose labels are known)."""

    actor: Actor
    settings: TrainingSettings
    report: Callable[[Progress], None]
    through: str | None = None


def train_candidate(target: Target, rows: Dataset, order: TrainingOrder) -> Candidate:
    """Run the pipeline; what it made is in the tracker and on the trail, and no version."""
    now = target.clock.now()
    through = order.through or newest_known(target, rows)
    schema = settle_schema(
        target.store, schema_of(target.project, rows.frame.filter(pl.col(_time(target)) <= through))
    )
    request = TrainingRequest(
        frame=rows.frame,
        data_digest=rows.digest,
        schema=schema,
        settings=order.settings,
        known_through=through,
        code_version=code_version(),
    )
    run = f"through-{through}-{now:%Y%m%dT%H%M%SZ}"
    target.trail.append(Event("training.start", run, order.actor, now, after=rows.digest))
    result = run_pipeline(request, target.folder / "training" / run, target.tracker, order.report)
    if not result.accepted:
        why = "; ".join(result.reasons)
        target.trail.append(
            Event("training.not-accepted", run, order.actor, now, why=why, after=result.digest)
        )
    return Candidate(request, result)


def keep_candidate(target: Target, candidate: Candidate, actor: Actor, after: int | None = None) -> Trained:
    """Make an accepted candidate a version, with its schema and baselines.

    A version later than `after` that is the same artefact was made by an interrupted run: it is taken and
    completed, so that there are not two of it.
    """
    request, result = candidate.request, candidate.result
    keep_schema(target.store, request.schema)
    model = _made_before(target, result.digest, after) if after is not None else None
    if model is None:
        model = register(target, _version(target, result, request.schema, actor), result.artefact)
    baselines = suggest_baselines(target, model.version, _baseline_rows(target, request, result), actor)
    return _trained(result, model, baselines)


def _made_before(target: Target, digest: str, after: int) -> ModelVersion | None:
    versions = catalogue(target.store).versions
    made = [each for each in versions if each.version > after and each.digest == digest]
    if made:
        mirror_versions(target)
    return made[-1] if made else None


def code_version() -> str:
    """This package's version, and the commit it runs from where that is known."""
    if not (REPOSITORY / ".git").exists():
        return __version__
    asked = ["git", "-C", str(REPOSITORY), "rev-parse", "--short=12", "HEAD"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    return f"{__version__}+{found.stdout.strip()}" if found.returncode == 0 else __version__


def _trained(
    result: TrainingResult, model: ModelVersion | None = None, baselines: tuple[BaselineRecord, ...] = ()
) -> Trained:
    return Trained(
        model=model,
        missed=result.reasons,
        run_id=result.run_id,
        metrics=result.metrics,
        segments=result.segments,
        split=result.split,
        recipe=result.recipe,
        unseen=result.unseen,
        seconds=result.seconds,
        baselines=baselines,
    )


def newest_known(target: Target, rows: Dataset) -> str:
    """The newest month with labels that are known by now; a file that ended long ago has an earlier one."""
    known, held = known_through(target.project, month_of(target.clock.now())), rows.frame[_time(target)].max()
    return min(known, str(held)) if held is not None else known


def _complete_in(project: Project, month: str) -> str:
    """The month at whose end the labels of `month` are complete, by the label delay of the project."""
    last = add_months(month_start(month), 1)
    return month_of(_delay(project).after(last) - timedelta(seconds=1))


def _delay(project: Project) -> Duration:
    quality = project.settings.monitors.get("model-quality")
    return quality.labels.delay if quality else Duration()


def _time(target: Target) -> str:
    return target.project.settings.data.time


def _version(target: Target, result: TrainingResult, schema: Schema, actor: Actor) -> ModelVersion:
    metrics = result.metrics
    return ModelVersion(
        version=len(catalogue(target.store).versions) + 1,
        digest=result.digest,
        run_id=result.run_id,
        trained_from=result.trained_from,
        trained_through=result.trained_through,
        labels_known_in=_complete_in(target.project, result.trained_through),
        metrics={
            "rows": float(metrics.rows),
            "rmse": metrics.rmse,
            "mae": metrics.mae,
            "mape": metrics.mape,
            "r2": metrics.r2,
            "bias": metrics.bias,
        },
        schema_version=schema.version,
        data_digest=result.data_digest,
        project_digest=target.project.digest,
        registered_at=target.clock.now(),
        registered_by=actor,
    )


def _baseline_rows(target: Target, request: TrainingRequest, result: TrainingResult) -> BaselineRows:
    parts = result.split
    source = (
        f"rows of {parts.test.first} to {parts.test.last}, scored by a model that had not seen them; "
        f"categories of {parts.train.first} to {parts.test.last}"
    )
    return training_rows(target, result.baseline.relative_to(target.folder), request.schema, source)

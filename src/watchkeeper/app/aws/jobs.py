"""The steps of the training pipeline inside their containers: the folders that SageMaker mounts, our own
functions.

Each step reads what earlier ones left below the input folder and leaves its own below the output folder, so
that it can be run on any machine that has the same layout. `record` and `missed` also write to the
project's records.
"""

from __future__ import annotations

import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from optuna.distributions import IntDistribution

from watchkeeper.adapters.memory.endpoint import MemoryEndpointHost
from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.adapters.memory.tracking import MemoryTracker
from watchkeeper.adapters.memory.trail import MemoryTrail
from watchkeeper.adapters.sources.dataset import SourceRequest
from watchkeeper.app.baselines.making import files_of
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.models import mirror_versions
from watchkeeper.app.registry.packages import Package, keep_package, package_of
from watchkeeper.app.registry.schema_inference import schema_of
from watchkeeper.app.registry.schemas import settle_schema
from watchkeeper.app.retraining.train import (
    Candidate,
    Trained,
    dataset_of,
    keep_candidate,
    newest_known,
)
from watchkeeper.app.setup.project import Project, load_project
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Clock, Store
from watchkeeper.core.values import Actor, Schema
from watchkeeper.render.sagemaker_pipeline import OBJECTIVE_LINE
from watchkeeper.training.evaluate import evaluate
from watchkeeper.training.files import write_rows
from watchkeeper.training.ingest import ingest
from watchkeeper.training.pipeline import result_of
from watchkeeper.training.register import baseline_rows, log, refit
from watchkeeper.training.request import TrainingRequest
from watchkeeper.training.search import SPACE, Trial, keep_best, single_trial
from watchkeeper.training.split import split
from watchkeeper.training.validate import validate

NEWEST = "newest"
PIPELINE = Actor("pipeline", "service")


@dataclass(frozen=True, slots=True)
class Mounts:
    """Where SageMaker puts what a job reads, and takes what it leaves; `root` is /opt/ml in a container.

    Source: docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html and
    docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html.
    """

    root: Path

    def input(self, name: str) -> Path:
        """A processing job's input, or else a training job's channel."""
        processing, channel = self.root / "processing" / "input" / name, self.root / "input" / "data" / name
        found = processing if processing.exists() else channel
        if not found.exists():
            raise InputError(f"read the input {name}: want it at {processing} or {channel}, nothing is there")
        return found

    def output(self, name: str) -> Path:
        return self.root / "processing" / "output" / name

    @property
    def model(self) -> Path:
        """What a training job leaves here becomes its model.tar.gz."""
        return self.root / "model"

    @property
    def hyperparameters(self) -> Path:
        return self.root / "input" / "config" / "hyperparameters.json"

    def project(self) -> Project:
        return load_project(self.input("project"))


@dataclass(frozen=True, slots=True)
class Prepared:
    """What later steps have to know of the first: everything of a request but its rows."""

    data_digest: str
    schema: Schema
    known_through: str
    code_version: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the pipeline branches on."""

    accepted: bool
    missed: tuple[str, ...]


def prepare(mounts: Mounts, target: Target, through: str, commit: str) -> Prepared:
    """Take the window's rows, check them, split them by time; `through` may be `newest`."""
    project = mounts.project()
    file = _only_file(mounts.input("data"))
    rows = dataset_of(project, SourceRequest(path=file))
    known = newest_known(target, rows) if through == NEWEST else through
    time = project.settings.data.time
    schema = settle_schema(target.store, schema_of(project, rows.frame.filter(pl.col(time) <= known)))
    prepared = Prepared(rows.digest, schema, known, commit)
    request = _request(project, prepared, rows.frame)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        ingest(request, folder)
        validate(request, folder)
        split(request, folder)
        place = mounts.output("prepared")
        shutil.copytree(folder / "split", place / "split", dirs_exist_ok=True)
    (place / "prepared.json").write_bytes(encode(prepared))
    return prepared


def try_parameters(mounts: Mounts, say: Callable[[str], object]) -> Trial:
    """One trial of a tuning job: fit, score, and say the score as the tuning job's expression finds it."""
    texts = json.loads(mounts.hyperparameters.read_bytes())
    params = {name: _number(name, texts[name]) for name in SPACE if name in texts}
    with _work(mounts, "prepared") as (request, folder):
        try:
            trial = single_trial(request, folder, params)
        except ValueError as error:
            raise InputError(f"read {mounts.hyperparameters}: {error}") from None
    mounts.model.mkdir(parents=True, exist_ok=True)
    (mounts.model / "trial.json").write_bytes(encode(trial))
    say(OBJECTIVE_LINE.format(rmse=trial.rmse))
    return trial


def evaluate_best(mounts: Mounts) -> Verdict:
    """Judge the best trial's recipe on months that it has not seen."""
    best = _trial(mounts.input("trial"))
    with _work(mounts, "prepared") as (request, folder):
        keep_best(request, folder, best)
        evaluation = evaluate(request, folder)
        place = mounts.output("evaluated")
        for step in ("search", "evaluate"):
            shutil.copytree(folder / step, place / step, dirs_exist_ok=True)
    verdict = Verdict(evaluation.accepted, evaluation.missed)
    (place / "verdict.json").write_bytes(encode(verdict))
    return verdict


def fit(mounts: Mounts) -> None:
    """Fit the recipe on all known rows; the model is what the job leaves."""
    mounts.model.mkdir(parents=True, exist_ok=True)
    with _work(mounts, "prepared", "evaluated") as (request, folder):
        refit(request, folder, mounts.model / "model")


def make_baselines(mounts: Mounts, clock: Clock) -> tuple[str, ...]:
    """Each monitor's baseline, by the same judges that will use it; returns the files that were written."""
    written = []
    with tempfile.TemporaryDirectory() as scratch:
        target = _scratch_target(mounts.project(), Path(scratch), clock)
        made = _finish(mounts, target)
        for each in made.baselines:
            for name, text in files_of(target.store, each).files:
                place = mounts.output("baselines") / each.monitor / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="utf-8")
                written.append(f"{each.monitor}/{name}")
    return tuple(written)


def record(mounts: Mounts, target: Target, package: str) -> Trained:
    """Make what was registered a version of ours, with its baselines; package, version and run name each
    other.

    Run again after an interruption it completes the version that it made.
    """
    made = _finish(mounts, target)
    if made.model is None:
        raise InputError(f"record {package}: {'; '.join(made.missed)}")
    keep_package(target.store, Package(made.model.version, package, target.clock.now()))
    mirror_versions(target)
    return made


def record_missed(mounts: Mounts, target: Target) -> tuple[str, ...]:
    """Put a run that misses a threshold on record: it is no version. Returns what it missed."""
    with _work(mounts, "prepared", "evaluated") as (request, folder):
        (folder / "register").mkdir()
        registered = log(request, folder, target.tracker, "evaluate/model")
        result = result_of(request, folder, registered, {})
    now = target.clock.now()
    run = f"through-{request.known_through}-{now:%Y%m%dT%H%M%SZ}"
    why = "; ".join(result.reasons)
    target.trail.append(Event("training.not-accepted", run, PIPELINE, now, why=why, after=result.digest))
    return result.reasons


def _finish(mounts: Mounts, target: Target) -> Trained:
    """What `train` does once the pipeline's steps are through, on what they left: log the run, keep the
    version."""
    with _work(mounts, "prepared", "evaluated", within=target.folder) as (request, folder):
        (folder / "register").mkdir()
        _unpack(_only_file(mounts.input("model")), folder / "register")
        write_rows(folder / "register" / "baseline.parquet", baseline_rows(folder))
        registered = log(request, folder, target.tracker, "register/model")
        result = result_of(request, folder, registered, {})
        if not result.accepted:
            raise InputError(f"keep the model: {'; '.join(result.reasons)}")
        return keep_candidate(
            target, Candidate(request, result), PIPELINE, after=_newest_packaged(target.store)
        )


def _newest_packaged(store: Store) -> int:
    """The newest version that has its package; a later one was left by a step that was interrupted."""
    versions = [known.version for known in catalogue(store).versions]
    return max((version for version in versions if package_of(store, version)), default=0)


def _scratch_target(project: Project, folder: Path, clock: Clock) -> Target:
    """A target that nobody else sees, for what is only made to be written down."""
    return Target(
        project=project,
        folder=folder,
        store=MemoryStore(),
        clock=clock,
        trail=MemoryTrail(clock),
        tracker=MemoryTracker(),
        host=MemoryEndpointHost(),
    )


@contextmanager
def _work(mounts: Mounts, *inputs: str, within: Path | None = None) -> Iterator[tuple[TrainingRequest, Path]]:
    """The request, and one folder with what the named inputs hold of earlier steps."""
    prepared = _read_prepared(mounts.input("prepared") / "prepared.json")
    if within is not None:
        (within / "training").mkdir(parents=True, exist_ok=True)
    place = within / "training" if within else None
    with tempfile.TemporaryDirectory(prefix="pipeline-", dir=place) as scratch:
        folder = Path(scratch)
        for name in inputs:
            for step in mounts.input(name).iterdir():
                if step.is_dir():
                    shutil.copytree(step, folder / step.name)
        yield _request(mounts.project(), prepared, pl.DataFrame()), folder


def _read_prepared(file: Path) -> Prepared:
    try:
        return decode(Prepared, file.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"read what the first step left, {file}: {error}") from None


def _request(project: Project, prepared: Prepared, frame: pl.DataFrame) -> TrainingRequest:
    return TrainingRequest(
        frame=frame,
        data_digest=prepared.data_digest,
        schema=prepared.schema,
        settings=project.settings.training.training_settings(),
        known_through=prepared.known_through,
        code_version=prepared.code_version,
    )


def _only_file(folder: Path) -> Path:
    found = sorted(path for path in folder.iterdir() if path.is_file())
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise InputError(f"read {folder}: want one file, got {names}")
    return found[0]


def _trial(folder: Path) -> Trial:
    with tempfile.TemporaryDirectory() as scratch:
        _unpack(_only_file(folder), Path(scratch))
        try:
            return decode(Trial, (Path(scratch) / "trial.json").read_bytes())
        except (OSError, ValueError) as error:
            raise InputError(f"read the best trial in {folder}: {error}") from None


def _unpack(archive: Path, folder: Path) -> None:
    """A model.tar.gz, of which nothing may lie outside the folder."""
    try:
        with tarfile.open(archive, "r:gz") as held:
            held.extractall(folder, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise InputError(f"unpack {archive}: {error}") from None


def _number(name: str, text: str) -> float:
    """A hyperparameter, which SageMaker hands over as text."""
    try:
        return int(text) if isinstance(SPACE[name], IntDistribution) else float(text)
    except ValueError:
        raise InputError(f'read hyperparameter {name}: want a number, got "{text}"') from None

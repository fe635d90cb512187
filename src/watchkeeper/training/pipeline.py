"""All steps in their order, in one process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from watchkeeper.core.ports import Tracker
from watchkeeper.core.values import Metrics, Progress, Segment
from watchkeeper.training.evaluate import Evaluation, evaluate
from watchkeeper.training.files import read_json
from watchkeeper.training.fitting import Recipe
from watchkeeper.training.ingest import ingest
from watchkeeper.training.register import Registered, register
from watchkeeper.training.request import TrainingRequest
from watchkeeper.training.search import Search, search
from watchkeeper.training.split import Split, split
from watchkeeper.training.validate import validate

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a run came to.

    `reasons` say which thresholds were missed; a run that missed none is accepted. `metrics` and
    `segments` are those of the test months, by a model that had not seen them; the artefact of an
    accepted run has then been fitted on all rows from `trained_from` to `trained_through`.
    `seconds` are measured per step.
    """

    accepted: bool
    reasons: tuple[str, ...]
    run_id: str
    artefact: Path
    digest: str
    baseline: Path
    trained_from: str
    trained_through: str
    data_digest: str
    split: Split
    recipe: Recipe
    metrics: Metrics
    segments: tuple[Segment, ...]
    unseen: dict[str, int]
    seconds: dict[str, float]


def train(
    request: TrainingRequest, folder: Path, tracker: Tracker, report: Callable[[Progress], None]
) -> TrainingResult:
    """Run every step in `folder` and log the run. The same request gives the same artefact.

    Raises InputError for data that cannot be used; a model that misses a threshold is a result.
    """
    timed = _Timed({}, report)
    timed.run("ingest", lambda: ingest(request, folder))
    timed.run("validate", lambda: validate(request, folder))
    timed.run("split", lambda: split(request, folder))
    timed.run("search", lambda: search(request, folder, report))
    timed.run("evaluate", lambda: evaluate(request, folder))
    registered = timed.run("register", lambda: register(request, folder, tracker))
    return result_of(request, folder, registered, timed.seconds)


def result_of(
    request: TrainingRequest, folder: Path, registered: Registered, seconds: dict[str, float]
) -> TrainingResult:
    """What the steps in `folder` came to, wherever each of them ran."""
    parts = read_json(Split, folder / "split/split.json")
    evaluation = read_json(Evaluation, folder / "evaluate/evaluation.json")
    return TrainingResult(
        accepted=evaluation.accepted,
        reasons=evaluation.missed,
        run_id=registered.run_id,
        artefact=folder / registered.artefact,
        digest=registered.digest,
        baseline=folder / registered.baseline,
        trained_from=parts.train.first,
        trained_through=request.known_through if evaluation.accepted else parts.validation.last,
        data_digest=request.data_digest,
        split=parts,
        recipe=read_json(Search, folder / "search/search.json").recipe,
        metrics=evaluation.metrics,
        segments=evaluation.segments,
        unseen=evaluation.unseen,
        seconds=seconds,
    )


@dataclass(frozen=True, slots=True)
class _Timed:
    seconds: dict[str, float]
    report: Callable[[Progress], None]

    def run(self, step: str, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        result = work()
        self.seconds[step] = time.perf_counter() - started
        self.report(Progress(step, 1, 1, "done", {"seconds": self.seconds[step]}))
        return result

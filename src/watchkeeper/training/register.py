"""Last step: the model of all known rows, the rows a baseline is made of, and the run on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from watchkeeper.core.ports import MISSED, Tracker
from watchkeeper.model.artefact import artefact_digest, save
from watchkeeper.training.evaluate import EXAMPLES, PREDICTION, Evaluation
from watchkeeper.training.files import read_json, read_rows, step_folder, write_json, write_rows
from watchkeeper.training.fitting import Recipe, fit, texts
from watchkeeper.training.request import TrainingRequest
from watchkeeper.training.search import Search
from watchkeeper.training.split import PARTS, Split, read_parts


@dataclass(frozen=True, slots=True)
class Registered:
    """The run in the tracker, the model folder, its digest and the baseline's rows.

    Paths are relative to the pipeline's folder.
    """

    run_id: str
    artefact: str
    digest: str
    baseline: str


def register(request: TrainingRequest, folder: Path, tracker: Tracker) -> Registered:
    """Write `register/` and log the run.

    An accepted recipe is refitted on all known rows and that model is kept. Of one that missed a
    threshold the model that was judged is logged, in a run that counts as failed.
    `register/baseline.parquet` has all rows of the window with label (Float64) and, for the test
    rows, the prediction made without having seen them.
    """
    accepted = read_json(Evaluation, folder / "evaluate/evaluation.json").accepted
    with step_folder(folder, "register") as written:
        write_rows(written / "baseline.parquet", baseline_rows(folder))
        if accepted:
            refit(request, folder, written / "model")
    return log(request, folder, tracker, "register/model" if accepted else "evaluate/model")


def refit(request: TrainingRequest, folder: Path, place: Path) -> None:
    """Fit the recipe of `search/` on all rows of `split/`, and save the model as the folder `place`."""
    recipe = read_json(Search, folder / "search/search.json").recipe
    rows = read_parts(folder, *PARTS)
    model = fit(rows, recipe, request.schema)
    save(place, model, texts(rows.tail(EXAMPLES), recipe.features, recipe.level))


def baseline_rows(folder: Path) -> pl.DataFrame:
    """All rows of the window; the test rows with their predictions, the earlier ones without."""
    earlier = read_parts(folder, "train", "validation").with_columns(
        pl.lit(None, pl.Float64).alias(PREDICTION)
    )
    return pl.concat([earlier, read_rows(folder / "evaluate/predictions.parquet")])


def log(request: TrainingRequest, folder: Path, tracker: Tracker, artefact: str) -> Registered:
    """Log the run with the model at `artefact`, a path below `folder`, and write
    `register/registered.json`."""
    evaluation = read_json(Evaluation, folder / "evaluate/evaluation.json")
    digest = artefact_digest(folder / artefact)
    run_id = tracker.log_run(
        name=f"train through {request.known_through}",
        params=_params(request, read_json(Search, folder / "search/search.json").recipe),
        metrics=_metrics(evaluation),
        tags=_tags(request, folder, evaluation) | {"artefact_digest": digest},
        artefact=str(folder / artefact),
    )
    registered = Registered(run_id, artefact, digest, "register/baseline.parquet")
    write_json(folder / "register/registered.json", registered)
    return registered


def _params(request: TrainingRequest, recipe: Recipe) -> Mapping[str, str]:
    settings = request.settings
    told = {
        "window": str(settings.window),
        "validation": str(settings.validation),
        "test": str(settings.test),
        "trials": str(settings.trials),
        "accept": ", ".join(map(str, settings.accept)),
        "features": ", ".join(feature.name for feature in recipe.features),
    }
    return (
        told
        | {name: str(value) for name, value in recipe.booster_params.items()}
        | {"rounds": str(recipe.rounds)}
    )


def _metrics(evaluation: Evaluation) -> Mapping[str, float]:
    metrics = evaluation.metrics
    return {
        "test_rows": float(metrics.rows),
        "test_rmse": metrics.rmse,
        "test_mae": metrics.mae,
        "test_mape": metrics.mape,
        "test_r2": metrics.r2,
        "test_bias": metrics.bias,
    }


def _tags(request: TrainingRequest, folder: Path, evaluation: Evaluation) -> dict[str, str]:
    parts = read_json(Split, folder / "split/split.json")
    tags = {
        "data_digest": request.data_digest,
        "code_version": request.code_version,
        "trained_from": parts.train.first,
        "trained_through": request.known_through if evaluation.accepted else parts.validation.last,
    }
    return tags if evaluation.accepted else tags | {MISSED: "; ".join(evaluation.missed)}

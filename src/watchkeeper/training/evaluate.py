"""Fifth step: the recipe, refitted on train and validation, judged on months it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from watchkeeper.core.values import Metrics, Segment
from watchkeeper.model.artefact import save
from watchkeeper.monitors.model_quality import figures, segments
from watchkeeper.training.files import read_json, step_folder, write_json, write_rows
from watchkeeper.training.fitting import fit, labels, texts
from watchkeeper.training.request import TrainingRequest
from watchkeeper.training.search import Search
from watchkeeper.training.split import read_parts

PREDICTION = "prediction"
EXAMPLES = 5  # rows stored with a model, with the answers expected


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of the test months, whole and by segment; the thresholds they missed, said in words.

    `unseen` counts test rows with a category that neither train nor validation had.
    """

    metrics: Metrics
    segments: tuple[Segment, ...]
    missed: tuple[str, ...]
    unseen: dict[str, int]

    @property
    def accepted(self) -> bool:
        """Whether every threshold was met."""
        return not self.missed


def evaluate(request: TrainingRequest, folder: Path) -> Evaluation:
    """Read `split/` and `search/`; write `evaluate/`: figures, test predictions, the model judged."""
    recipe = read_json(Search, folder / "search/search.json").recipe
    model = fit(read_parts(folder, "train", "validation"), recipe, request.schema)
    test = read_parts(folder, "test")
    predictions = model.predict(texts(test, recipe.features, recipe.level))
    actual = labels(test, request.schema.label.name)
    metrics = figures(actual, predictions.values)
    evaluation = Evaluation(
        metrics=metrics,
        segments=segments(test, actual, predictions.values, request.settings.segments),
        missed=_missed(request, metrics),
        unseen=dict(predictions.unseen),
    )
    with step_folder(folder, "evaluate") as written:
        write_json(written / "evaluation.json", evaluation)
        answered = test.with_columns(pl.Series(PREDICTION, predictions.values))
        write_rows(written / "predictions.parquet", answered)
        save(written / "model", model, texts(test.head(EXAMPLES), recipe.features, recipe.level))
    return evaluation


def _missed(request: TrainingRequest, metrics: Metrics) -> tuple[str, ...]:
    return tuple(
        f"want {threshold}, got {getattr(metrics, threshold.metric):.4g}"
        for threshold in request.settings.accept
        if not threshold.holds(metrics)
    )

"""What error a prediction is expected to have: trees on the model's own features and on its answer.

estimator.json   format and the sha256 of each other file
absolute.ubj     trees for the absolute error
squared.ubj      trees for the squared error
held-out.json    losses of the baseline's rows, and what trees that had not seen them expected
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from watchkeeper.core.encoding import decode, digest, encode
from watchkeeper.core.errors import IntegrityError
from watchkeeper.model.artefact import booster_from
from watchkeeper.monitors.estimated_quality import Losses, losses

Floats = npt.NDArray[np.float64]

MANIFEST = "estimator.json"
FORMAT = 1
FOLDS = 5
FEWEST_TREES, MOST_TREES, ROWS_A_TREE = 40, 200, 300
TREES = {
    "tree_method": "hist",
    "max_depth": 6,
    "learning_rate": 0.1,
    "min_child_weight": 20,
    "subsample": 0.8,
    "nthread": 1,
}


@dataclass(frozen=True, slots=True)
class LossModel:
    """Trees for both losses; `held_out`: losses of rows, and those expected by trees fitted without them."""

    absolute: xgb.Booster
    squared: xgb.Booster
    held_out: tuple[Losses, Losses]

    def expected(self, matrix: npt.NDArray[np.float32], predictions: Floats) -> Losses:
        """The losses to be expected of rows: their encoded features, shape (rows, features), and answers.

        Raises ValueError for an answer that is not finite, which trees would take for one that is missing.
        """
        if others := int((~np.isfinite(predictions)).sum()):
            raise ValueError(f"want finite predictions, got {others} of {predictions.size} that are not")
        inputs = _inputs(matrix, predictions)
        return Losses(_answers(self.absolute, inputs), _answers(self.squared, inputs))


@dataclass(frozen=True, slots=True)
class _HeldOut:
    absolute: tuple[float, ...]
    squared: tuple[float, ...]
    expected_absolute: tuple[float, ...]
    expected_squared: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Manifest:
    format: int
    files: dict[str, str]


def fit(matrix: npt.NDArray[np.float32], predictions: Floats, labels: Floats, seed: int) -> LossModel:
    """Fit both trees on all rows, and on all but each of five folds for `held_out`.

    Folds are cut by place, since neighbours in time are alike. Raises ValueError for numbers not finite.
    """
    had, inputs = losses(labels, predictions), _inputs(matrix, predictions)
    folds = np.arange(had.rows) * FOLDS // had.rows
    sides = []
    for values in (had.absolute, had.squared):
        expected = np.empty(had.rows)
        for fold in range(FOLDS):
            own = folds == fold
            expected[own] = _answers(_trees(inputs[~own], values[~own], seed), inputs[own])
        sides.append((expected, _trees(inputs, values, seed)))
    (absolute, of_absolute), (squared, of_squared) = sides
    return LossModel(of_absolute, of_squared, (had, Losses(absolute, squared)))


def to_files(model: LossModel) -> dict[str, bytes]:
    """The estimator as plain data, by file name; the manifest last."""
    had, expected = model.held_out
    columns = (had.absolute, had.squared, expected.absolute, expected.squared)
    files = {
        "absolute.ubj": bytes(model.absolute.save_raw("ubj")),
        "squared.ubj": bytes(model.squared.save_raw("ubj")),
        "held-out.json": encode(_HeldOut(*(tuple(column.tolist()) for column in columns))),
    }
    manifest = _Manifest(FORMAT, {name: digest(data) for name, data in files.items()})
    return {**files, MANIFEST: encode(manifest)}


def from_files(files: Mapping[str, bytes]) -> LossModel:
    """The estimator back. Raises IntegrityError when a file is missing or is not what was written."""
    try:
        manifest = decode(_Manifest, files[MANIFEST])
        if manifest.format != FORMAT:
            raise IntegrityError(f"read an estimator: want format {FORMAT}, got {manifest.format}")
        for name, wanted in manifest.files.items():
            if digest(files[name]) != wanted:
                raise IntegrityError(f"read an estimator: {name} is not what was written")
        held = decode(_HeldOut, files["held-out.json"])
        had, expected = (
            np.array([held.absolute, held.squared]),
            np.array([held.expected_absolute, held.expected_squared]),
        )
        absolute, squared = (booster_from(files[name]) for name in ("absolute.ubj", "squared.ubj"))
        return LossModel(absolute, squared, (Losses(*had), Losses(*expected)))
    except (KeyError, ValueError, xgb.core.XGBoostError) as error:
        raise IntegrityError(f"read an estimator: it cannot be read: {error}") from None


def rounds(rows: int) -> int:
    """How many trees so many rows are worth: one more for each 300, from 40 to 200.

    >>> rounds(1_000)
    40
    """
    return min(max(rows // ROWS_A_TREE, FEWEST_TREES), MOST_TREES)


def _inputs(matrix: npt.NDArray[np.float32], predictions: Floats) -> npt.NDArray[np.float32]:
    return np.column_stack([matrix, predictions.astype(np.float32)])


def _trees(inputs: npt.NDArray[np.float32], values: Floats, seed: int) -> xgb.Booster:
    scale = float(values.mean()) or 1.0  # squares of prices are beyond what float32 gradients add up well
    settings = {**TREES, "objective": "reg:squarederror", "seed": seed}
    booster = xgb.train(settings, xgb.QuantileDMatrix(inputs, values / scale), rounds(values.size))
    booster.set_attr(scale=repr(scale))
    return booster_from(bytes(booster.save_raw("ubj")))


def _answers(booster: xgb.Booster, inputs: npt.NDArray[np.float32]) -> Floats:
    """No loss is below 0, whatever trees make of rows unlike any before."""
    found = np.asarray(booster.inplace_predict(inputs), dtype=np.float64)
    return np.maximum(found, 0.0) * float(booster.attr("scale") or 1.0)

"""A recipe, and rows made into a model by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import xgboost as xgb

from watchkeeper.core.values import Schema
from watchkeeper.model.artefact import Model, booster_from
from watchkeeper.model.features import Columns, Encoder, FeatureSpec
from watchkeeper.model.level import Level, LevelSpec

# One, so that a run can be repeated elsewhere to the last bit, and because trees this small make
# two threads wait for each other: on a busy machine that took ten times as long as one.
THREADS = 1
BINS = 128  # twice as quick as 256, and on HDB no worse


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that is decided before fitting: features, booster parameters, number of trees, seed."""

    features: tuple[FeatureSpec, ...]
    params: dict[str, float]
    rounds: int
    seed: int
    level: LevelSpec | None = None

    @property
    def booster_params(self) -> dict[str, object]:
        """As XGBoost takes them."""
        return {**self.params, **fixed_params(self.seed), "max_depth": int(self.params["max_depth"])}


def fixed_params(seed: int) -> dict[str, object]:
    """What the search does not vary: histogram trees on squared error."""
    return {
        "objective": "reg:squarederror",
        "tree_method": "hist",
        "max_bin": BINS,
        "nthread": THREADS,
        "seed": seed,
        "verbosity": 1,
    }


def fit(rows: pl.DataFrame, recipe: Recipe, schema: Schema) -> Model:
    """Fit encodings and trees on these rows alone."""
    label = schema.label.name
    columns, target = texts(rows, recipe.features, recipe.level), labels(rows, label)
    level = Level.fit(recipe.level, columns, target) if recipe.level else None
    relative = target / level.of(columns) if level else target
    encoder = Encoder.fit(recipe.features, columns, relative)
    booster = xgb.train(recipe.booster_params, matrix(encoder, columns, relative), recipe.rounds)
    return Model(encoder, booster_from(bytes(booster.save_raw("ubj"))), schema, label, level)


def matrix(encoder: Encoder, columns: Columns, target: npt.NDArray[np.float64]) -> xgb.QuantileDMatrix:
    """Rows as XGBoost trains on them."""
    return xgb.QuantileDMatrix(encoder.transform(columns).matrix, target, max_bin=BINS, nthread=THREADS)


def labels(rows: pl.DataFrame, label: str) -> npt.NDArray[np.float64]:
    """The label column, shape (rows,)."""
    return rows[label].to_numpy().astype(np.float64)


def texts(
    rows: pl.DataFrame, features: tuple[FeatureSpec, ...], level: LevelSpec | None
) -> dict[str, list[str | None]]:
    """The text columns that the features and the level read, divisors included."""
    names = {name for feature in features for name in (*feature.columns, feature.per) if name}
    names |= {level.time, *level.within} if level else set()
    return {name: rows[name].to_list() for name in sorted(names)}

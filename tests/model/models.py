"""A small model that takes no time to train."""

import numpy as np
import xgboost as xgb

from watchkeeper.core.values import Column, ColumnType, Role, Schema
from watchkeeper.model.artefact import Model, booster_from
from watchkeeper.model.features import Encoder, FeatureSpec

SCHEMA = Schema(
    1,
    (
        Column("town", ColumnType.STRING, Role.FEATURE),
        Column("area", ColumnType.FRACTIONAL, Role.FEATURE),
        Column("price", ColumnType.FRACTIONAL, Role.LABEL),
    ),
)
SPEC = (
    FeatureSpec("town_price", "mean_target", ("town",), per="area"),
    FeatureSpec("area", "number", ("area",)),
)
ROWS: dict[str, list[str | None]] = {
    "town": [("A", "B", "C")[i % 3] for i in range(90)],
    "area": [str(40 + i) for i in range(90)],
}


def model() -> Model:
    area = np.arange(40.0, 130.0)
    price = area * np.array([3.0, 5.0, 7.0])[np.arange(90) % 3]
    encoder = Encoder.fit(SPEC, ROWS, price)
    matrix = xgb.QuantileDMatrix(encoder.transform(ROWS).matrix, price)
    booster = xgb.train({"max_depth": 3, "nthread": 1, "seed": 0}, matrix, 20)
    return Model(encoder, booster_from(bytes(booster.save_raw("ubj"))), SCHEMA, "price")


def example() -> dict[str, list[str | None]]:
    return {name: texts[:4] for name, texts in ROWS.items()}

"""How fast predictions are explained, beside XGBoost's own contributions, on a model of resale prices.

Usage: attributions.py [ROWS] (default 1,000,000). The model is the project's: its features, a search's first
parameters (`START`) and as many trees as a search takes at most, fitted on the rows of WATCHKEEPER_HDB_CSV or
of the look-alike; the rows explained are drawn from these. XGBoost explains 20,000 of them with the same
threads in the same run. Printed are rows a second, their ratio (wanted: 8), the same at 10,000 rows, where
making the tables shows, and the largest difference in standard deviations of the predictions (wanted: at most
1e-4); one JSON object is on the last line.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl
import xgboost as xgb

from watchkeeper.adapters.sources.lookalike import sales
from watchkeeper.app.setup.project import load_project
from watchkeeper.model.contributions import THREADS, contributions
from watchkeeper.model.features import Encoder
from watchkeeper.training.search import MOST_ROUNDS, START

T = TypeVar("T")

CHECKOUT = Path(__file__).resolve().parents[1]
THEIRS = 20_000
FEW = 10_000


def rows() -> pl.DataFrame:
    """Sales as text, of the real file or the look-alike."""
    real = os.environ.get("WATCHKEEPER_HDB_CSV")
    return (pl.read_csv(real, infer_schema=False) if real else sales(0)).with_columns(
        pl.all().cast(pl.String)
    )


def fitted(table: pl.DataFrame) -> tuple[xgb.Booster, np.ndarray]:
    """The trees and the matrix they were trained on."""
    spec = load_project(CHECKOUT / "projects" / "resale_price").settings.training.training_settings().features
    price = table["resale_price"].cast(pl.Float64).to_numpy()
    columns = {name: table[name].to_list() for name in table.columns}
    encoder = Encoder.fit(spec, columns, price)
    matrix = encoder.transform(columns).matrix
    settings = {**START, "tree_method": "hist", "nthread": THREADS, "seed": 0}
    return xgb.train(settings, xgb.QuantileDMatrix(matrix, price), MOST_ROUNDS), matrix


def seconds(run: Callable[[], T]) -> tuple[float, T]:
    """How long a call took, and what it gave."""
    start = time.perf_counter()
    found = run()
    return time.perf_counter() - start, found


def main() -> None:
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    table = rows()
    booster, known = fitted(table)
    matrix = known[np.random.default_rng(0).integers(0, len(known), asked)]
    booster.set_param({"nthread": THREADS})
    theirs_s, theirs = seconds(lambda: booster.predict(xgb.DMatrix(matrix[:THEIRS]), pred_contribs=True))
    few_s, _ = seconds(lambda: contributions(booster, matrix[:FEW]))
    ours_s, ours = seconds(lambda: contributions(booster, matrix))
    spread = float(booster.inplace_predict(matrix[:THEIRS]).std())
    rate, few, xgboost = asked / ours_s, FEW / few_s, THEIRS / theirs_s
    figures = {
        "trees": booster.num_boosted_rounds(),
        "rows": asked,
        "method": ours.method,
        "ours_rows_per_s": round(rate),
        "xgboost_rows_per_s": round(xgboost),
        "ratio": round(rate / xgboost, 2),
        "ratio_at_10000_rows": round(few / xgboost, 2),
        "largest_difference_in_std": float(np.abs(ours.values[:THEIRS] - theirs[:, :-1]).max() / spread),
    }
    print(
        f"{asked:,} rows: {rate:,.0f} rows/s, {rate / xgboost:.1f} x XGBoost's {xgboost:,.0f} on {THEIRS:,}"
    )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

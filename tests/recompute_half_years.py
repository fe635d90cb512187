"""python recompute_half_years.py DIR: a rehearsal's half-years again, from its scores and nothing of ours."""

import json
import sys
from pathlib import Path

import polars as pl


def figures(label: pl.Series, error: pl.Series) -> dict[str, float]:
    total, variation = float(label.sum()), float(((label - label.mean()) ** 2).sum())
    squares, absolute, rows = float((error**2).sum()), float(error.abs().sum()), len(label)
    relative = float((error / label).abs().sum())
    named = {"rmse": (squares / rows) ** 0.5, "mae": absolute / rows, "mape": relative / rows}
    return {**named, "r2": 1 - squares / variation, "bias": float(error.sum()) / total}


scores, models, summary = (Path(sys.argv[1]) / f for f in ("scores.parquet", "models.json", "summary.json"))
month = pl.col("month")
half_of = month.str.head(4) + pl.when(month.str.tail(2) <= "06").then(pl.lit("H1")).otherwise(pl.lit("H2"))
rows = pl.read_parquet(scores).with_columns(half_of.alias("half"))
through = {model["version"]: model["trained_through"] for model in json.loads(models.read_bytes())}
knew = [row for row in rows["month", "model_version"].iter_rows() if row[0] <= through[row[1]]]
assert not knew, f"{len(knew)} rows were scored by a model that knew their labels, the first of {knew[0]}"
for half in json.loads(summary.read_bytes())["half_years"]:
    own = rows.filter(pl.col("half") == half["half"])
    assert own.height == half["rows"], half
    for side, column in (("watched", "prediction"), ("unwatched", "unwatched_prediction")):
        for name, value in figures(own["resale_price"], own[column] - own["resale_price"]).items():
            assert abs(value - half[side][name]) <= 1e-9 * max(1.0, abs(value)), (half["half"], side, name)
sys.stdout.write(f"{rows.height} rows, {len(through)} models: every figure agrees\n")

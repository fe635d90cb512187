"""Recomputes a rehearsal's half-years from its scores alone: polars and arithmetic, nothing of ours.

Usage: python recompute_half_years.py DIR. Fails when a figure differs by more than 1e-9, relative, or
when a row was scored by a model that had learned from its month or later.
"""

import json
import sys
from pathlib import Path

import polars as pl


def figures(label: pl.Series, prediction: pl.Series) -> dict[str, float]:
    error = prediction - label
    mse, mean = float((error**2).sum()) / len(label), float(label.sum()) / len(label)
    return {
        "rmse": mse**0.5,
        "mae": float(error.abs().sum()) / len(label),
        "mape": float((error / label).abs().sum()) / len(label),
        "r2": 1 - mse * len(label) / float(((label - mean) ** 2).sum()),
        "bias": float(error.sum()) / float(label.sum()),
    }


def main(folder: Path) -> None:
    scores = pl.read_parquet(folder / "scores.parquet")
    through = {m["version"]: m["trained_through"] for m in json.loads((folder / "models.json").read_bytes())}
    knew = [m for m, v in scores.select("month", "model_version").rows() if m <= through[v]]
    assert not knew, f"{len(knew)} rows were scored by a model that knew their labels, the first of {knew[0]}"
    for half in json.loads((folder / "summary.json").read_bytes())["half_years"]:
        months = {
            f"{half['half'][:4]}-{m:02d}" for m in (range(1, 7) if half["half"][4:] == "H1" else range(7, 13))
        }
        rows = scores.filter(pl.col("month").is_in(list(months)))
        assert rows.height == half["rows"], half
        for who, column in (("watched", "prediction"), ("unwatched", "unwatched_prediction")):
            for name, value in figures(rows["resale_price"], rows[column]).items():
                assert abs(value - half[who][name]) <= 1e-9 * max(1.0, abs(value)), (half["half"], who, name)
    sys.stdout.write(f"{scores.height} rows, {len(through)} models: every figure agrees\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""How near estimates of quality come before labels, beside NannyML's on the data that its wheel carries.

Usage: estimation.py, with NannyML in WATCHKEEPER_PEERS (`make bench-deps`). Both fit on the reference period
and estimate the same chunks of the analysis period, in one run. Printed are mean absolute errors against what
came, and how often our intervals held it (they promise 90 %); one JSON object is on the last line. Depth and
number of the trees in `model/loss_model.py` were chosen on held-out chunks of the car prices' reference; how
intervals are made, after the spread of misses in the analysis period had been seen on these same data.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from watchkeeper.model import chance_model, loss_model
from watchkeeper.monitors import estimated_classes, estimated_quality
from watchkeeper.monitors.estimated_classes import Chances
from watchkeeper.monitors.estimated_quality import Estimated

CHECKOUT = Path(__file__).resolve().parents[1]
PEERS = Path(os.environ.get("WATCHKEEPER_PEERS", CHECKOUT / ".peers")).resolve()
SCRIPT = CHECKOUT / "benchmarks" / "peers" / "estimate_nannyml.py"
ROLES = ("y_true", "y_pred", "y_pred_proba")
NAMES = {"auc": "roc_auc"}  # ours to NannyML's
LEAST_ROWS = 100  # of a chunk: the last one is what is left over
Chunks = dict[str, list[float]]


def theirs(folder: Path) -> dict[str, Chunks]:
    """NannyML's estimates; its data are in the folder afterwards."""
    python = PEERS / "nannyml/bin/python"
    if not python.exists():
        raise SystemExit(f"no {python}: make bench-deps installs NannyML there")
    ended = subprocess.run(
        [str(python), str(SCRIPT), str(folder)],
        env={**os.environ, "NML_DISABLE_USAGE_LOGGING": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(ended.stdout.splitlines()[-1]))


def matrices(reference: pl.DataFrame, analysis: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The features as numbers, categories by their place among the reference's."""
    columns: list[list[np.ndarray]] = [[], []]
    for name in (name for name in reference.columns if name not in ROLES):
        known = reference[name].unique().sort().to_list() if reference[name].dtype == pl.String else None
        for side, frame in zip(columns, (reference, analysis), strict=True):
            column = frame[name]
            if known is not None:
                places = {value: float(place) for place, value in enumerate(known)}
                column = column.replace_strict(places, default=None, return_dtype=pl.Float64)
            side.append(column.cast(pl.Float64).to_numpy())
    before, now = (np.column_stack(side).astype(np.float32) for side in columns)
    return before, now


def numbers(frame: pl.DataFrame, name: str) -> np.ndarray:
    return frame[name].cast(pl.Float64).to_numpy()


def classes(reference: pl.DataFrame, analysis: pl.DataFrame, chunks: list[slice]) -> list[tuple[dict, dict]]:
    """Of each chunk what was estimated, and what came."""
    before, now = matrices(reference, analysis)
    scores, labels = numbers(reference, "y_pred_proba"), numbers(reference, "y_true")
    model = chance_model.fit(before, scores, labels, seed=0)
    held_out = Chances(model.held_out, numbers(reference, "y_pred") == 1, scores)
    said, came = (numbers(analysis, name) for name in ("y_pred_proba", "y_true"))
    chances, answered = model.chances(now, said), numbers(analysis, "y_pred") == 1
    found = []
    for rows in chunks:
        window = Chances(chances[rows], answered[rows], said[rows])
        expected = estimated_classes.estimate(window, (held_out, labels), seed=0)
        truth = estimated_classes.figures(Chances(came[rows], answered[rows], said[rows]))
        found.append(({each.metric: each for each in expected}, dict(truth)))
    return found


def amounts(reference: pl.DataFrame, analysis: pl.DataFrame, chunks: list[slice]) -> list[tuple[dict, dict]]:
    """As `classes`, for a regression."""
    before, now = matrices(reference, analysis)
    model = loss_model.fit(before, numbers(reference, "y_pred"), numbers(reference, "y_true"), seed=0)
    said, came = numbers(analysis, "y_pred"), numbers(analysis, "y_true")
    found = []
    for rows in chunks:
        expected = estimated_quality.estimate(model.expected(now[rows], said[rows]), model.held_out, seed=0)
        error = came[rows] - said[rows]
        truth = {"mae": float(np.abs(error).mean()), "rmse": float(np.sqrt(np.square(error).mean()))}
        found.append(({each.metric: each for each in expected}, truth))
    return found


def main() -> None:
    """Estimate each data set's chunks by both, and compare with what came."""
    result: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for data, chunks in theirs(folder).items():
            reference, analysis = (
                pl.read_parquet(folder / f"{data}-{part}.parquet") for part in ("reference", "analysis")
            )
            bounds = [
                slice(int(a), int(b) + 1)
                for a, b in zip(chunks["start_index"], chunks["end_index"], strict=True)
            ]
            kept = [place for place, each in enumerate(bounds) if each.stop - each.start >= LEAST_ROWS]
            of = classes if "y_pred_proba" in reference.columns else amounts
            ours = of(reference, analysis, [bounds[place] for place in kept])
            result[data] = {}
            for metric in ours[0][0]:
                peer = chunks.get(NAMES.get(metric, metric))
                if peer is None:
                    continue
                pairs: list[tuple[Estimated, float]] = [(said[metric], came[metric]) for said, came in ours]
                figures = {
                    "ours": float(np.mean([abs(each.value - came) for each, came in pairs])),
                    "nannyml": float(
                        np.mean([abs(peer[k] - came) for k, (_, came) in zip(kept, pairs, strict=True)])
                    ),
                    "coverage": float(np.mean([each.low <= came <= each.high for each, came in pairs])),
                    "chunks": float(len(pairs)),
                    "half_width": float(np.mean([(each.high - each.low) / 2 for each, _ in pairs])),
                }
                result[data][metric] = {name: round(value, 5) for name, value in figures.items()}
                print(
                    f"{data:<19} {metric:<9} error {figures['ours']:9.4f}, "
                    f"NannyML {figures['nannyml']:9.4f}, "
                    f"interval held {figures['coverage']:.0%} of {len(pairs)} chunks, "
                    f"± {figures['half_width']:.4f}"
                )
    held = sum(round(of["coverage"] * of["chunks"]) for data in result.values() for of in data.values())
    intervals = sum(int(of["chunks"]) for data in result.values() for of in data.values())
    print(f"{held} of {intervals} intervals held what came: {held / intervals:.1%}")
    print(json.dumps({"benchmark": "estimation", "coverage": round(held / intervals, 4), **result}))


if __name__ == "__main__":
    main()

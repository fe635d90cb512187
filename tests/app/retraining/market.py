"""A market that rises, and a retrain that is asked for."""

from __future__ import annotations

import polars as pl

from tests.app.loop import Loop
from tests.training.history import sales
from watchkeeper.adapters.sources.dataset import Dataset, dataset
from watchkeeper.app.alerts.alerting import evaluate_rules
from watchkeeper.app.alerts.deciding import decide_on
from watchkeeper.core.values import Sample, labels_of

RATIO = "watchkeeper_model_quality_rmse_baseline_ratio"


RISEN = "2020-10"  # by then labels are known through 2020-08


def risen_market() -> Dataset:
    """Prices that go up by two fifths when the model has gone live."""
    frame = sales("2018-01", "2020-12").with_columns(pl.col("price").cast(pl.Float64))
    dearer = pl.when(pl.col("month") >= "2020-05").then(pl.col("price") * 1.4).otherwise(pl.col("price"))
    return dataset(frame.with_columns(dearer.round(0).cast(pl.String)), "file", "a market that rises")


def ask(loop: Loop) -> None:
    labels = labels_of(project="demo", environment="prod", endpoint="demo-prod")
    sample = Sample(RATIO, labels, 1.9, loop.clock.now())
    decide_on(loop.target, "prod", evaluate_rules(loop.target, "prod", [sample]).open)

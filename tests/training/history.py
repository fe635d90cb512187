"""Two and a half years of small sales, and what it takes to train on them."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from watchkeeper.core.values import ApprovalStatus, Column, ColumnType, Role, Schema
from watchkeeper.core.windows import Duration, months_between
from watchkeeper.model.features import FeatureSpec
from watchkeeper.training.request import TrainingRequest
from watchkeeper.training.settings import Threshold, TrainingSettings

SCHEMA = Schema(
    1,
    (
        Column("month", ColumnType.STRING, Role.TIME),
        Column("town", ColumnType.STRING, Role.FEATURE),
        Column("area", ColumnType.FRACTIONAL, Role.FEATURE),
        Column("price", ColumnType.FRACTIONAL, Role.LABEL),
    ),
)
FEATURES = (
    FeatureSpec("town_price", "mean_target", ("town",), per="area"),
    FeatureSpec("area", "number", ("area",)),
    FeatureSpec("month", "month", ("month",)),
)


def sales(first: str = "2018-01", last: str = "2020-06", a_month: int = 60) -> pl.DataFrame:
    """Rows of text: three towns, prices by area with a little noise."""
    rng = np.random.default_rng(0)
    months = np.repeat(months_between(first, last), a_month)
    town, area = rng.integers(0, 3, len(months)), rng.integers(40, 140, len(months))
    price = area * np.array([3000, 4000, 6000])[town] * np.exp(rng.normal(scale=0.05, size=len(months)))
    towns = np.array(["NORTH", "EAST", "WEST"])[town]
    columns = {"month": months, "town": towns, "area": area, "price": price.round(0)}
    return pl.DataFrame(columns).with_columns(pl.all().cast(pl.String))


def request(
    frame: pl.DataFrame | None = None, *accept: str, trials: int = 2, months: int = 24
) -> TrainingRequest:
    settings = TrainingSettings(
        window=Duration(months=months),
        validation=Duration(months=2),
        test=Duration(months=2),
        trials=trials,
        seed=0,
        accept=tuple(Threshold.parse("r2", text) for text in accept),
        features=FEATURES,
        segments=("town",),
    )
    return TrainingRequest(sales() if frame is None else frame, "d" * 64, SCHEMA, settings, "2020-04", "test")


class Runs:
    """A tracker that keeps what it is told."""

    def __init__(self) -> None:
        self.logged: list[tuple[str, dict[str, str], dict[str, float], dict[str, str], str]] = []

    def log_run(
        self,
        name: str,
        params: Mapping[str, str],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        artefact: str,
    ) -> str:
        self.logged.append((name, dict(params), dict(metrics), dict(tags), artefact))
        return f"run-{len(self.logged)}"

    def register(self, run_id: str, version: int, status: ApprovalStatus) -> None:
        raise AssertionError(f"a training run registers nothing: {run_id}, {version}, {status}")

    def mirror(self, version: int, tags: Mapping[str, str], aliases: Sequence[str]) -> None:
        raise AssertionError(f"a training run mirrors nothing: {version}, {tags}, {aliases}")

"""The look-alike: the columns and quirks of the real file, a market that moves, nothing real in it."""

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
import xgboost as xgb

from tests.shared import shared
from watchkeeper.adapters.sources import SourceRequest, load_dataset
from watchkeeper.adapters.sources.lookalike import COLUMNS, sales
from watchkeeper.adapters.sources.lookalike_tables import MODELS, TOWNS
from watchkeeper.readers.table import read_table


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return sales(0)


def test_one_seed_gives_the_same_rows_and_another_gives_others(frame: pl.DataFrame) -> None:
    again = load_dataset("look-alike", SourceRequest())
    assert again.frame.equals(frame)
    assert again.digest != load_dataset("look-alike", SourceRequest(seed=1)).digest


def test_it_says_what_it_is() -> None:
    loaded = load_dataset("look-alike", SourceRequest())
    assert loaded.source == "look-alike"
    assert "GENERATED" in loaded.description
    assert "no row is real" in loaded.description


def test_columns_months_and_categories_are_the_real_ones(frame: pl.DataFrame) -> None:
    assert tuple(frame.columns) == COLUMNS
    assert set(frame.dtypes) == {pl.String}
    assert sum(frame.null_count().row(0)) == 0
    assert frame["month"].n_unique() == 72
    assert frame["month"].is_sorted()
    assert set(frame["town"].unique()) == {town.name for town in TOWNS}
    assert set(frame["flat_model"].unique()) == {model.name for model in MODELS}
    assert 1_900 < frame.height / 72 < 2_100


def test_the_quirks_are_there(frame: pl.DataFrame) -> None:
    lease = frame["remaining_lease"]
    forms = [r"^\d\d years$", r"^\d\d years 01 month$", r"^\d\d years \d\d months$"]
    counts = [int(lease.str.contains(form).sum()) for form in forms]
    assert sum(counts) == frame.height
    assert min(counts) > 5_000
    assert 0.3 < frame["block"].str.contains("[A-Z]$").sum() / frame.height < 0.4
    by_month = dict(frame.group_by("month").len().rows())
    assert by_month["2020-04"] + by_month["2020-05"] < 1_000
    assert min(count for month, count in by_month.items() if month not in ("2020-04", "2020-05")) > 1_500


def test_some_categories_appear_late(frame: pl.DataFrame) -> None:
    first = dict(frame.group_by("flat_model").agg(pl.col("month").min()).rows())
    assert first["2-room"] >= "2020-01"
    assert first["3Gen"] >= "2022-06"
    before = frame.filter(pl.col("month") < "2020-01")["lease_commence_date"]
    assert before.max() == "2016"
    assert frame["lease_commence_date"].max() == "2019"


def test_the_market_is_flat_and_then_rises(frame: pl.DataFrame) -> None:
    rate = pl.col("resale_price").cast(float) / pl.col("floor_area_sqm").cast(float)
    level = dict(frame.group_by(pl.col("month").str.slice(0, 4)).agg(rate.median()).rows())
    assert level["2019"] / level["2017"] == pytest.approx(1, abs=0.03)
    assert 1.2 < level["2022"] / level["2019"] < 1.3


def test_a_model_of_the_calm_years_is_good_until_the_market_moves(frame: pl.DataFrame) -> None:
    known = frame.filter(pl.col("month") <= "2019-11")
    means = (pl.col("resale_price").cast(float) / pl.col("floor_area_sqm").cast(float)).mean()
    keys = ("town", "flat_model", "flat_type"), ("block", "street_name"), ("street_name",)
    tables = [known.group_by(key).agg(means.alias(f"m{at}")) for at, key in enumerate(keys)]

    def matrix(rows: pl.DataFrame) -> npt.NDArray[np.float64]:
        for key, table in zip(keys, tables, strict=True):
            rows = rows.join(table, on=key, how="left", maintain_order="left")
        storey, lease = (
            rows[name].str.slice(0, 2).cast(float) for name in ("storey_range", "remaining_lease")
        )
        return np.column_stack(
            [rows.select("m0", "m1", "m2"), rows["floor_area_sqm"].cast(float), storey, lease]
        )

    def r2(first: str, last: str) -> float:
        rows = frame.filter(pl.col("month").is_between(pl.lit(first), pl.lit(last)))
        price = rows["resale_price"].cast(float).to_numpy()
        errors = price - booster.inplace_predict(matrix(rows))
        return float(1 - (errors**2).sum() / ((price - price.mean()) ** 2).sum())

    target = known["resale_price"].cast(float).to_numpy()
    params = {"max_depth": 6, "learning_rate": 0.15, "nthread": 2, "seed": 0}
    booster = xgb.train(params, xgb.QuantileDMatrix(matrix(known), target), 150)
    assert r2("2020-01", "2020-01") > 0.94
    assert r2("2022-07", "2022-12") < 0.6


def test_no_real_row_is_in_it(frame: pl.DataFrame) -> None:
    real = read_table(shared("data/hdb-resale-2017-2022.csv.gz"))
    assert frame.join(real, on=list(COLUMNS), how="semi").is_empty()

"""The data-quality monitor on the real HDB file: what it says is what `data/README.md` explains."""

from functools import cache

import polars as pl
import pytest

from tests.shared import shared
from watchkeeper.core.values import Column, ColumnType, Role, Schema
from watchkeeper.monitors import data_quality
from watchkeeper.monitors.data_quality_values import DataQualityStatistics

NAMES = {
    "month": (ColumnType.STRING, Role.TIME),
    "town": (ColumnType.STRING, Role.FEATURE),
    "flat_type": (ColumnType.STRING, Role.FEATURE),
    "block": (ColumnType.STRING, Role.TEXT),
    "street_name": (ColumnType.STRING, Role.TEXT),
    "storey_range": (ColumnType.STRING, Role.FEATURE),
    "floor_area_sqm": (ColumnType.FRACTIONAL, Role.FEATURE),
    "flat_model": (ColumnType.STRING, Role.FEATURE),
    "lease_commence_date": (ColumnType.INTEGRAL, Role.FEATURE),
    "remaining_lease": (ColumnType.STRING, Role.TEXT),
    "resale_price": (ColumnType.FRACTIONAL, Role.LABEL),
}
SCHEMA = Schema(1, tuple(Column(name, *kind) for name, kind in NAMES.items()))


@cache
def sales() -> pl.DataFrame:
    return pl.read_csv(shared("data/hdb-resale-2017-2022.csv.gz"), infer_schema=False)


@cache
def months(first: str, last: str) -> DataQualityStatistics:
    return data_quality.profile(
        sales().filter(pl.col("month").is_between(pl.lit(first), pl.lit(last))), SCHEMA
    )


@pytest.mark.parametrize("baseline_from", ["2017-01", "2019-09"])
def test_january_2020_has_one_violation_the_first_2_room(baseline_from: str) -> None:
    baseline = months(baseline_from, "2019-11")
    constraints = data_quality.suggest(baseline, SCHEMA, known=months("2017-01", "2019-11"))
    found = data_quality.check(months("2020-01", "2020-01"), baseline, constraints, SCHEMA)
    assert [(violation.subject, violation.check) for violation in found] == [
        ("flat_model", "categorical_values_check")
    ]
    assert '"2-room" (1)' in found[0].description


@pytest.mark.parametrize("month", ["2020-04", "2020-05"])
def test_small_months_do_not_misfire(month: str) -> None:
    baseline = months("2019-09", "2019-11")
    constraints = data_quality.suggest(baseline, SCHEMA, known=months("2017-01", "2019-11"))
    assert data_quality.check(months(month, month), baseline, constraints, SCHEMA) == ()

"""The data-quality monitor on the real HDB file: what it says is what `data/README.md` explains."""

from functools import cache

import polars as pl
import pytest

from tests.resale_violations import BY_MONTHS_SERVED, LATE_CATEGORIES, line
from tests.shared import shared
from watchkeeper.core.values import Column, ColumnType, Role, Schema
from watchkeeper.core.windows import months_between, shift_month
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


def violations(months_served: int) -> list[str]:
    """What the monitor says of each month of 2020 to 2022, on inputs and without a model.

    A version serves for so many months from a month's first day. As in a rehearsal its labels end two months
    before, it knows the categories of thirty-six months up to there (the first: of all there are), and its
    baseline is of the last three of them. Unlike in a rehearsal, versions change by the calendar
    and not by an alert, and the predictions' column is not there to be judged.
    """
    found = []
    for begins in months_between("2020-01", "2022-12")[::months_served]:
        known = shift_month(begins, -2)
        baseline = months(shift_month(known, -2), known)
        learned = months(max("2017-01", shift_month(known, -35)), known)
        constraints = data_quality.suggest(baseline, SCHEMA, known=learned)
        for month in months_between(begins, shift_month(begins, months_served - 1)):
            found += [
                line(month, violation.subject, violation.check, violation.description)
                for violation in data_quality.check(months(month, month), baseline, constraints, SCHEMA)
            ]
    return found


@pytest.mark.parametrize("months_served", BY_MONTHS_SERVED)
def test_each_violation_of_three_years_is_one_the_data_page_explains(months_served: int) -> None:
    assert violations(months_served) == list(BY_MONTHS_SERVED[months_served])


def test_the_first_baseline_left_alone_finds_late_categories_and_at_most_younger_leases() -> None:
    """How far the leases must move to be a drift is the method's affair; that nothing else moves is not."""
    found = violations(36)
    drifted = [said for said in found if "baseline_drift_check" in said]
    assert [said for said in found if said not in drifted] == list(LATE_CATEGORIES)
    assert {said.split(" ")[1] for said in drifted} <= {"lease_commence_date"}


def test_what_explains_them_is_in_the_file() -> None:
    """The data page's own figures, counted again."""
    first = sales().group_by("flat_model").agg(pl.col("month").min()).rows_by_key("flat_model")
    late = {model: str(month) for model, [(month,)] in first.items() if month > "2019-11"}
    assert late == {"2-room": "2020-01", "3Gen": "2022-06"}
    lease, year = pl.col("lease_commence_date").cast(pl.Int64), pl.col("month").str.slice(0, 4)
    before = sales().filter(pl.col("month") < "2020-01").select(lease.max()).item()
    above = sales().filter(lease > before).group_by(year).len().sort("month")
    assert (before, above.rows()) == (2016, [("2020", 118), ("2021", 2339), ("2022", 3746)])

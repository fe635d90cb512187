"""Correct mode: what it sees that the contract cannot, and where it has to stay calm."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import permutations

import numpy as np
import polars as pl
import pytest

from tests.shared import shared
from watchkeeper.core.statistics.distances import Distance, PValue
from watchkeeper.core.statistics.drift import METHODS
from watchkeeper.core.values import Column, ColumnType, Role, Schema, Undefined, Violation
from watchkeeper.core.windows import Window
from watchkeeper.monitors import data_quality
from watchkeeper.monitors.data_quality_table_checks import usual_rows
from watchkeeper.monitors.data_quality_values import (
    Circumstances,
    DataQualityConstraints,
    DataQualityStatistics,
    DatasetConstraints,
    DriftRule,
    Range,
    TimeStatistics,
)

Cells = Sequence[str | None]
KNOWN_BY_NOTHING = Circumstances()


def profiled(cells: Cells) -> tuple[DataQualityStatistics, Schema]:
    frame = pl.DataFrame({"a": pl.Series(list(cells), dtype=pl.String)})
    schema = data_quality.inferred_schema(frame)
    return data_quality.profile(frame, schema), schema


def judged(
    before: Cells, now: Cells, rule: DriftRule | None = None, given: Circumstances = KNOWN_BY_NOTHING
) -> tuple[Violation, ...]:
    baseline, schema = profiled(before)
    constraints = data_quality.suggest(baseline, schema)
    if rule is not None:
        constraints = replace(constraints, features=(replace(constraints.features[0], drift=rule),))
    return data_quality.check(profiled(now)[0], baseline, constraints, schema, given)


def checks(found: tuple[Violation, ...]) -> list[str]:
    return [each.check for each in found]


def texts(values: np.ndarray) -> list[str]:
    return [repr(float(value)) for value in values]


def normal(seed: int, rows: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(100.0, 10.0, rows)


@pytest.mark.parametrize("names", [("0", "1"), ("no", "yes")])
def test_a_binary_column_that_goes_from_even_to_one_sided_is_drift(names: tuple[str, str]) -> None:
    even, one_sided = [*names] * 500, [names[0]] * 950 + [names[1]] * 50
    assert checks(judged(even, one_sided)) == ["baseline_drift_check"]
    assert judged(even, even) == ()


@pytest.mark.parametrize("rows", [500, 5_000])
def test_a_standard_deviation_grown_by_half_is_drift(rows: int) -> None:
    before, now = normal(1, rows), normal(2, rows)
    assert checks(judged(texts(before), texts(100 + 1.5 * (now - 100)))) == ["baseline_drift_check"]
    assert checks(judged(texts(before), texts(now))) == []


def test_a_category_that_vanishes_is_named_with_its_share() -> None:
    before, now = ["x"] * 900 + ["y"] * 100, ["x"] * 400
    (found,) = [each for each in judged(before, now) if each.check == "vanished_values_check"]
    assert found.description == (
        "Vanished values requirement is not met. Expected: Every value with at least 1.0% of the baseline. "
        'Observed: None of 400 values is "y" (10.0%).'
    )
    assert (found.value, found.threshold) == (0.1, 0.01)


def test_a_category_that_may_be_away_by_chance_has_not_vanished() -> None:
    assert judged(["x"] * 980 + ["y"] * 20, ["x"] * 200) == ()  # 20 rows of 1,200 may all be the baseline's
    assert judged(["x"] * 995 + ["y"] * 5, ["x"] * 5_000) == ()  # half a percent of the baseline


def test_a_vanished_category_is_not_claimed_of_counts_that_are_not_exact() -> None:
    baseline, schema = profiled(["x"] * 900 + ["y"] * 100)
    constraints = data_quality.suggest(baseline, schema)
    now, _ = profiled(["x"] * 400)
    (feature,) = now.features
    assert feature.string is not None
    short = replace(now, features=(replace(feature, string=replace(feature.string, error=3)),))
    found = data_quality.check(short, baseline, constraints, schema)
    assert "vanished_values_check" not in checks(found)


def test_a_negative_value_is_a_violation_where_the_baseline_has_none() -> None:
    usual = [str(row % 50) for row in range(500)]
    (found,) = judged(usual, ["-3", *usual[1:]])
    assert (found.check, found.value, found.threshold) == ("non_negative_check", -3.0, 0.0)
    assert found.description.startswith("Non-negative requirement is not met. Expected: No value below 0.0.")
    assert found.description.endswith("the least is -3.0.")
    below = [str(row % 50 - 25) for row in range(500)]
    assert judged(below, below) == ()


def test_a_new_extreme_beyond_the_tolerance_is_a_violation() -> None:
    usual = [str(row % 50) for row in range(500)]
    assert judged(usual, ["73", *usual[1:]]) == ()
    (found,) = judged(usual, ["74", *usual[1:]])
    assert (found.check, found.value, found.threshold) == ("range_check", 74.0, 73.5)
    assert found.description == (
        "Numeric range requirement is not met. Expected: -24.5 to 73.5. Observed: 0.0 to 74.0."
    )


def test_a_column_with_far_extremes_or_a_single_value_has_no_range() -> None:
    far = texts(np.exp(2 * np.random.default_rng(1).normal(size=3_000)))
    for cells in (far, ["7"] * 100):
        statistics, schema = profiled(cells)
        assert data_quality.suggest(statistics, schema).features[0].range is None


@pytest.mark.parametrize("method", [name for name, each in METHODS.items() if each.numerical])
def test_a_project_may_choose_the_method_of_a_column(method: str) -> None:
    rule = DriftRule(method, METHODS[method].threshold)
    before, now = texts(normal(1, 2_000)), texts(normal(2, 2_000) + 8)
    (found,) = judged(before, now, rule)
    word = "p-value" if METHODS[method].score is PValue else "distance"
    assert f"Baseline drift {word}: " in found.description
    assert (found.value, found.threshold) != (None, None)
    assert judged(before, texts(normal(3, 2_000)), rule) == ()


def test_a_drift_says_direction_sizes_and_the_smallest_change_it_could_have_seen() -> None:
    baseline, schema = profiled(texts(normal(1, 2_000)))
    constraints = data_quality.suggest(baseline, schema)
    (drift,) = data_quality.drift(profiled(texts(normal(2, 400)))[0], baseline, constraints, schema)
    assert drift.comparison is not None
    assert isinstance(drift.distance, Distance)
    assert (drift.method, drift.threshold, drift.comparison.n, drift.comparison.m) == (
        "Wasserstein",
        0.3,
        2_000,
        400,
    )
    assert drift.comparison.smallest == 0.3
    (few,) = data_quality.drift(profiled(texts(normal(2, 40)))[0], baseline, constraints, schema)
    assert few.comparison is not None
    assert isinstance(few.comparison.smallest, float)
    assert few.comparison.smallest > 0.6
    (fewer,) = data_quality.drift(profiled(texts(normal(2, 20)))[0], baseline, constraints, schema)
    assert fewer.distance == Undefined("too few rows: want at least 30 on both sides, got 2000 and 20")


def table(rows: int, dataset: DatasetConstraints, given: Circumstances) -> tuple[Violation, ...]:
    statistics = DataQualityStatistics(rows, ())
    constraints = DataQualityConstraints((), dataset=dataset)
    return data_quality.check(statistics, statistics, constraints, Schema(1, ()), given)


def test_repeated_rows_beyond_the_share_are_a_violation() -> None:
    asked = DatasetConstraints(duplicate_share=0.05)
    assert table(1000, asked, Circumstances(duplicates=50)) == ()
    assert table(1000, asked, Circumstances()) == ()
    (found,) = table(1000, asked, Circumstances(duplicates=51))
    assert found.description == (
        "Duplicate rows requirement is not met. Expected: At most 5.0%. "
        "Observed: 5.1% of rows repeat an earlier one."
    )
    assert (found.subject, found.check, found.value) == ("_rows", "duplicate_rows_check", 0.051)


def test_a_baseline_that_repeats_itself_may_do_so_twice_as_much() -> None:
    statistics, schema = profiled(["x", "y"] * 100)
    for duplicates, share in ((None, None), (0, 0.05), (20, 0.2), (180, 1.0)):
        given = Circumstances(duplicates=duplicates)
        assert data_quality.suggest(statistics, schema, given=given).dataset.duplicate_share == share


def test_a_volume_unlike_all_windows_before_is_a_violation() -> None:
    nothing = DatasetConstraints()
    usual = Circumstances(earlier_rows=(1_800, 2_200, 2_000))
    for rows, seen in ((400, False), (180, False), (179, True), (22_001, True)):
        assert (checks(table(rows, nothing, usual)) == ["volume_check"]) is seen
    assert usual_rows((5, 6)) is None
    asked = DatasetConstraints(rows=Range(1_000, 3_000))
    (found,) = table(999, asked, usual)
    assert (
        found.description == "Volume requirement is not met. Expected: 1000.0 to 3000.0 rows. Observed: 999."
    )


WINDOW = Window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC))


@pytest.mark.parametrize(("hours", "seen"), [(1, False), (47, False), (49, True), (-1, True)])
def test_a_newest_time_that_is_old_or_ahead_is_a_violation(hours: int, *, seen: bool) -> None:
    (feature,) = profiled(["x"])[0].features
    newest = WINDOW.end - timedelta(hours=hours)
    timed = replace(feature, time=TimeStatistics(newest, newest))
    statistics = DataQualityStatistics(1, (timed,))
    schema = Schema(1, (Column("a", ColumnType.STRING, Role.TIME),))
    asked = DataQualityConstraints((data_quality.suggest(*profiled(["x"])).features[0],))
    found = data_quality.check(statistics, statistics, asked, schema, Circumstances(window=WINDOW))
    assert checks(found) == (["freshness_check"] if seen else [])
    assert data_quality.check(statistics, statistics, asked, schema) == ()
    longer = replace(asked, dataset=DatasetConstraints(max_age_seconds=49 * 3600))
    found = data_quality.check(statistics, statistics, longer, schema, Circumstances(window=WINDOW))
    assert checks(found) == (["freshness_check"] if hours < 0 else [])


def test_hours_without_a_row_are_named() -> None:
    hours = tuple(WINDOW.hours())
    given = Circumstances(window=WINDOW, empty_hours=hours[3:5])
    (found,) = table(9, DatasetConstraints(missing_hours_share=0.0), given)
    assert found.description == (
        "Missing hours requirement is not met. Expected: At most 0.0%. Observed: 2 of 24 hours have no row: "
        "2020-01-01T03:00:00Z, 2020-01-01T04:00:00Z."
    )
    assert table(9, DatasetConstraints(missing_hours_share=0.1), given) == ()
    assert table(9, DatasetConstraints(), given) == ()
    assert table(9, DatasetConstraints(missing_hours_share=0.0), Circumstances(window=WINDOW)) == ()


@pytest.mark.parametrize(("empty", "share"), [(0, 0.05), (6, 0.3), (12, None), (23, None)])
def test_hours_are_asked_for_where_the_baseline_has_rows_in_most(empty: int, share: float | None) -> None:
    given = Circumstances(window=WINDOW, empty_hours=tuple(WINDOW.hours())[:empty])
    assert data_quality.suggest(*profiled(["x"]), given=given).dataset.missing_hours_share == share


FEATURES = {
    "town": ColumnType.STRING,
    "flat_type": ColumnType.STRING,
    "storey_range": ColumnType.STRING,
    "floor_area_sqm": ColumnType.FRACTIONAL,
    "flat_model": ColumnType.STRING,
    "lease_commence_date": ColumnType.INTEGRAL,
}
HDB = Schema(
    1,
    (
        Column("month", ColumnType.STRING, Role.TIME),
        *(Column(name, type_, Role.FEATURE) for name, type_ in FEATURES.items()),
    ),
)
HALF_YEARS = [
    (f"{year}-{a}", f"{year}-{b}") for year in (2017, 2018, 2019) for a, b in (("01", "06"), ("07", "12"))
]


@cache
def half_year(first: str, last: str) -> DataQualityStatistics:
    sales = pl.read_csv(shared("data/hdb-resale-2017-2022.csv.gz"), infer_schema=False)
    inside = sales.filter(pl.col("month").is_between(pl.lit(first), pl.lit(last)))
    return data_quality.profile(inside.select(column.name for column in HDB.columns), HDB)


def test_no_half_year_of_2017_to_2019_has_drifted_from_another_and_none_is_alarming_otherwise() -> None:
    """Thirty ordered pairs, default settings. What is left are values that a half-year had not seen."""
    found: list[Violation] = []
    for before, now in permutations(HALF_YEARS, 2):
        baseline = half_year(*before)
        constraints = data_quality.suggest(baseline, HDB)
        drifts = data_quality.drift(half_year(*now), baseline, constraints, HDB)
        assert len(drifts) == len(FEATURES)
        assert not any(isinstance(drift.distance, Undefined) for drift in drifts)
        found += data_quality.check(half_year(*now), baseline, constraints, HDB)
    assert {each.check for each in found} <= {"categorical_values_check"}
    assert {each.subject for each in found} <= {"flat_type", "flat_model", "storey_range"}


def test_why_the_default_of_numbers_is_not_the_contracts() -> None:
    """By `Robust` at 0.1 the youngest half-year's leases would have drifted from the oldest's."""
    oldest, youngest = half_year(*HALF_YEARS[0]), half_year(*HALF_YEARS[-1])
    constraints = data_quality.suggest(oldest, HDB)
    contract = replace(
        constraints, features=tuple(replace(asked, drift=None) for asked in constraints.features)
    )
    for asked, expected in ((constraints, []), (contract, ["lease_commence_date"])):
        drifts = data_quality.drift(youngest, oldest, asked, HDB)
        assert [drift.column for drift in drifts if drift.exceeded] == expected

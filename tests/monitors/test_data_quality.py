from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.statistics.distances import Distance, Mode
from watchkeeper.core.values import Column, ColumnType, Role, Schema, Undefined, Violation
from watchkeeper.monitors import data_quality
from watchkeeper.monitors.data_quality_values import (
    DataQualityConstraints,
    DatasetConstraints,
    DistributionConstraints,
    DriftRule,
    FeatureConstraints,
    MonitoringConfig,
    Range,
)

SCHEMA = Schema(
    1,
    (
        Column("price", ColumnType.FRACTIONAL, Role.PREDICTION),
        Column("month", ColumnType.STRING, Role.TIME),
        Column("town", ColumnType.STRING, Role.FEATURE),
        Column("block", ColumnType.STRING, Role.TEXT),
        Column("year", ColumnType.INTEGRAL, Role.FEATURE),
        Column("request", ColumnType.STRING, Role.ID),
        Column("note", ColumnType.STRING, Role.IGNORED),
        Column("paid", ColumnType.FRACTIONAL, Role.LABEL),
    ),
)
ROWS = 400


def rows(**columns: Sequence[str | None]) -> pl.DataFrame:
    """`ROWS` rows like the baseline's but for the columns given."""
    usual: dict[str, Sequence[str | None]] = {
        "price": [f"{row % 50}.5" for row in range(ROWS)],
        "month": ["2019-11"] * ROWS,
        "town": ["BEDOK", "YISHUN"] * (ROWS // 2),
        "block": [f"{row % 40}A" for row in range(ROWS)],
        "year": [str(1970 + row % 40) for row in range(ROWS)],
        "request": [f"r{row}" for row in range(ROWS)],
        "note": ["x"] * ROWS,
        "paid": ["1.0"] * ROWS,
    }
    return pl.DataFrame({**usual, **columns}, schema_overrides=dict.fromkeys({**usual, **columns}, pl.String))


BASELINE = data_quality.profile(rows(), SCHEMA)
CONSTRAINTS = data_quality.suggest(BASELINE, SCHEMA)


def checked(frame: pl.DataFrame, constraints: DataQualityConstraints = CONSTRAINTS) -> tuple[Violation, ...]:
    return data_quality.check(data_quality.profile(frame, SCHEMA), BASELINE, constraints, SCHEMA)


def only(frame: pl.DataFrame) -> tuple[str, str, str]:
    (found,) = checked(frame)
    return found.subject, found.check, found.description


def with_config(config: MonitoringConfig) -> DataQualityConstraints:
    return replace(CONSTRAINTS, monitoring_config=config)


def test_the_baselines_own_rows_meet_its_constraints() -> None:
    assert checked(rows()) == ()
    assert [feature.name for feature in BASELINE.features] == ["price", "month", "town", "block", "year"]


def test_suggested_constraints() -> None:
    assert CONSTRAINTS.features == (
        FeatureConstraints(
            "price",
            ColumnType.FRACTIONAL,
            1.0,
            is_non_negative=True,
            range=Range(-24.0, 74.0),
            drift=DriftRule("Wasserstein", 0.3),
        ),
        FeatureConstraints("month", ColumnType.STRING, 1.0),
        FeatureConstraints("town", ColumnType.STRING, 1.0, domains=("BEDOK", "YISHUN")),
        FeatureConstraints("block", ColumnType.STRING, 1.0),
        FeatureConstraints(
            "year",
            ColumnType.INTEGRAL,
            1.0,
            is_non_negative=True,
            range=Range(1950.5, 2028.5),
            drift=DriftRule("Wasserstein", 0.3),
        ),
    )
    assert CONSTRAINTS.dataset == DatasetConstraints(vanished_share=0.01)
    assert CONSTRAINTS.monitoring_config == MonitoringConfig(text_unseen_threshold=0.2)


def test_one_bad_number_is_a_type_violation_and_does_not_hide_the_others() -> None:
    years = ["19x", *(str(1970 + row % 40) for row in range(1, ROWS))]
    assert only(rows(year=years)) == (
        "year",
        "data_type_check",
        "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. "
        "Observed: Only 99.75% of data is Integral.",
    )
    statistics = data_quality.profile(rows(year=years), SCHEMA)
    drift = {
        found.column: found.distance
        for found in data_quality.drift(statistics, BASELINE, CONSTRAINTS, SCHEMA)
    }
    assert isinstance(drift["year"], Distance)


def test_missing_cells_are_a_completeness_violation_and_no_type_violation() -> None:
    assert only(rows(year=[None, "", *(str(1970 + row % 40) for row in range(2, ROWS))])) == (
        "year",
        "completeness_check",
        "Data completeness requirement is not met. Expected: 100.0%. Observed: Only 99.5%.",
    )


def test_a_new_category_is_a_categorical_violation() -> None:
    assert only(rows(town=["TENGAH", *["BEDOK", "YISHUN"] * 199, "BEDOK"])) == (
        "town",
        "categorical_values_check",
        "Categorical values requirement is not met. Expected match: 100.0%. Observed: Only 99.75% of data "
        'has a value of the domain. Unknown: "TENGAH" (1).',
    )


@pytest.mark.parametrize(
    ("column", "cells"),
    [("town", ["BEDOK"] * ROWS), ("year", ["1990"] * ROWS), ("price", ["49.5"] * ROWS)],
)
def test_a_moved_feature_or_prediction_is_a_drift_violation(column: str, cells: list[str]) -> None:
    found = [each for each in checked(rows(**{column: cells})) if each.check == "baseline_drift_check"]
    assert [each.subject for each in found] == [column]
    head, threshold = found[0].description.split(" exceeds threshold: ")
    assert float(head.removeprefix("Baseline drift distance: ")) == found[0].value
    assert (found[0].value or 0) > float(threshold) == (0.1 if column == "town" else 0.3)


def test_compatible_mode_is_blind_to_a_column_of_one_value() -> None:
    compatible = with_config(MonitoringConfig(distribution=DistributionConstraints(mode=Mode.COMPATIBLE)))
    assert checked(rows(year=["1990"] * ROWS), compatible) == ()


def test_a_text_column_may_hold_unseen_values_up_to_its_threshold() -> None:
    assert checked(rows(block=["new"] * 80 + ["0A"] * 320)) == ()
    subject, check, text = only(rows(block=["new"] * 79 + ["newer"] * 2 + ["0A"] * 319))
    assert (subject, check) == ("block", "categorical_values_check")
    assert text == (
        "Unseen values requirement is not met. Expected: At most 20.0%. Observed: 20.25% of data has a "
        'value the baseline has not. Unseen: "new" (79), "newer" (2).'
    )


def test_a_text_column_of_bare_numbers_is_still_text() -> None:
    assert checked(rows(block=["7"] * 40 + ["0A"] * 360)) == ()


def test_a_time_column_is_only_asked_to_be_there() -> None:
    assert checked(rows(month=["2031-01", *[None] * (ROWS - 1)])) == ()
    assert [(v.subject, v.check) for v in checked(rows().drop("month"))] == [
        ("month", "missing_column_check")
    ]


def test_id_ignored_and_label_columns_are_not_looked_at() -> None:
    assert checked(rows(request=[None] * ROWS, note=["y"] * ROWS, paid=["z"] * ROWS)) == ()
    assert checked(rows().drop("request", "note", "paid")) == ()


def test_missing_and_extra_columns_are_named() -> None:
    found = checked(rows(floor=["3"] * ROWS).drop("town"))
    assert [(v.subject, v.check) for v in found] == [
        ("town", "missing_column_check"),
        ("floor", "extra_column_check"),
    ]


def test_switches_of_the_file_are_kept() -> None:
    bad = rows(year=["x"] * ROWS, town=["BEDOK"] * ROWS)
    assert checked(bad, with_config(MonitoringConfig(evaluate_constraints=False))) == ()
    off = DistributionConstraints(perform_comparison=False)
    assert [v.check for v in checked(bad, with_config(MonitoringConfig(distribution=off)))] == [
        "vanished_values_check",
        "data_type_check",
    ]
    lenient = with_config(MonitoringConfig(datatype_check_threshold=0.0, distribution=off))
    assert checked(bad, replace(lenient, dataset=DatasetConstraints())) == ()
    one_off = replace(
        CONSTRAINTS,
        features=tuple(replace(f, evaluate=f.name not in ("year", "town")) for f in CONSTRAINTS.features),
    )
    assert checked(bad, one_off) == ()


def test_thresholds_of_the_file_are_kept() -> None:
    bad = rows(town=["TENGAH", *["BEDOK", "YISHUN"] * 199, "BEDOK"])
    assert checked(bad, with_config(MonitoringConfig(domain_content_threshold=0.99))) == ()
    moved = rows(town=["BEDOK"] * 240 + ["YISHUN"] * 160)
    strict = MonitoringConfig(distribution=DistributionConstraints(categorical_comparison_threshold=-0.1))
    assert [v.subject for v in checked(moved, with_config(strict))] == ["town"]


def test_what_cannot_be_measured_is_undefined_and_no_violation_of_drift() -> None:
    statistics = data_quality.profile(rows(year=[None] * ROWS), SCHEMA)
    drift = {found.column: found for found in data_quality.drift(statistics, BASELINE, CONSTRAINTS, SCHEMA)}
    assert drift["year"].distance == Undefined("the data has no numbers in this column")
    assert not drift["year"].exceeded
    few = data_quality.profile(rows().head(29), SCHEMA)
    short = {found.column: found for found in data_quality.drift(few, BASELINE, CONSTRAINTS, SCHEMA)}
    assert [isinstance(found.distance, Undefined) for found in short.values()] == [True] * 3


def test_domains_may_come_from_a_longer_run_of_rows() -> None:
    longer = data_quality.profile(rows(town=["TENGAH"] * ROWS, block=["1Z"] * ROWS), SCHEMA)
    constraints = data_quality.suggest(BASELINE, SCHEMA, known=longer)
    town, block = constraints.feature("town"), constraints.feature("block")
    assert town is not None
    assert town.domains == ("BEDOK", "TENGAH", "YISHUN")
    assert block is not None
    assert block.domains is not None
    assert "1Z" in block.domains
    window = data_quality.profile(rows(block=["1Z"] * ROWS, town=["TENGAH"] * ROWS), SCHEMA)
    unseen = data_quality.unseen(window, BASELINE, constraints, SCHEMA)
    assert [(found.column, found.share) for found in unseen] == [("town", 0.0), ("block", 0.0)]


def test_values_that_hardly_repeat_make_no_domain() -> None:
    constraints = data_quality.suggest(
        data_quality.profile(rows(town=[f"t{r}" for r in range(ROWS)]), SCHEMA), SCHEMA
    )
    hundred = rows(town=[f"t{r}" for r in range(ROWS)]).head(100)
    few = data_quality.suggest(data_quality.profile(hundred, SCHEMA), SCHEMA)
    assert [found.feature("town") for found in (constraints, few)] == [
        FeatureConstraints("town", ColumnType.STRING, 1.0)
    ] * 2


def test_a_declared_fraction_stays_one_when_the_rows_show_none() -> None:
    constraints = data_quality.suggest(data_quality.profile(rows(price=["1"] * ROWS), SCHEMA), SCHEMA)
    price = constraints.feature("price")
    assert price is not None
    assert price.inferred_type is ColumnType.FRACTIONAL


def test_no_rows_suggest_nothing_and_violate_nothing() -> None:
    empty = data_quality.profile(rows().head(0), SCHEMA)
    assert data_quality.check(empty, BASELINE, CONSTRAINTS, SCHEMA) == ()
    with pytest.raises(ValueError, match="at least one row"):
        data_quality.suggest(empty, SCHEMA)


cells = st.lists(st.sampled_from(["1", "2.5", "x", "true", "", None, "-3", "1e3"]), min_size=1, max_size=30)


@given(cells, st.sampled_from(list(ColumnType)), st.sampled_from([Role.FEATURE, Role.TEXT, Role.TIME]))
def test_any_rows_meet_the_constraints_suggested_from_them(
    values: list[str | None], declared: ColumnType, role: Role
) -> None:
    schema = Schema(1, (Column("a", declared, role),))
    statistics = data_quality.profile(pl.DataFrame({"a": pl.Series(values, dtype=pl.String)}), schema)
    constraints = data_quality.suggest(statistics, schema)
    assert data_quality.check(statistics, statistics, constraints, schema) == ()

"""Compatible mode: what the closed analyzer prints, and what it cannot see (contract 5.2 to 5.5)."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from watchkeeper.core.statistics.distances import Distance, Mode, PValue
from watchkeeper.core.values import Role, Schema, Undefined, Violation
from watchkeeper.monitors import data_quality
from watchkeeper.monitors.data_quality_values import (
    Circumstances,
    DataQualityConstraints,
    DataQualityStatistics,
    DistributionConstraints,
    MonitoringConfig,
)

LIKE_AWS = Circumstances(Mode.COMPATIBLE)
Cells = Sequence[str | None]


def times(values: Sequence[float | int], rows: int) -> list[str | None]:
    return [str(values[row % len(values)]) for row in range(rows)]


def profiled(**columns: Cells) -> tuple[DataQualityStatistics, Schema]:
    frame = pl.DataFrame(columns, schema_overrides=dict.fromkeys(columns, pl.String))
    schema = data_quality.inferred_schema(frame)
    return data_quality.profile(frame, schema, Mode.COMPATIBLE), schema


def judged(
    baseline: dict[str, Cells], current: dict[str, Cells], given: Circumstances = LIKE_AWS
) -> tuple[Violation, ...]:
    before, schema = profiled(**baseline)
    constraints = data_quality.suggest(before, schema, given=given)
    return data_quality.check(profiled(**current)[0], before, constraints, schema, given)


def said(violations: tuple[Violation, ...]) -> set[tuple[str, str, str]]:
    return {(each.subject, each.check, each.description) for each in violations}


# Golden G5's facts, in columns of our own: 300 baseline rows with 10 distinct predictions, 320 of today
# with 63 of which 58 lie below them all; two Integral columns of which 10 rows have fractions and go below
# 0; one with 10 empty cells; a gender that was all 1; an income range of 5 values that becomes 25.
G5_BASELINE: dict[str, Cells] = {
    "target": [repr(round(0.59 + row % 10 / 1000, 3)) for row in range(300)],
    "gender": ["1"] * 300,
    "age_range": times([3, 4], 300),
    "household_income_range": times([20, 21, 22, 23, 24], 300),
    "month_first": ["0"] * 300,
    "email_opened": ["0"] * 300,
}
G5_CURRENT: dict[str, Cells] = {
    "target": [
        *[repr(round(0.46 + row % 58 / 1000, 3)) for row in range(290)],
        *[repr(round(0.7 + row % 5 / 10, 1)) for row in range(30)],
    ],
    "gender": times([0, 1], 320),
    "age_range": [None] * 10 + times([1, 2, 3, 4, 5, 6], 310),
    "household_income_range": times(range(25), 320),
    "month_first": ["-0.25"] * 10 + ["0"] * 310,
    "email_opened": ["-42.0"] * 10 + ["0"] * 310,
}


def test_the_four_violations_of_g5_and_no_others() -> None:
    assert said(judged(G5_BASELINE, G5_CURRENT)) == {
        (
            "age_range",
            "completeness_check",
            "Data completeness requirement is not met. Expected: 100.0%. Observed: Only 96.875%.",
        ),
        (
            "month_first",
            "data_type_check",
            "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. "
            "Observed: Only 96.875% of data is Integral.",
        ),
        (
            "email_opened",
            "data_type_check",
            "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. "
            "Observed: Only 96.875% of data is Integral.",
        ),
        (
            "target",
            "baseline_drift_check",
            "Baseline drift distance: 0.30791265775509713 exceeds threshold: 0.1",
        ),
    }


def test_correct_mode_sees_besides_what_the_contract_says_is_missed() -> None:
    found = judged(G5_BASELINE, G5_CURRENT, Circumstances(Mode.CORRECT))
    drifted = {each.subject for each in found if each.check == "baseline_drift_check"}
    assert drifted == {"target", "gender", "age_range", "household_income_range"}
    assert {each.subject for each in found if each.check == "non_negative_check"} == {
        "month_first",
        "email_opened",
    }


def test_the_sixty_violations_of_g6() -> None:
    """1,977 rows, 7 with fractions in 59 Integral columns, and a prediction for an Integral label."""
    whole: dict[str, Cells] = {f"f{n}": times(range(9), 2333) for n in range(68)}
    fractions = ["0.5"] * 7 + times(range(9), 1970)
    now: dict[str, Cells] = {f"f{n}": fractions if n < 59 else times(range(9), 1977) for n in range(68)}
    found = judged(
        {"Churn": times([0, 1], 2333), **whole},
        {"Churn": [repr(0.01 + row / 2000) for row in range(1977)], **now},
    )
    assert len(found) == 60
    assert {each.check for each in found} == {"data_type_check"}
    shares = [each.description.partition("Only ")[2] for each in found]
    assert shares == ["0.0% of data is Integral.", *["99.64592817400101% of data is Integral."] * 59]


def test_blind_spot_a_column_of_few_values_never_drifts() -> None:
    flipped = judged({"a": times([0, 1], 5000)}, {"a": ["0"] * 4750 + ["1"] * 250})
    disjoint = judged({"a": times(range(8), 2000)}, {"a": times(range(90, 98), 2000)})
    assert flipped == disjoint == ()
    for case in (["0"] * 4750 + ["1"] * 250, times(range(90, 98), 2000)):
        found = judged({"a": times([0, 1], 5000)}, {"a": case}, Circumstances(Mode.CORRECT))
        assert "baseline_drift_check" in {each.check for each in found}


def test_blind_spot_a_negative_value_is_recorded_and_not_evaluated() -> None:
    baseline: dict[str, Cells] = {"a": times(range(50), 500)}
    current: dict[str, Cells] = {"a": ["-42", *times(range(50), 499)]}
    before, schema = profiled(**baseline)
    (asked,) = data_quality.suggest(before, schema, given=LIKE_AWS).features
    assert asked.is_non_negative
    assert judged(baseline, current) == ()
    assert "non_negative_check" in {v.check for v in judged(baseline, current, Circumstances(Mode.CORRECT))}


def test_blind_spot_a_value_that_vanishes_is_no_violation() -> None:
    baseline: dict[str, Cells] = {"a": ["x"] * 900 + ["y"] * 60}
    current: dict[str, Cells] = {"a": ["x"] * 960}
    assert judged(baseline, current) == ()
    found = judged(baseline, current, Circumstances(Mode.CORRECT))
    assert [each.check for each in found] == ["vanished_values_check"]


def test_blind_spot_few_rows_and_a_deviation_grown_by_half_pass() -> None:
    assert judged({"a": times(range(50), 500)}, {"a": ["49", "48"]}) == ()
    wide = [repr(round(row / 7, 3)) for row in range(700)]
    wider = [repr(round(50 + 1.5 * (row / 7 - 50), 3)) for row in range(700)]
    found = judged({"a": wide}, {"a": wider}, Circumstances(Mode.CORRECT))
    assert "baseline_drift_check" in {each.check for each in found}


def test_blind_spot_one_text_cell_hides_the_drift_of_a_numeric_column() -> None:
    found = judged({"a": times(range(50), 500)}, {"a": ["n/a", *times(range(90, 140), 499)]})
    assert [each.check for each in found] == ["data_type_check"]


def test_rows_as_a_whole_are_not_judged() -> None:
    given = replace(LIKE_AWS, earlier_rows=(9000, 9000, 9000), duplicates=499)
    assert judged({"a": times(range(50), 500)}, {"a": times(range(50), 500)}, given) == ()


def test_chi_squared_is_that_of_the_contract_and_small_is_drift() -> None:
    before, schema = profiled(a=["x"] * 60 + ["y"] * 60)
    now, _ = profiled(a=["x"] * 90 + ["y"] * 30)
    rules = DistributionConstraints(categorical_drift_method="ChiSquared")
    asked = data_quality.suggest(before, schema, given=LIKE_AWS)
    asked = DataQualityConstraints(asked.features, MonitoringConfig(distribution=rules))
    (drift,) = data_quality.drift(now, before, asked, schema, LIKE_AWS)
    assert isinstance(drift.distance, PValue)
    assert drift.exceeded
    (found,) = data_quality.check(now, before, asked, schema, LIKE_AWS)
    assert found.description == "Baseline drift p-value: 4.3204630539861455E-8 is below threshold: 0.1"
    (same,) = data_quality.drift(before, before, asked, schema, LIKE_AWS)
    assert same.distance == PValue(1.0)
    assert not same.exceeded


def test_the_mode_of_the_run_overrides_the_one_in_the_file() -> None:
    before, schema = profiled(a=times([0, 1], 500))
    now, _ = profiled(a=["0"] * 500)
    asked = data_quality.suggest(before, schema, given=LIKE_AWS)
    (blind,) = data_quality.drift(now, before, asked, schema, LIKE_AWS)
    assert blind.distance == Distance(0.0)
    assert isinstance(blind.comparison.smallest if blind.comparison else None, Undefined)
    (seen,) = data_quality.drift(now, before, asked, schema)
    assert (seen.method, seen.exceeded) == ("Robust", True)


def test_text_columns_keep_their_completeness_check_alone() -> None:
    before, schema = profiled(a=["x", "y"] * 100)
    text = Schema(1, tuple(replace(column, role=Role.TEXT) for column in schema.columns))
    asked = data_quality.suggest(before, text, given=LIKE_AWS)
    assert asked.features[0].domains is None
    now, _ = profiled(a=["z"] * 199 + [None])
    found = data_quality.check(now, before, asked, text, LIKE_AWS)
    assert [each.check for each in found] == ["completeness_check"]

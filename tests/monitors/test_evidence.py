"""The rows a violation is about, found by a predicate in any part."""

import polars as pl
import pytest

from watchkeeper.core.statistics import Duplicates
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.values import ColumnType, Violation
from watchkeeper.monitors import data_quality
from watchkeeper.monitors.data_quality_checks import CHECKS
from watchkeeper.monitors.data_quality_table_checks import TABLE_CHECKS
from watchkeeper.monitors.data_quality_values import (
    DataQualityConstraints,
    DataQualityStatistics,
    FeatureConstraints,
    Range,
)
from watchkeeper.monitors.evidence import MASK, NoRows, OffendingRows, offending_rows

EMPTY = DataQualityStatistics(0, ())
EVERY_CHECK = {
    *(name for roles in CHECKS.values() for found in roles.values() for name, _ in found),
    *TABLE_CHECKS,
    "missing_column_check",
    "extra_column_check",
    "sla_check",
}


def found(check: str, asked: FeatureConstraints, cells: pl.Series) -> list[object]:
    rows = offending_rows(Violation("a", check, ""), EMPTY, DataQualityConstraints((asked,)))
    assert isinstance(rows, OffendingRows)
    assert rows.shown == "a"
    part = pl.DataFrame({"a": cells, "_line": range(1, len(cells) + 1)})
    assert not part.select(there=rows.predicate)["there"].null_count()  # so that its opposite is the rest
    return part.filter(rows.predicate)["_line"].to_list()


TEXT = pl.Series(["1", "x", "", None, "2.5", "-3", "- 4", "1e400", "true"])


@pytest.mark.parametrize(
    ("check", "asked", "lines"),
    [
        ("data_type_check", FeatureConstraints("a", ColumnType.INTEGRAL), [2, 5, 8, 9]),
        ("data_type_check", FeatureConstraints("a", ColumnType.FRACTIONAL), [2, 9]),
        ("data_type_check", FeatureConstraints("a", ColumnType.STRING), [1, 5, 6, 7, 8]),
        ("completeness_check", FeatureConstraints("a", ColumnType.STRING), [3, 4]),
        ("sla_check", FeatureConstraints("a", ColumnType.STRING), [3, 4]),
        (
            "categorical_values_check",
            FeatureConstraints("a", ColumnType.STRING, domains=("1", "x")),
            [5, 6, 7, 8, 9],
        ),
        ("non_negative_check", FeatureConstraints("a", ColumnType.FRACTIONAL), [6, 7]),
        ("range_check", FeatureConstraints("a", ColumnType.FRACTIONAL, range=Range(-3, 2)), [5, 7, 8]),
    ],
)
def test_the_rows_of_a_text_column(check: str, asked: FeatureConstraints, lines: list[int]) -> None:
    assert found(check, asked, TEXT) == lines


@pytest.mark.parametrize("cells", [pl.Series([1, None, -5]), pl.Series([1.0, None, -5.0])])
def test_the_rows_of_a_column_of_numbers(cells: pl.Series) -> None:
    assert found("non_negative_check", FeatureConstraints("a", ColumnType.INTEGRAL), cells) == [3]
    assert found("completeness_check", FeatureConstraints("a", ColumnType.INTEGRAL), cells) == [2]
    assert found("range_check", FeatureConstraints("a", ColumnType.INTEGRAL, range=Range(-9, 0)), cells) == [
        1
    ]


def test_rows_that_repeat_an_earlier_one_of_the_part() -> None:
    part = pl.DataFrame({"a": ["x", "y", "x"], "b": [1, 1, 1], "_line": [1, 2, 3]})
    rows = offending_rows(Violation("_rows", "duplicate_rows_check", ""), EMPTY, DataQualityConstraints(()))
    assert isinstance(rows, OffendingRows)
    assert part.filter(rows.predicate)["_line"].to_list() == [3]
    assert (rows.shown, rows.value(None)) == (None, "the whole row")


def test_rows_whose_copies_are_in_other_parts() -> None:
    part = pl.DataFrame({"a": ["x", "y"], "b": [1, 1], "_line": [1, 2]})
    whole = pl.DataFrame({"a": ["x", "y", "x"], "b": [1, 1, 2]})
    for b, lines in (([1, 1, 2], []), ([1, 1, 1], [1])):
        repeats = Duplicates.of(whole.with_columns(b=pl.Series(b)).to_struct())
        violation = Violation("_rows", "duplicate_rows_check", "")
        rows = offending_rows(violation, EMPTY, DataQualityConstraints(()), repeats=repeats)
        assert isinstance(rows, OffendingRows)
        assert part.filter(rows.predicate)["_line"].to_list() == lines


def test_values_that_neither_domain_nor_baseline_has() -> None:
    frame = pl.DataFrame({"a": ["x", "y"] * 20})
    schema = data_quality.inferred_schema(frame)
    baseline = data_quality.profile(frame, schema)
    asked = DataQualityConstraints((FeatureConstraints("a", ColumnType.STRING),))
    rows = offending_rows(Violation("a", "categorical_values_check", ""), baseline, asked)
    assert isinstance(rows, OffendingRows)
    part = pl.DataFrame({"a": ["x", "z", None, ""]})
    assert part.filter(rows.predicate)["a"].to_list() == ["z"]


def test_values_of_sensitive_columns_are_masked() -> None:
    asked = DataQualityConstraints((FeatureConstraints("a", ColumnType.INTEGRAL),))
    violation = Violation("a", "data_type_check", "")
    for sensitive, shown in ((("a",), MASK), (("b",), "S1234567D")):
        rows = offending_rows(violation, EMPTY, asked, sensitive)
        assert isinstance(rows, OffendingRows)
        assert rows.value("S1234567D") == shown
        assert rows.value("") is rows.value(None) is None


@pytest.mark.parametrize("check", sorted(EVERY_CHECK))
def test_every_check_has_rows_or_says_why_it_has_none(check: str) -> None:
    asked = FeatureConstraints("a", ColumnType.INTEGRAL, domains=("1",), range=Range(0, 1))
    rows = offending_rows(Violation("a", check, ""), EMPTY, DataQualityConstraints((asked,)))
    if isinstance(rows, NoRows):
        assert rows.reason.startswith("it is about ")
    else:
        assert pl.DataFrame({"a": ["1"], "_line": [1]}).filter(rows.predicate).height == 0


def test_a_check_that_nothing_is_known_of_has_no_rows() -> None:
    rows = offending_rows(Violation("a", "baseline_shift", ""), EMPTY, DataQualityConstraints(()))
    assert rows == NoRows("nothing is asked of single rows by baseline_shift")
    assert Mode.COMPATIBLE in CHECKS

import polars as pl
import pytest

from watchkeeper.core.statistics import Moments, Types
from watchkeeper.core.values import ColumnType


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2", "+3", " 4", "- 5"], ColumnType.INTEGRAL),
        (["1", "2.0"], ColumnType.FRACTIONAL),
        (["1e5", "1.5E-3", "2E+7"], ColumnType.FRACTIONAL),
        (["1", None, ""], ColumnType.INTEGRAL),
        (["1", "2", "x"], ColumnType.STRING),
        (["true", "1"], ColumnType.STRING),
        (["true", "false"], ColumnType.STRING),
        ([None, ""], ColumnType.UNKNOWN),
        ([], ColumnType.UNKNOWN),
        *[
            ([text], ColumnType.STRING)
            for text in (".5", "5.", "NaN", "inf", "  5", "5 ", "1\n", "٣", "1_000", "0x1")
        ],
    ],
)
def test_a_column_is_of_the_contracts_type(cells: list[str | None], expected: ColumnType) -> None:
    assert Types.of(pl.Series(cells, dtype=pl.String)).value() is expected


def test_cells_are_counted_by_class_and_missing_ones_are_not() -> None:
    counted = Types.of(pl.Series(["1", "2.5", "true", "x", None, ""]))
    assert counted == Types(integral=1, fractional=1, boolean=1, string=1)
    assert counted.of_type(ColumnType.FRACTIONAL) == 2


def test_a_number_too_large_for_a_double_is_text_and_in_no_sum() -> None:
    cells = pl.Series(["1", "1e400", "9" * 400])
    assert Types.of(cells) == Types(integral=1, string=2)
    assert Moments.of(cells).n == 1

import numpy as np
import polars as pl
import pytest

from watchkeeper.core.statistics import Categories, Distinct, Kll, Moments, Presence, Types
from watchkeeper.core.statistics.cells import Cells

NO_NUMBERS = pl.Series([1.5, float("nan"), None, float("inf"), -0.0])


def test_nan_and_infinity_are_present_and_text_and_in_no_sum() -> None:
    assert Presence.of(NO_NUMBERS) == Presence(4, 1)
    assert Types.of(NO_NUMBERS) == Types(fractional=2, string=2)
    assert Moments.of(NO_NUMBERS) == Moments(2, 1.5, 0.75, 1.125, 0.0, 1.5)
    assert Kll.of(NO_NUMBERS).levels == ((1.5, 0.0),)
    assert Categories.of(NO_NUMBERS).counts == (("0.0", 1), ("1.5", 1), ("NaN", 1), ("inf", 1))


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt64, pl.Float32, pl.Float64])
def test_numbers_of_any_width_are_doubles_in_row_order(dtype: type[pl.DataType]) -> None:
    numbers = Cells.of(pl.Series([3, None, 1], dtype=dtype)).numbers
    assert numbers.dtype == np.float64
    assert numbers.flags.c_contiguous
    assert numbers.tolist() == [3.0, 1.0]


def test_a_negative_zero_is_a_zero_however_it_is_spelled() -> None:
    for zero in (pl.Series([-0.0]), pl.Series(["-0.0"]), pl.Series(["-0"]), pl.Series(["- 0"])):
        assert np.signbit(Cells.of(zero).numbers).tolist() == [False]


def test_what_is_neither_text_nor_number_is_read_as_its_text() -> None:
    days = pl.Series(["2022-03-01", None]).str.to_date()
    assert Categories.of(days).counts == (("2022-03-01", 1),)
    assert Presence.of(days) == Presence(1, 1)
    assert Types.of(pl.Series(["a", "a"], dtype=pl.Categorical)) == Types(string=2)


def test_a_column_of_texts_counts_its_values_as_texts_though_they_came_as_numbers() -> None:
    codes = pl.Series([18956, 18956, 100])
    assert Categories.of(codes).counts == (("100", 1), ("18956", 2))
    as_text = Distinct.of(Cells(codes, textual=True))
    assert as_text == Distinct.of(codes.cast(pl.String)) != Distinct.of(codes)


def test_a_column_of_numbers_tells_them_apart_whatever_they_were_spelled_like() -> None:
    spelled = Cells(pl.Series(["1", "1.0", "1e0", "+1", " 1", "x", "2"]))
    assert Distinct.of(spelled) == Distinct.of(pl.Series([1, 2]))


def test_types_are_the_same_from_rows_and_from_distinct_values() -> None:
    cells = pl.Series(["1", "1", "2.5", "- 5", "1e400", "9" * 400, "true", "x", "x", None, ""])
    expected = Types(integral=3, fractional=1, boolean=1, string=4)
    assert Types.of(Cells(cells)) == Types.of(Cells(cells, textual=True)) == expected

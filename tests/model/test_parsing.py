"""Each spelling that is read, and those that are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.windows import shift_month
from watchkeeper.model.parsing import PARSERS, band, month, number, years


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("61 years 04 months", 61 + 4 / 12),
        ("61 years 01 month", 61 + 1 / 12),
        ("61 years", 61),
        ("61", 61),
        ("1 year 11 months", 1 + 11 / 12),
    ],
)
def test_every_spelling_of_a_remaining_lease_is_read(text: str, expected: float) -> None:
    assert years(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("years", "61 years 12 months"),
        ("years", "04 months"),
        ("years", "61.5"),
        ("years", "about 61 years"),
        ("number", "nan"),
        ("number", "inf"),
        ("number", "1_000"),
        ("number", "1,000"),
        ("number", "0x10"),
        ("number", "1e999"),
        ("number", "44 sqm"),
        ("band", "06 TO 04"),
        ("band", "4-6"),
        ("month", "2020-13"),
        ("month", "2020-1"),
        ("month", "2020-01-05"),
    ],
)
def test_other_spellings_are_refused_with_the_text_in_the_message(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"want .*got") as caught:
        PARSERS[kind](text)
    assert text in str(caught.value)


def test_a_band_is_its_middle() -> None:
    assert [band("01 TO 03"), band("49 TO 51"), band("06 TO 10")] == [2, 50, 8]


@given(st.integers(1990, 2090), st.integers(1, 12), st.integers(-30, 30))
def test_months_count_up_by_one(year: int, of_year: int, by: int) -> None:
    start = f"{year:04d}-{of_year:02d}"
    assert month(shift_month(start, by)) - month(start) == by


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_written_number_is_read_back(value: float) -> None:
    assert number(repr(value)) == value

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.monitors.wording import double_text, percent_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.0"),
        (-0.0, "-0.0"),
        (231, "231.0"),
        (0.001, "0.001"),
        (0.00099, "9.9E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (14005576.499999993, "1.4005576499999993E7"),
        (-1.5e-10, "-1.5E-10"),
        (1e22, "1.0E22"),
        (5e-324, "5.0E-324"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
    ],
)
def test_doubles_are_spelled_as_the_jvm_does(value: float, text: str) -> None:
    assert double_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_reads_back_equal_and_has_a_decimal(value: float) -> None:
    text = double_text(value)
    assert float(text) == value
    assert re.fullmatch(r"-?\d+\.\d+(E-?[1-9]\d*)?", text)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="want a finite one, got nan"):
        double_text(float("nan"))


def test_shares_are_printed_as_the_contract_has_them() -> None:
    assert [percent_text(share) for share in (1.0, 310 / 320, 1970 / 1977)] == [
        "100.0%",
        "96.875%",
        "99.64592817400101%",
    ]

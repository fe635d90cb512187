import math

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.statistics import Moments
from watchkeeper.core.statistics.moments import Summary, left_to_right
from watchkeeper.core.values import Undefined


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60))
def test_digits_are_those_of_the_contracts_loop(values: list[float]) -> None:
    total = average = squares = 0.0
    for count, value in enumerate(values, start=1):
        total += value
        apart = value - average
        average += apart / count
        squares += apart * (apart - apart / count)
    expected = Summary(total / len(values), total, math.sqrt(squares / len(values)), min(values), max(values))
    assert Moments.of(pl.Series(values)).value() == expected


def test_the_sum_goes_from_left_to_right_and_not_in_pairs() -> None:
    values = np.full(1000, 0.1)
    assert left_to_right(values) == sum([0.1] * 1000) != float(values.sum())


def test_without_numbers_or_beyond_doubles_it_is_undefined() -> None:
    assert Moments.of(pl.Series(["x", ""])).value() == Undefined("no numbers")
    assert isinstance(Moments.of(pl.Series(["1e308", "1e308", "-1e308"])).value(), Undefined)


def test_parts_of_very_different_means_keep_their_deviation() -> None:
    values = [1e6 + row for row in range(500)] + [row / 7 for row in range(500)]
    merged = Moments.of(pl.Series(values[:300])).merge(Moments.of(pl.Series(values[300:]))).value()
    assert isinstance(merged, Summary)
    assert math.isclose(merged.std_dev, float(np.std(values)), rel_tol=1e-12)

import math

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.statistics import Moments
from watchkeeper.core.statistics.moments import Summary, left_to_right
from watchkeeper.core.values import Undefined


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60))
def test_digits_in_row_order_are_those_of_the_contracts_loop(values: list[float]) -> None:
    total = average = squares = 0.0
    for count, value in enumerate(values, start=1):
        total += value
        apart = value - average
        average += apart / count
        squares += apart * (apart - apart / count)
    expected = Summary(total / len(values), total, math.sqrt(squares / len(values)), min(values), max(values))
    assert Moments.in_row_order(pl.Series(values)).value() == expected


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60))
def test_the_quick_way_is_right_to_twelve_digits(values: list[float]) -> None:
    found = Moments.of(pl.Series(values)).value()
    assert isinstance(found, Summary)
    size = max(map(abs, values))
    assert math.isclose(found.sum, math.fsum(values), rel_tol=1e-12, abs_tol=1e-13 * size)
    exact = math.fsum((value - math.fsum(values) / len(values)) ** 2 for value in values) / len(values)
    assert math.isclose(found.std_dev, math.sqrt(exact), rel_tol=1e-12, abs_tol=1e-15 * size)


def test_a_small_deviation_beside_a_large_mean_is_kept() -> None:
    values = 1e9 + np.tile([0.0, 1.0], 500_000)
    found = Moments.of(pl.Series(values)).value()
    assert isinstance(found, Summary)
    assert math.isclose(found.std_dev, 0.5, rel_tol=1e-12)


def test_the_sum_goes_from_left_to_right_and_not_in_pairs() -> None:
    values = np.full(1000, 0.1)
    assert left_to_right(values) == sum([0.1] * 1000) != float(values.sum())


def test_without_numbers_or_beyond_doubles_it_is_undefined() -> None:
    for take in (Moments.of, Moments.in_row_order):
        assert take(pl.Series(["x", ""])).value() == Undefined("no numbers")
        beyond = take(pl.Series(["1e308", "1e308", "-1e308"]))
        assert isinstance(beyond.value(), Undefined)
        assert isinstance(beyond.merge(take(pl.Series([1.0]))).value(), Undefined)


def test_parts_of_very_different_means_keep_their_deviation() -> None:
    values = [1e6 + row for row in range(500)] + [row / 7 for row in range(500)]
    merged = Moments.of(pl.Series(values[:300])).merge(Moments.of(pl.Series(values[300:]))).value()
    assert isinstance(merged, Summary)
    assert math.isclose(merged.std_dev, float(np.std(values)), rel_tol=1e-12)

import itertools
from functools import reduce

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.core.statistics import Duplicates
from watchkeeper.core.statistics.duplicates import SAMPLE, DuplicateRows

rows = st.lists(st.tuples(st.sampled_from(["a", None, ""]), st.integers(0, 2)), max_size=30)


def of(values: list[tuple[str | None, int]]) -> Duplicates:
    frame = pl.DataFrame(values, schema={"a": pl.String, "b": pl.Int64}, orient="row")
    return Duplicates.of(frame.to_struct())


def numbers(values: np.ndarray) -> Duplicates:
    return Duplicates.of(pl.Series(values))


@given(rows, rows)
def test_rows_that_repeat_an_earlier_one_are_counted_exactly(
    left: list[tuple[str | None, int]], right: list[tuple[str | None, int]]
) -> None:
    together = len(left + right)
    expected = DuplicateRows(together, together - len(set(left + right)), 0.0, 1.0)
    assert of(left).merge(of(right)).value() == of(left + right).value() == expected


@settings(max_examples=10)
@given(st.lists(st.integers(0, 100_000), max_size=5), st.sampled_from([9, 30_000, 50_000, 100_000]))
def test_parts_give_the_whole_to_the_bit(cuts: list[int], distinct: int) -> None:
    values = np.arange(100_000) * 7919 % distinct
    edges = sorted({0, *cuts, 100_000})
    parts = [numbers(values[start:end]) for start, end in itertools.pairwise(edges)]
    assert reduce(lambda left, right: left.merge(right), parts) == numbers(values)


def test_a_sample_says_its_rate_and_is_near_the_truth() -> None:
    """400,000 rows of which each of the last 80,000 repeats one of the first."""
    values = np.concatenate([np.arange(320_000), np.arange(80_000)])
    found = numbers(values).value()
    assert 0 < found.rate < 0.15
    assert found.error > 0
    assert abs(found.duplicates - 80_000) < 4 * found.error


def test_rows_that_are_all_different_have_no_duplicates_at_any_rate() -> None:
    found = numbers(np.arange(500_000)).value()
    assert (found.duplicates, found.error) == (0, 0.0)
    assert found.rate < 1.0


@pytest.mark.parametrize("repeated", [-1, -2, -3, -4, -5, -6])
def test_one_row_sent_again_and_again_is_noticed_in_the_sample_or_not(repeated: int) -> None:
    values = np.concatenate([np.arange(200_000), np.full(200_000, repeated)])
    found = numbers(values).value()
    assert found.duplicates > 150_000


def test_the_sample_is_bounded() -> None:
    state = numbers(np.arange(300_000))
    assert SAMPLE // 4 < len(state.hashes) // 8 <= SAMPLE


def test_rows_without_columns_are_all_the_same() -> None:
    assert Duplicates.of(pl.DataFrame({"a": []}).select([]).to_struct()).value() == DuplicateRows(
        0, 0, 0.0, 1.0
    )

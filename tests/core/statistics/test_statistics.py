"""Laws every statistic keeps, over the tuple `STATISTICS`."""

import dataclasses
import math
from functools import reduce

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.core.statistics import STATISTICS, Statistic
from watchkeeper.core.statistics.moments import Summary
from watchkeeper.core.statistics.sketch import Sketch

numbers = st.floats(-1e6, 1e6).map(repr)
words = st.sampled_from(["", "a", "b", "true", "12", "- 5", "1e3", "x y", "٣"])
cells = st.lists(st.one_of(st.none(), numbers, words), max_size=40)


def column(values: list[str | None]) -> pl.Series:
    return pl.Series("column", values, dtype=pl.String)


def close(value: object) -> object:
    """The value with what may differ in its last digits made comparable."""
    if isinstance(value, Summary):
        fields = dataclasses.astuple(value)
        scale = max(abs(value.min), abs(value.max), 1.0) * 40
        return pytest.approx(fields, rel=1e-9, abs=1e-9 * scale)
    return value


def seen(value: object) -> object:
    return dataclasses.astuple(value) if isinstance(value, Summary) else value


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(max_examples=40)
@given(left=cells, right=cells)
def test_merging_parts_gives_the_whole(
    statistic: type[Statistic], left: list[str | None], right: list[str | None]
) -> None:
    parts = statistic.of(column(left)).merge(statistic.of(column(right))).value()
    assert seen(parts) == close(statistic.of(column(left + right)).value())


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(max_examples=40)
@given(parts=st.lists(cells, min_size=3, max_size=3))
def test_merging_is_associative(statistic: type[Statistic], parts: list[list[str | None]]) -> None:
    first, second, third = (statistic.of(column(part)) for part in parts)
    grouped_left = first.merge(second).merge(third).value()
    assert seen(grouped_left) == close(first.merge(second.merge(third)).value())


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(max_examples=40)
@given(values=cells)
def test_an_empty_part_changes_nothing(statistic: type[Statistic], values: list[str | None]) -> None:
    state, empty = statistic.of(column(values)), statistic.of(column([]))
    assert state.merge(empty) == state
    assert empty.merge(state).value() == state.value()


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(max_examples=40)
@given(parts=st.lists(cells, min_size=1, max_size=4))
def test_a_state_does_not_see_how_its_column_is_chunked(
    statistic: type[Statistic], parts: list[list[str | None]]
) -> None:
    chunked = pl.concat([column(part) for part in parts], rechunk=False)
    assert statistic.of(chunked) == statistic.of(column([cell for part in parts for cell in part]))


@pytest.mark.parametrize("statistic", STATISTICS)
def test_parts_of_thousands_of_rows_merge_to_about_the_whole(statistic: type[Statistic]) -> None:
    values: list[str | None] = [str(row * 7919 % 10_007) for row in range(10_007)]
    states = [statistic.of(column(values[start : start + 3000])) for start in range(0, 10_007, 3000)]
    whole, parts = statistic.of(column(values)).value(), reduce(lambda a, b: a.merge(b), states).value()
    if isinstance(whole, Sketch) and isinstance(parts, Sketch):
        assert parts.weight == whole.weight == 10_007
        assert all(math.isclose(parts.share(x), x / 10_006, abs_tol=0.005) for x in range(0, 10_007, 500))
    else:
        assert seen(parts) == close(whole)

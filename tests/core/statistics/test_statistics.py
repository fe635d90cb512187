"""Laws every statistic keeps, over the tuple `STATISTICS`."""

import dataclasses
import math
import pickle
from functools import reduce

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.core.statistics import CONTRACT, STATISTICS, Statistic
from watchkeeper.core.statistics.cells import Cells
from watchkeeper.core.statistics.moments import Summary
from watchkeeper.core.statistics.sketch import Sketch

numbers = st.floats(-1e6, 1e6).map(repr)
words = st.sampled_from(
    ["", "a", "b", "true", "12", "- 5", "1e3", "x y", "٣", "NaN", "2022-03", "2022-03-01T05:00:00Z", "1e400"]
)
cells = st.lists(st.one_of(st.none(), numbers, words), max_size=40)
typed = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-(2**53), 2**53)), max_size=40).map(
        lambda values: pl.Series(values, dtype=pl.Int64)
    ),
    st.lists(st.one_of(st.none(), st.floats().map(lambda value: value + 0.0)), max_size=40).map(
        lambda values: pl.Series(values, dtype=pl.Float64)
    ),
    st.lists(st.one_of(st.none(), st.booleans()), max_size=40).map(
        lambda values: pl.Series(values, dtype=pl.Boolean)
    ),
)


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


def test_the_contracts_statistics_are_among_all() -> None:
    assert set(CONTRACT) < set(STATISTICS)
    assert len(set(STATISTICS)) == len(STATISTICS)


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
    assert empty == statistic()


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(max_examples=40)
@given(parts=st.lists(cells, min_size=1, max_size=4))
def test_a_state_does_not_see_how_its_column_is_chunked(
    statistic: type[Statistic], parts: list[list[str | None]]
) -> None:
    chunked = pl.concat([column(part) for part in parts], rechunk=False)
    assert statistic.of(chunked) == statistic.of(column([cell for part in parts for cell in part]))


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(max_examples=40)
@given(values=cells)
def test_a_state_survives_pickling_and_is_a_value(
    statistic: type[Statistic], values: list[str | None]
) -> None:
    state = statistic.of(column(values))
    back = pickle.loads(pickle.dumps(state))  # noqa: S301
    assert back == state
    assert hash(back) == hash(state)
    assert pickle.dumps(back.merge(state)) == pickle.dumps(state.merge(back))


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(max_examples=60)
@given(values=typed, textual=st.booleans())
def test_typed_cells_give_what_their_spelling_gives(
    statistic: type[Statistic], values: pl.Series, textual: bool
) -> None:
    spelled = Cells(values.cast(pl.String), textual)
    assert statistic.of(Cells(values, textual)).value() == statistic.of(spelled).value()


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

from functools import reduce

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from watchkeeper.core.statistics import Kll
from watchkeeper.core.statistics.kll import capacity
from watchkeeper.core.statistics.sketch import Bucket, Sketch


def one_by_one(values: list[float]) -> list[list[float]]:
    """The contract's recipe (3.5), word for word, as the slowest possible reference."""
    levels: list[list[float]] = [[]]
    runs = [0]
    offsets = [0]
    for value in values:
        levels[0].append(value)
        if sum(map(len, levels)) <= sum(capacity(h) for h in range(len(levels))):
            continue
        h = next(h for h, level in enumerate(levels) if len(level) >= capacity(h))
        if h + 1 == len(levels):
            levels.append([])
            runs.append(0)
            offsets.append(0)
        level = levels[h]
        odd = [level.pop()] if len(level) % 2 else []
        if runs[h] % 2:
            offsets[h] = 1 - offsets[h]
        runs[h] += 1
        levels[h + 1] += sorted(level)[offsets[h] :: 2]
        levels[h] = odd
    return levels


def test_capacities_are_the_contracts() -> None:
    """Of its formula 2 * (ceil(k * c**h / 2) + 1); the third, which it writes as 840, comes to 842."""
    assert [capacity(level) for level in range(3)] == [2050, 1314, 842]


@pytest.mark.parametrize("rows", [0, 1, 2050, 2051, 2333, 9_999, 30_000])
def test_the_sketch_is_that_of_the_recipe_done_one_by_one(rows: int) -> None:
    values = [float(row * 7919 % 10_007) for row in range(rows)]
    assert [list(level) for level in Kll.of(pl.Series(values, dtype=pl.Float64)).levels] == one_by_one(values)


def test_the_first_compaction_is_where_the_closed_analyzer_has_it() -> None:
    levels = Kll.of(pl.Series([float(row) for row in range(1, 2334)])).levels
    assert [len(level) for level in levels] == [283, 1025]
    assert levels[0][0] == 2051.0


def in_order(order: str, rows: int) -> NDArray[np.float64]:
    shuffled = np.random.default_rng(7).permutation(rows).astype(float)
    waves = np.arange(rows, dtype=float) * 7919 % rows
    return {
        "random": shuffled,
        "ascending": np.sort(shuffled),
        "descending": -np.sort(-shuffled),
        "waves": waves,
    }[order]


@pytest.mark.parametrize("order", ["random", "ascending", "descending", "waves"])
@pytest.mark.parametrize("part", [65_536, 1_000_003])
def test_of_a_million_rows_ranks_are_within_the_bound_of_the_compactions_and_in_fact_far_nearer(
    order: str, part: int
) -> None:
    """A compaction at level h moves a rank by at most 2**h, which bounds them all together."""
    rows = 1_000_003
    values = in_order(order, rows)
    parts = [Kll.of(pl.Series(values[start : start + part])) for start in range(0, rows, part)]
    state = reduce(lambda left, right: left.merge(right), parts)
    ranks = state.value().ranks()
    off = np.abs(ranks.up_to(np.arange(0.0, rows, 997)) - (np.arange(0, rows, 997) + 1))
    compactions = sum(
        sum(runs << height for height, runs in enumerate(each.runs)) for each in {state, *parts}
    )
    assert ranks.total == rows
    assert off.max() <= compactions
    assert off.max() / rows < 0.003


@pytest.mark.parametrize("order", ["random", "ascending", "descending"])
def test_shares_stay_true_over_many_parts(order: str) -> None:
    values = in_order(order, 200_000)
    state = Kll.of(pl.Series(values[:5000]))
    for start in range(5000, 200_000, 5000):
        state = state.merge(Kll.of(pl.Series(values[start : start + 5000])))
    sketch = state.value()
    assert sketch.weight == 200_000
    assert sum(map(len, sketch.levels)) < 6000
    assert max(abs(sketch.share(x) - x / 199_999) for x in range(0, 200_000, 9_999)) < 0.003


@given(st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=80), st.floats(0, 1))
def test_below_the_first_compaction_quantiles_are_exact(values: list[float], share: float) -> None:
    found = Kll.of(pl.Series(values)).value().quantile(share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) <= share * len(values) + 1e-9


def test_a_constant_column_has_all_rows_in_its_last_bucket() -> None:
    buckets = Sketch(((5.0,) * 4,)).buckets(5.0, 5.0)
    assert buckets == (Bucket(5.0, 5.0, 0.0),) * 9 + (Bucket(5.0, 5.0, 4.0),)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80))
def test_buckets_hold_every_row(values: list[float]) -> None:
    buckets = Kll.of(pl.Series(values)).value().buckets(min(values), max(values))
    assert len(buckets) == 10
    assert sum(bucket.count for bucket in buckets) == len(values)


def test_an_empty_sketch_says_so() -> None:
    with pytest.raises(ValueError, match="empty sketch"):
        Kll().value().quantile(0.5)
    with pytest.raises(ValueError, match="from 0 to 1"):
        Sketch(((1.0,),)).quantile(1.5)

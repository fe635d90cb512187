from collections import Counter
from functools import reduce

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.statistics import Categories
from watchkeeper.core.statistics import categories as module
from watchkeeper.core.statistics.frequent import Bound, Frequencies

SMALL = Bound(values=8, characters=1000)
letters = st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), max_size=60)


def counted(values: list[str], bound: Bound) -> Frequencies:
    return Frequencies.of(Counter(values), bound)


@given(st.lists(letters, min_size=1, max_size=6))
def test_beyond_the_bound_no_count_is_further_off_than_the_error_says(parts: list[list[str]]) -> None:
    states = [counted(part, SMALL) for part in parts]
    found = reduce(lambda left, right: left.merge(right, SMALL), states)
    truth = Counter(value for part in parts for value in part)
    kept = dict(found.counts)
    assert len(kept) <= SMALL.values
    assert all(
        kept.get(value, 0) <= times <= kept.get(value, 0) + found.error for value, times in truth.items()
    )
    assert found.error <= truth.total() / (SMALL.values + 1)


@given(letters, letters)
def test_within_the_bound_counts_are_exact_and_sorted(left: list[str], right: list[str]) -> None:
    wide = Bound(26, 1000)
    found = counted(left, wide).merge(counted(right, wide), wide)
    assert found == Frequencies(tuple(sorted(Counter(left + right).items())), 0)


def test_long_texts_count_against_the_room_too() -> None:
    found = counted(["short"] * 3 + ["x" * 600] * 2 + ["y" * 600], SMALL)
    assert found == Frequencies((("short", 2), ("x" * 600, 1)), 1)
    assert counted(["z" * 2000], SMALL) == Frequencies((), 1)


def test_a_common_value_is_found_among_a_hundred_thousand_rare_ones() -> None:
    rare = [f"id-{number}" for number in range(100_000)]
    state = reduce(
        lambda left, right: left.merge(right),
        [
            Categories.of(pl.Series([*rare[start : start + 20_000], *["common"] * 500]))
            for start in range(0, 100_000, 20_000)
        ],
    )
    assert not state.exact
    kept = dict(state.counts)
    assert kept["common"] <= 2500 <= kept["common"] + state.value().error
    assert state.value().error <= 102_500 / module.BOUND.values
    assert len(state.counts) <= module.BOUND.values


def test_a_part_of_more_values_than_are_kept_is_bounded_at_once() -> None:
    values = pl.Series(np.arange(module.BOUND.values + 1)).cast(pl.String)
    assert Categories.of(values).value() == Frequencies((), 1)
    assert Categories.of(values[:-1]).exact


def test_sorting_is_by_code_point() -> None:
    assert [value for value, _ in Categories.of(pl.Series(["é", "z", "Z", "￿", "𐀀"])).counts] == [
        "Z", "z", "é", "￿", "𐀀",
    ]  # fmt: skip


@pytest.mark.parametrize("order", [1, -1])
def test_what_has_no_room_does_not_depend_on_the_order_within_a_part(order: int) -> None:
    values = [f"v{number % 20}" for number in range(57)]
    assert counted(values[::order], SMALL) == counted(values, SMALL)

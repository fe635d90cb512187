"""Kernel SHAP against Shapley's definition, what a budget buys, and what cannot be explained."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.model.features import Columns
from watchkeeper.model.kernel_shap import Floats, KernelSettings, coalitions, kernel_shap

cells = st.lists(st.integers(-5, 5), min_size=4, max_size=4)


def answer(columns: Columns) -> Floats:
    """A model with interactions: two columns multiply, one of text counts by its length."""
    a, b, c = (np.array([float(cell or 0) for cell in columns[name]]) for name in "abc")
    d = np.array([float(len(cell or "")) for cell in columns["d"]])
    found: Floats = 3 * a + a * b - np.abs(c) * d + 7
    return found


def columns(rows: list[list[int]]) -> Columns:
    a, b, c, d = zip(*rows, strict=True)
    return {
        "a": list(map(str, a)),
        "b": list(map(str, b)),
        "c": list(map(str, c)),
        "d": ["x" * abs(n) for n in d],
    }


def by_definition(row: Columns, background: Columns) -> list[float]:
    """Shapley's sum over all coalitions; what is outside takes the background rows' cells in turn."""
    names, others = list(row), len(background["a"])

    def worth(inside: frozenset[str]) -> float:
        mixed = {name: [*row[name]] * others if name in inside else background[name] for name in names}
        return float(answer(mixed).mean())

    found = []
    for name in names:
        rest = [other for other in names if other != name]
        found.append(
            sum(
                factorial(size) * factorial(3 - size) / factorial(4)
                * (worth(frozenset(chosen) | {name}) - worth(frozenset(chosen)))
                for size in range(4)
                for chosen in combinations(rest, size)
            )
        )  # fmt: skip
    return found


@settings(deadline=None)
@given(st.lists(cells, min_size=1, max_size=3), st.lists(cells, min_size=1, max_size=4))
def test_with_every_coalition_values_are_shapleys(rows: list[list[int]], others: list[list[int]]) -> None:
    asked, background = columns(rows), columns(others)
    found = kernel_shap(answer, asked, background)
    assert found.exact
    assert found.asked == len(others) + len(rows) * (14 * len(others) + 1)
    for place in range(len(rows)):
        own = {name: [cells[place]] for name, cells in asked.items()}
        assert found.values[place].tolist() == pytest.approx(by_definition(own, background), abs=1e-9)
        assert found.expected + found.values[place].sum() == pytest.approx(answer(own)[0], abs=1e-9)


def many(rows: int, seed: int) -> Columns:
    random = np.random.default_rng(seed)
    return {f"c{n}": random.normal(size=rows).round(3).astype(str).tolist() for n in range(12)}


def wide(asked: Columns) -> Floats:
    """Of twelve columns the first counts most, and the next two multiply."""
    values = np.array([[float(cell or 0) for cell in column] for column in asked.values()])
    found: Floats = np.arange(12, 0, -1) @ values + 5 * values[1] * values[2]
    return found


def test_a_sample_of_coalitions_comes_near_and_still_adds_up() -> None:
    rows, background = many(5, 1), many(3, 2)
    exact = kernel_shap(wide, rows, background, KernelSettings(4094))
    assert exact.exact
    errors = []
    for count in (120, 1_000):
        found = kernel_shap(wide, rows, background, KernelSettings(count))
        assert not found.exact
        assert (found.expected + found.values.sum(axis=1)).tolist() == pytest.approx(wide(rows).tolist())
        errors.append(float(np.abs(found.values - exact.values).max()))
    assert errors[1] < errors[0] < 1.0
    again = kernel_shap(wide, rows, background, KernelSettings(120))
    assert np.array_equal(again.values, kernel_shap(wide, rows, background, KernelSettings(120)).values)


def test_coalitions_have_the_kernels_weight_whatever_is_drawn() -> None:
    for wanted in (30, 200, 4094):
        masks, weights = coalitions(12, wanted, seed=0)
        assert weights.sum() == pytest.approx(2 * sum(11 / (n * (12 - n)) for n in range(1, 6)) + 11 / 36)
        assert len(masks) <= wanted
        assert {tuple(~mask) for mask in masks} == {tuple(mask) for mask in masks}
    assert coalitions(40, 3_000, seed=0)[0].shape[1] == 40
    assert coalitions(1, None, seed=0)[0].shape == (0, 1)


def test_one_column_takes_all() -> None:
    found = kernel_shap(
        lambda asked: np.array([float(x or 0) for x in asked["a"]]), {"a": ["5"]}, {"a": ["1", "3"]}
    )
    assert (found.values.tolist(), found.expected, found.asked) == ([[3.0]], 2.0, 3)


def test_a_budget_is_kept() -> None:
    asked: list[int] = []

    def counted(columns: Columns) -> Floats:
        asked.append(len(columns["a"]))
        return answer(columns)

    rows, background = columns([[1, 2, 3, 4]] * 50), columns([[0, 0, 0, 0]] * 2)
    found = kernel_shap(counted, rows, background, KernelSettings(most_rows=300))
    assert len(found.values) == (300 - 2) // 29 == 10
    assert found.asked == sum(asked) == 2 + 10 * 29
    with pytest.raises(
        ValueError, match=r"want a budget of at least 31 rows for one row \(14 coalitions, 2 back"
    ):
        kernel_shap(counted, rows, background, KernelSettings(most_rows=30))


@pytest.mark.parametrize("wrong", [np.array([np.nan]), np.array([1.0, 2.0]), np.array([[1.0]])])
def test_answers_that_are_no_numbers_of_the_rows_are_refused(wrong: Floats) -> None:
    with pytest.raises(ValueError, match="want 1 finite answers"):
        kernel_shap(lambda _: wrong, {"a": ["1"]}, {"a": ["2"]})


@pytest.mark.parametrize("background", [{"a": []}, {"b": ["1"]}, {}])
def test_there_must_be_something_to_measure_from(background: Columns) -> None:
    with pytest.raises(ValueError, match="want rows and background rows of the same columns"):
        kernel_shap(answer, {"a": ["1"]}, background)

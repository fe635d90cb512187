import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.statistics import Kll
from watchkeeper.core.statistics.distances import (
    Distance,
    Method,
    Mode,
    categorical,
    chance,
    numerical,
)
from watchkeeper.core.statistics.sketch import Sketch
from watchkeeper.core.values import Undefined

samples = st.lists(st.integers(0, 9).map(float), min_size=1, max_size=60)
BOTH = pytest.mark.parametrize("mode", list(Mode))


def flat(*values: float) -> Sketch:
    return Sketch((values,))


def counts(**found: int) -> tuple[tuple[str, int], ...]:
    return tuple(found.items())


@BOTH
def test_the_numerical_vector_of_deequ(mode: Mode) -> None:
    left, right = flat(1, 2, 3, 4), flat(2, 3, 4, 5)
    assert numerical(left, right, Method.SIMPLE, mode) == Distance(0.25)
    assert numerical(left, right, Method.ROBUST, mode) == Distance(0.0)


def test_the_categorical_vectors_of_deequ() -> None:
    left = counts(a=10, b=20, c=25, d=10, e=5)
    near, far = counts(a=11, b=20, c=25, d=10, e=10), counts(f=11, a=20, c=25, d=10, e=10)
    assert categorical(left, near, Method.SIMPLE, Mode.COMPATIBLE) == Distance(0.06015037593984962)
    assert categorical(left, far, Method.SIMPLE, Mode.COMPATIBLE) == Distance(0.2857142857142857)
    assert categorical(left, near, Method.SIMPLE, Mode.CORRECT) == Distance(0.0601503759398)


def test_the_alpha_vectors_of_deequ() -> None:
    left = counts(a=207, b=20, c=25, d=14, e=25, g=13)
    right = counts(a=22, b=20, c=25, d=12, e=13, f=15)
    for alpha, expected in ((0.003, 0.2726338046550349), (0.1, 0.33774199396969184)):
        found = categorical(left, right, Method.ROBUST, Mode.COMPATIBLE, alpha)
        assert found == Distance(expected)
        simple = categorical(left, right, Method.SIMPLE, Mode.COMPATIBLE)
        assert categorical(left, right, Method.SIMPLE, Mode.COMPATIBLE, alpha) == simple
    numbers = numerical(flat(1, 2, 3, 4), flat(7, 8, 9), Method.ROBUST, Mode.COMPATIBLE, 0.5)
    assert numbers == Distance(1 - chance(4, 3, 0.5))


def test_robust_distances_of_few_rows_are_zero() -> None:
    left = counts(a=10, b=20, c=25, d=10, e=5)
    for right in (counts(a=11, b=20, c=25, d=10, e=10), counts(f=11, a=20, c=25, d=10, e=10)):
        assert categorical(left, right, Method.ROBUST, Mode.COMPATIBLE) == Distance(0.0)


def test_compatible_mode_gives_the_digits_of_the_closed_analyzer() -> None:
    """Golden G5: 10 distinct predictions, each many times, against 63 of which 58 lie below them all."""
    baseline = flat(*[0.59 + i / 1000 for i in range(10)] * 30)
    current = flat(*[0.46 + i / 1000 for i in range(58)], *[0.7 + i for i in range(5)], *[0.46] * 257)
    assert numerical(baseline, current, Method.ROBUST, Mode.COMPATIBLE) == Distance(0.30791265775509713)


@pytest.mark.parametrize(
    ("baseline", "current", "correct"),
    [
        ([1.0] * 300, [1.0] * 160 + [0.0] * 160, 0.5 - 1.8 * math.sqrt(620 / 96_000)),
        ([20.0, 21.0, 22.0, 23.0, 24.0] * 60, list(range(20)) * 16, 1 - 1.8 * math.sqrt(620 / 96_000)),
    ],
)
def test_compatible_mode_cannot_see_a_column_of_few_values_and_correct_mode_does(
    baseline: list[float], current: list[float], correct: float
) -> None:
    sketches = flat(*baseline), flat(*current)
    found = numerical(*sketches, Method.ROBUST, Mode.CORRECT)
    assert isinstance(found, Distance)
    assert found.value == pytest.approx(correct, rel=1e-11)
    blind = numerical(*sketches, Method.ROBUST, Mode.COMPATIBLE)
    assert isinstance(blind, Distance)
    assert blind.value < found.value / 2


def test_correct_mode_carries_12_digits() -> None:
    assert numerical(flat(1, 2, 3), flat(3), Method.SIMPLE, Mode.CORRECT) == Distance(0.666666666667)


@given(samples, samples)
def test_correct_mode_is_the_kolmogorov_smirnov_statistic(left: list[float], right: list[float]) -> None:
    found = numerical(flat(*left), flat(*right), Method.SIMPLE, Mode.CORRECT)
    assert isinstance(found, Distance)
    apart = max(abs(np.mean(np.array(left) <= x) - np.mean(np.array(right) <= x)) for x in (*left, *right))
    assert found.value == pytest.approx(float(apart), abs=1e-11)
    as_text = categorical(_histogram(left), _histogram(right), Method.SIMPLE, Mode.CORRECT)
    assert isinstance(as_text, Distance)
    assert 0.0 <= as_text.value <= 1.0


@BOTH
@given(left=samples, right=samples)
def test_distances_are_symmetric_and_zero_to_oneself(
    left: list[float], right: list[float], mode: Mode
) -> None:
    a, b = flat(*left), flat(*right)
    assert numerical(a, b, Method.SIMPLE, mode) == numerical(b, a, Method.SIMPLE, mode)
    assert numerical(a, a, Method.SIMPLE, mode) == Distance(0.0)
    assert categorical(_histogram(left), _histogram(left), Method.ROBUST, mode) == Distance(0.0)


def test_a_compacted_sketch_is_near_the_exact_distance() -> None:
    left, right = np.arange(50_000) % 997 / 1.0, np.arange(30_000) % 1201 / 1.0
    exact = max(abs(np.mean(left <= x) - np.mean(right <= x)) for x in range(1201))
    sketches = Kll.of(pl.Series(left)).value(), Kll.of(pl.Series(right)).value()
    found = numerical(*sketches, Method.SIMPLE, Mode.CORRECT)
    assert isinstance(found, Distance)
    assert found.value == pytest.approx(float(exact), abs=0.002)


def test_nothing_to_compare_is_undefined() -> None:
    assert isinstance(numerical(flat(), flat(1.0), Method.SIMPLE, Mode.CORRECT), Undefined)
    assert isinstance(categorical((), counts(a=1), Method.SIMPLE, Mode.CORRECT), Undefined)


def _histogram(values: list[float]) -> tuple[tuple[str, int], ...]:
    return tuple((str(value), values.count(value)) for value in sorted(set(values)))

"""Every drift method against scipy and against changes it must and must not see."""

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import spatial, special, stats

from watchkeeper.core.statistics import Kll
from watchkeeper.core.statistics.distances import ALPHA, Counts, Distance, PValue, chance
from watchkeeper.core.statistics.drift import (
    LEAST_ROWS,
    METHODS,
    Comparison,
    DriftMethod,
    compare_numbers,
    compare_texts,
)
from watchkeeper.core.statistics.drift.binning import of_numbers, of_texts, smoothed
from watchkeeper.core.statistics.drift.chi_squared import PearsonTest, goodness_of_fit, homogeneity
from watchkeeper.core.statistics.drift.divergence import jensen_shannon_distance, population_stability_index
from watchkeeper.core.statistics.drift.probability import (
    chi_squared_critical,
    chi_squared_tail,
    cramer_von_mises_tail,
    critical,
    kolmogorov_tail,
)
from watchkeeper.core.statistics.drift.rank_tests import cramer_von_mises, kolmogorov_smirnov
from watchkeeper.core.statistics.drift.wasserstein import wasserstein
from watchkeeper.core.statistics.sketch import Sketch
from watchkeeper.core.values import Undefined

ALL = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
NUMERICAL = pytest.mark.parametrize(
    "method", [m for m in METHODS.values() if m.numerical], ids=lambda m: m.name
)
CATEGORICAL = pytest.mark.parametrize(
    "method", [m for m in METHODS.values() if m.categorical], ids=lambda m: m.name
)
distinct = st.lists(st.floats(-1e3, 1e3).map(lambda x: round(x, 6)), min_size=30, max_size=80, unique=True)
repeated = st.lists(st.integers(0, 9).map(float), min_size=30, max_size=80)
bins = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), min_size=2, max_size=9).filter(
    lambda pairs: all(map(sum, zip(*pairs, strict=True)))
)


def flat(values: NDArray[np.float64] | list[float]) -> Sketch:
    return Sketch((tuple(map(float, values)),))


def sketch(values: NDArray[np.float64]) -> Sketch:
    return Kll.of(pl.Series(values)).value()


def counts(**found: int) -> Counts:
    return tuple(found.items())


def columns(pairs: list[tuple[int, int]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    left, right = np.array([pair for pair in pairs if sum(pair)], dtype=float).T
    return left, right


def by(method: DriftMethod, left: Sketch, right: Sketch) -> Comparison:
    return compare_numbers(method, left, right, method.threshold)


def test_tail_probabilities_are_those_of_scipy() -> None:
    for freedom in (1, 2, 3, 10, 25, 400):
        for statistic in (0.01, 1.0, freedom, 2.0 * freedom, 5.0 * freedom + 20):
            expected = stats.chi2.sf(statistic, freedom)
            assert chi_squared_tail(statistic, freedom) == pytest.approx(expected, rel=1e-11)
    for scaled in (0.01, 0.2, 0.5, 0.99, 1.0, 1.01, 2.0, 4.0):
        assert kolmogorov_tail(scaled) == pytest.approx(special.kolmogorov(scaled), rel=1e-11)
    # Anderson and Darling (1952), table 1
    for statistic, share in (
        (0.11888, 0.5),
        (0.34730, 0.1),
        (0.46136, 0.05),
        (0.74346, 0.01),
        (1.16786, 0.001),
    ):
        assert cramer_von_mises_tail(statistic) == pytest.approx(share, rel=1e-4)


@given(st.floats(1e-6, 1), st.integers(1, 60))
def test_a_critical_value_has_the_chance_it_was_asked_for(share: float, freedom: int) -> None:
    found = chi_squared_critical(freedom, share)
    assert chi_squared_tail(found, freedom) == pytest.approx(share, rel=1e-9)


@pytest.mark.parametrize("share", [0.0, 1e-6, 0.003, 0.5, 1.0])
def test_critical_values_of_many_degrees_and_of_any_threshold(share: float) -> None:
    if 0 < share < 1:
        assert chi_squared_critical(1000, share) == pytest.approx(stats.chi2.isf(share, 1000), rel=1e-4)
    for freedom in (1, 3, 1000):
        assert 0 <= chi_squared_critical(freedom, share) < 2000
    assert 0 <= critical(kolmogorov_tail, share) < 10
    assert 0 <= critical(cramer_von_mises_tail, share) < 10


@pytest.mark.filterwarnings("ignore:ks_2samp")
@given(distinct, distinct)
def test_kolmogorov_smirnov_is_scipys(left: list[float], right: list[float]) -> None:
    statistic, p_value = kolmogorov_smirnov(flat(left), flat(right))
    expected = stats.ks_2samp(left, right, method="auto")
    assert statistic == pytest.approx(expected.statistic, abs=1e-12)
    assert p_value == pytest.approx(expected.pvalue, abs=0.06)  # the correction is an approximation


@given(distinct, distinct)
def test_cramer_von_mises_is_scipys_where_values_do_not_repeat(left: list[float], right: list[float]) -> None:
    right = [value + 5e-7 for value in right]
    statistic, p_value = cramer_von_mises(flat(left), flat(right))
    expected = stats.cramervonmises_2samp(left, right, method="asymptotic")
    assert statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert p_value == pytest.approx(expected.pvalue, abs=1e-9)


@given(repeated, repeated)
def test_wasserstein_is_scipys_in_spreads_of_the_baseline(left: list[float], right: list[float]) -> None:
    found, _ = wasserstein(flat(left), flat(right))
    quartiles = flat(left).quantile(0.75) - flat(left).quantile(0.25)
    spread = min(float(np.std(left)), quartiles / 1.3489795) if quartiles else float(np.std(left))
    spread = spread or float(np.std(np.array([*left, *right])))
    expected = float(stats.wasserstein_distance(left, right))
    assert found * spread == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(bins)
def test_divergences_are_scipys(pairs: list[tuple[int, int]]) -> None:
    left, right = columns(pairs)
    expected = float(spatial.distance.jensenshannon(left, right, base=2))
    assert jensen_shannon_distance(left, right) == pytest.approx(
        0.0 if math.isnan(expected) else expected, abs=1e-7
    )
    e, a = smoothed(left), smoothed(right)
    both = float(special.kl_div(a, e).sum() + special.kl_div(e, a).sum())
    assert population_stability_index(left, right) == pytest.approx(both, abs=1e-12)


def test_the_population_stability_index_of_deequ() -> None:
    """Deequ's own vector is without the half count that we add, so it agrees to three digits."""
    expected = np.array([428.0, 425, 414, 427, 440, 447, 380, 386, 444, 386])
    actual = np.array([426.0, 437, 429, 391, 469, 433, 360, 443, 371, 418])
    assert population_stability_index(expected, actual) == pytest.approx(0.007406694184014186, rel=3e-3)


@given(bins)
def test_the_test_of_two_samples_is_scipys_where_no_group_is_small(pairs: list[tuple[int, int]]) -> None:
    left, right = columns([(a + 60, b + 60) for a, b in pairs])
    found = homogeneity((left, right))
    expected = stats.chi2_contingency(np.array([left, right]), correction=False)
    assert isinstance(found, PearsonTest)
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert found.p_value.value == pytest.approx(expected.pvalue, abs=1e-9)


@given(bins)
def test_small_groups_are_put_together_until_every_expected_count_is_five(
    pairs: list[tuple[int, int]],
) -> None:
    left, right = columns(pairs)
    found = homogeneity((left, right))
    smaller, rows = min(left.sum(), right.sum()), left.sum() + right.sum()
    if isinstance(found, Undefined):
        return
    sizes = np.sort(left + right)
    assert found.freedom <= left.size - 1
    assert found.freedom >= int((sizes * smaller / rows >= 5).sum()) - 1


def test_chi_squared_vectors_of_deequ() -> None:
    """Inputs and digits from KLLDistanceTest.scala of awslabs/deequ (Apache-2.0)."""
    base = counts(a=223, b=20, c=25, d=12, e=13, f=15)
    cases = (
        (base, counts(a=207, b=20, c=25, d=14, e=25, g=13), 28.175042782458068, 3.3640191298478506e-05),
        (base[:5], counts(a=207, b=20, c=25, d=14, e=25), None, 0.013227994814265176),
        (
            counts(a=100, b=22, c=25, d=5, e=13, f=2),
            counts(a=100, b=20, c=25, d=10, e=5, f=2),
            8.789790456457125,
            None,
        ),
        (counts(a=100, b=40, c=30, e=4), counts(a=100, b=40, c=30, d=10), 0.38754325259515626, None),
        (counts(a=100, b=4, c=3, d=34), counts(a=100, b=4, c=3, d=27), 1.1507901668129925, None),
        (
            counts(a=100, b=2, c=1, d=34, e=20, f=20, g=20, h=20),
            counts(a=100, b=4, c=3, d=27, e=20, f=20, g=20, h=20),
            6.827423492761593,
            None,
        ),
        (counts(a=60, b=60), counts(a=90, b=30), 30.0, 4.3204630539861455e-08),  # the contract's p, our input
    )
    for baseline, data, statistic, p_value in cases:
        found = goodness_of_fit(baseline, data)
        assert isinstance(found, PearsonTest)
        assert statistic is None or found.statistic == pytest.approx(statistic, rel=4e-16)
        assert p_value is None or found.p_value.value == p_value


def test_regrouping_may_leave_too_little_to_test() -> None:
    few = counts(a=100, b=4, c=3)
    assert isinstance(goodness_of_fit(few, few), Undefined)
    assert isinstance(goodness_of_fit(few, counts(z=9)), Undefined)
    assert isinstance(homogeneity(of_texts(few, counts(a=100))), Undefined)


def test_numbers_are_cut_at_the_tenths_of_the_baseline() -> None:
    before, now = of_numbers(flat(list(np.arange(100.0))), flat([-5.0, *np.arange(50.0), 200.0]))
    assert before.tolist() == [10] * 10
    assert now.tolist() == [11, *[10] * 4, *[0] * 4, 1]
    constant = of_numbers(flat([7.0] * 40), flat([6.0, 7.0, 7.0, 8.0]))
    assert [each.tolist() for each in constant] == [[0, 40, 0], [1, 2, 1]]


@NUMERICAL
@settings(max_examples=25)
@given(left=repeated, right=repeated)
def test_a_column_of_numbers_has_not_moved_from_itself(
    method: DriftMethod, left: list[float], right: list[float]
) -> None:
    same = by(method, flat(left), flat(left))
    assert not same.exceeded
    if isinstance(same.score, Undefined):
        assert method.name in ("ChiSquared", "Robust")  # nothing large enough to compare, or too few rows
    else:
        assert same.score == (Distance(0.0) if method.score is Distance else PValue(1.0))
    either = by(method, flat(left), flat(right))
    assert (either.n, either.m) == (len(left), len(right))
    assert isinstance(either.score, method.score | Undefined)


@CATEGORICAL
def test_a_column_of_texts_is_told_from_another(method: DriftMethod) -> None:
    before, now = counts(a=500, b=500), counts(a=950, b=50)
    assert not compare_texts(method, before, before, method.threshold).exceeded
    found = compare_texts(method, before, now, method.threshold)
    assert found.exceeded
    assert (found.n, found.m) == (1000, 1000)


DRAWN = 3_000


def normal(seed: int, rows: int = DRAWN) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=rows)


CHANGES: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "moved by one deviation": lambda x: x + 1.0,
    "twice as wide": lambda x: 2.0 * x,
    "all one value": lambda x: x * 0.0,
}


@NUMERICAL
@pytest.mark.parametrize("change", CHANGES)
def test_large_changes_are_drift_by_every_method(method: DriftMethod, change: str) -> None:
    assert by(method, sketch(normal(1)), sketch(CHANGES[change](normal(2)))).exceeded


@NUMERICAL
@pytest.mark.parametrize("rows", [LEAST_ROWS, DRAWN, 60_000])
def test_two_samples_of_one_distribution_are_no_drift(method: DriftMethod, rows: int) -> None:
    pairs = [(normal(seed, rows), normal(seed + 1, rows)) for seed in range(100, 120, 2)]
    found = [by(method, sketch(left), sketch(right)).exceeded for left, right in pairs]
    assert sum(found) <= (1 if method.name != "Simple" or rows >= DRAWN else len(found))


def test_a_deviation_grown_by_half_is_drift_by_the_default_of_numbers() -> None:
    for left, right in ((normal(1, 500), normal(2, 500)), (normal(3, 60_000), normal(4, 60_000))):
        found = by(METHODS["Wasserstein"], sketch(left), sketch(1.5 * right))
        assert found.exceeded
    assert isinstance(found.score, Distance)
    assert found.score.value == pytest.approx(0.5 * math.sqrt(2 / math.pi), abs=0.02)
    robust = by(METHODS["Robust"], sketch(normal(1)), sketch(1.5 * normal(2)))
    assert not robust.exceeded  # why it is not the default: the cumulative shares never differ by 0.1


def test_a_constant_that_becomes_another_is_drift_and_one_odd_row_is_not() -> None:
    constant = flat([4.0] * 500)
    method = METHODS["Wasserstein"]
    assert by(method, constant, flat([5.0] * 500)).exceeded
    assert not by(method, constant, flat([4.0] * 499 + [5.0])).exceeded
    assert by(method, constant, constant).score == Distance(0.0)


def test_far_values_do_not_hide_a_change_of_all_others() -> None:
    heavy = np.exp(2 * normal(5, 20_000))
    assert by(METHODS["Wasserstein"], sketch(heavy), sketch(1.5 * np.exp(2 * normal(6, 20_000)))).exceeded
    assert not by(METHODS["Wasserstein"], sketch(heavy), sketch(np.exp(2 * normal(7, 20_000)))).exceeded


@NUMERICAL
def test_the_smallest_change_seen_shrinks_as_rows_grow(method: DriftMethod) -> None:
    sizes = [by(method, sketch(normal(1, rows)), sketch(normal(2, rows))).smallest for rows in (400, 2_000)]
    few, many = (math.inf if isinstance(size, Undefined) else size for size in sizes)
    assert many <= few
    assert many < math.inf


def test_the_smallest_change_is_where_the_verdict_turns() -> None:
    n = 1_000
    for threshold in (0.05, 0.1):
        edge = threshold + chance(n, n)
        for moved, seen in ((edge - 0.002, False), (edge + 0.002, True)):
            shifted = flat([0.0] * round(n * (0.5 + moved)) + [1.0] * round(n * (0.5 - moved)))
            found = compare_numbers(METHODS["Robust"], flat([0.0] * 500 + [1.0] * 500), shifted, threshold)
            assert found.smallest == pytest.approx(edge, rel=1e-9)
            assert found.exceeded is seen
    even = flat([0.0] * 500 + [1.0] * 500)
    least = by(METHODS["KolmogorovSmirnov"], even, even).smallest
    assert not isinstance(least, Undefined)
    for moved, seen in ((least - 0.002, False), (least + 0.002, True)):
        shifted = flat([0.0] * round(n * (0.5 + moved)) + [1.0] * round(n * (0.5 - moved)))
        assert by(METHODS["KolmogorovSmirnov"], even, shifted).exceeded is seen


def test_the_smallest_change_of_chi_squared_is_where_its_verdict_turns() -> None:
    before = counts(a=500, b=500)
    edge = compare_texts(METHODS["ChiSquared"], before, before, ALPHA).smallest
    assert not isinstance(edge, Undefined)
    seen = []
    for more in range(0, 120):
        now = counts(a=500 + more, b=500 - more)
        p, q = np.array([0.5, 0.5]), np.array([500 + more, 500 - more]) / 1000
        size = math.sqrt((((p - q) ** 2) / ((p + q) / 2)).sum())
        seen.append((size > edge, compare_texts(METHODS["ChiSquared"], before, now, ALPHA).exceeded))
    assert sum(expected != found for expected, found in seen) <= 1
    assert any(found for _, found in seen)


@ALL
def test_too_few_rows_are_undefined_and_not_a_pass(method: DriftMethod) -> None:
    few, many = flat([1.0] * (LEAST_ROWS - 1)), flat(list(np.arange(200.0)))
    found = [by(method, few, many), by(method, many, few)]
    found.append(compare_texts(method, counts(a=LEAST_ROWS - 1), counts(a=90, b=90), method.threshold))
    for each in found:
        assert isinstance(each.score, Undefined)
        assert isinstance(each.smallest, Undefined)
        assert not each.exceeded
    assert "too few rows: want at least 30 on both sides, got 29 and 200" in str(found[0].score)


def test_robust_says_when_no_difference_at_all_could_be_told_from_chance() -> None:
    left, right = flat([0.0] * 30), flat([1.0] * 30)
    assert not isinstance(compare_numbers(METHODS["Robust"], left, right, 0.1).score, Undefined)
    assert isinstance(compare_numbers(METHODS["Robust"], left, right, 0.6).score, Undefined)


@ALL
def test_a_method_says_what_it_does_not_go_with(method: DriftMethod) -> None:
    numbers = flat(list(np.arange(60.0)))
    texts = tuple(Counter(str(n % 3) for n in range(60)).items())
    if method.categorical is None:
        found = compare_texts(method, texts, texts, method.threshold).score
        assert found == Undefined(f"{method.name} compares numbers, and these are texts")
    assert method.numerical is not None
    assert not isinstance(by(method, numbers, numbers).score, Undefined) or method.name == "Robust"


@NUMERICAL
@settings(max_examples=25)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=30, max_size=40),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=30, max_size=40),
)
def test_no_numbers_make_a_score_that_is_none(
    method: DriftMethod, left: list[float], right: list[float]
) -> None:
    found = by(method, flat(left), flat(right))
    if not isinstance(found.score, Undefined):
        assert math.isfinite(found.score.value)
        assert found.score.value >= 0
    assert math.isfinite(found.limit)


def test_a_p_value_of_millions_of_rows_does_not_speak_of_the_sketch() -> None:
    """Past 100,000 rows a side the sketch's own error would be found "significant"."""
    rows = 400_000
    sketches = [sketch(np.random.default_rng(seed).normal(size=rows)) for seed in (1, 2)]
    for name in ("KolmogorovSmirnov", "CramerVonMises"):
        found = by(METHODS[name], sketches[0], sketches[1])
        assert (found.n, found.m) == (rows, rows)
        assert not found.exceeded
        assert by(
            METHODS[name], sketches[0], sketch(np.random.default_rng(3).normal(0.1, size=rows))
        ).exceeded


def test_figures_of_a_verdict_carry_12_digits() -> None:
    found = compare_texts(METHODS["PSI"], counts(a=70, b=30), counts(a=60, b=40), 0.2)
    assert isinstance(found.score, Distance)
    assert found.score.value == float(f"{found.score.value:.12g}")

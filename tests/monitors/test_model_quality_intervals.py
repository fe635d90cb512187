"""Bootstrap intervals: as often right as they say, of every figure that has a value."""

from __future__ import annotations

import numpy as np
import pytest

from watchkeeper.monitors.model_quality import figures
from watchkeeper.monitors.model_quality_intervals import intervals


def sold(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.uniform(1e5, 9e5, rows)
    return labels, labels * random.normal(1.02, 0.08, rows)


def test_intervals_hold_the_true_figures_in_nineteen_of_twenty_cases() -> None:
    truth = figures(*sold(400_000, seed=1))
    inside = dict.fromkeys(("rmse", "mae", "mape", "r2", "bias"), 0)
    for seed in range(100):
        for each in intervals(*sold(300, seed=100 + seed), resamples=300, seed=0):
            inside[each.metric] += each.low <= getattr(truth, each.metric) <= each.high
    assert min(inside.values()) >= 95 - 2.33 * (100 * 0.95 * 0.05) ** 0.5 - 2, inside


def test_an_interval_is_about_the_figure_and_narrower_with_more_rows() -> None:
    few, many = (intervals(*sold(rows, seed=3), resamples=200, seed=0) for rows in (100, 10_000))
    known = figures(*sold(100, seed=3))
    for small, large in zip(few, many, strict=True):
        assert small.low < getattr(known, small.metric) < small.high
        assert large.high - large.low < (small.high - small.low) / 4


def test_batches_of_samples_are_one_set_of_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = intervals(*sold(200, seed=4), resamples=150, seed=0)
    monkeypatch.setattr("watchkeeper.monitors.model_quality_intervals._CELLS", 200 * 7)
    for one, other in zip(intervals(*sold(200, seed=4), resamples=150, seed=0), whole, strict=True):
        assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_a_figure_without_a_value_is_left_out() -> None:
    labels = np.array([0.0, 1.0, 2.0, 3.0] * 20)
    found = {each.metric for each in intervals(labels, labels + 1, resamples=100, seed=0)}
    assert found == {"rmse", "mae", "r2", "bias"}
    same = {each.metric for each in intervals(np.ones(50), np.full(50, 2.0), resamples=100, seed=0)}
    assert same == {"rmse", "mae", "mape", "bias"}


def test_too_few_resamples_are_refused() -> None:
    with pytest.raises(ValueError, match="want at least 100 resamples, got 99"):
        intervals(np.ones(3), np.ones(3), resamples=99, seed=0)

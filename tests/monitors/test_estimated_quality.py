"""Estimated quality: intervals that hold what they promise, and a judge of those that do not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from watchkeeper.monitors.estimated_quality import (
    LEVEL,
    Estimated,
    Losses,
    blocks,
    estimate,
    losses,
    trust,
)

SPREADS = (1.0, 4.0)  # of the error, in rows of the easy kind and of the difficult one


def rows(count: int, difficult: float, seed: int) -> tuple[Losses, Losses]:
    """Losses that rows had, and those to be expected by who knows the kind of each."""
    random = np.random.default_rng(seed)
    spread = np.where(random.random(count) < difficult, SPREADS[1], SPREADS[0])
    had = losses(np.zeros(count), random.normal(0, spread))
    return had, Losses(spread * math.sqrt(2 / math.pi), np.square(spread))


@pytest.mark.parametrize("difficult", [0.2, 0.6])
def test_intervals_hold_what_comes_as_often_as_they_promise(difficult: float) -> None:
    """Also when the window has more of the difficult rows than the baseline had."""
    held_out, inside = rows(3_000, 0.2, seed=1), 0
    for seed in range(100):
        had, expected = rows(400, difficult, seed=100 + seed)
        mae, rmse = estimate(expected, held_out, seed=0)
        inside += mae.low <= had.absolute.mean() <= mae.high
        inside += rmse.low <= math.sqrt(had.squared.mean()) <= rmse.high
    assert inside >= 200 * LEVEL - 2.33 * math.sqrt(200 * LEVEL * (1 - LEVEL)) * math.sqrt(2)


@pytest.mark.parametrize("blocks_held", [True, False])
def test_times_that_differ_are_in_the_interval(blocks_held: bool) -> None:
    """The spread of errors is another each month; shuffled, the baseline would hide that, and it shows."""
    random = np.random.default_rng(7)

    def months(count: int) -> tuple[Losses, Losses]:
        spread = np.repeat(np.exp(random.normal(0, 0.15, count)), 400)
        error = random.normal(0, spread)
        flat = np.ones(error.size)
        return losses(np.zeros(error.size), error), Losses(flat * math.sqrt(2 / math.pi), flat)

    inside = 0
    for _ in range(150):
        (had, expected), (came, asked) = months(12), months(1)
        if not blocks_held:
            order = random.permutation(had.rows)
            had = Losses(had.absolute[order], had.squared[order])
        rmse = estimate(asked, (had, expected), seed=0)[1]
        inside += rmse.low <= math.sqrt(came.squared.mean()) <= rmse.high
    assert inside / 150 >= 0.85 if blocks_held else inside / 150 < 0.6


@pytest.mark.parametrize(
    ("rows", "size", "count"), [(1_000, 100, 10), (1_000, 900, 5), (103, 30, 5), (5_000, 33, 151)]
)
def test_blocks_cover_every_row_once(rows: int, size: int, count: int) -> None:
    cut = blocks(rows, size)
    assert len(cut) == count
    assert [place for each in cut for place in range(each.start, each.stop)] == list(range(rows))


def test_more_difficult_rows_are_seen_and_a_moved_market_is_not() -> None:
    held_out = rows(3_000, 0.2, seed=1)
    usual, harder = (estimate(rows(400, share, seed=2)[1], held_out, seed=0)[1] for share in (0.2, 0.6))
    assert harder.low > usual.high
    had, expected = rows(400, 0.2, seed=2)
    moved = losses(np.full(400, 10.0), np.zeros(400))  # every label ten higher, the inputs as before
    (_, rmse) = estimate(expected, held_out, seed=0)
    assert math.sqrt(had.squared.mean()) == pytest.approx(rmse.value, rel=0.2)
    assert math.sqrt(moved.squared.mean()) > 3 * rmse.high, "and nothing here could have told"


def test_a_biased_loss_model_is_set_right_by_the_held_out_rows() -> None:
    had, expected = rows(3_000, 0.2, seed=1)
    half = Losses(expected.absolute / 2, expected.squared / 4)
    of_window = rows(400, 0.2, seed=3)[1]
    right = estimate(of_window, (had, expected), seed=0)
    biased = estimate(Losses(of_window.absolute / 2, of_window.squared / 4), (had, half), seed=0)
    assert [each.value for each in biased] == pytest.approx([each.value for each in right])


@pytest.mark.parametrize(
    ("missed", "untrustworthy"), [(0, False), (2, False), (3, False), (6, True), (12, True)]
)
def test_intervals_that_miss_too_often_are_not_to_be_trusted(missed: int, untrustworthy: bool) -> None:
    """Of twelve: five misses or more come in 0.4 % of cases."""
    each = Estimated("rmse", 1.0, 0.9, 1.1)
    found = trust([(each, 2.0)] * missed + [(each, 1.0)] * (12 - missed))
    assert (found.judged, found.missed, found.untrustworthy) == (12, missed, untrustworthy)
    assert 0 < found.surprise <= 1


def test_nothing_judged_yet_is_no_distrust() -> None:
    assert not trust([]).untrustworthy


@pytest.mark.parametrize(
    ("window", "baseline", "reason"),
    [(29, 200, "want at least 30 rows to estimate, got 29"), (30, 99, "want at least 100 held-out rows")],
)
def test_too_few_rows_are_no_estimate(window: int, baseline: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        estimate(rows(window, 0.2, 1)[1], rows(baseline, 0.2, 2), seed=0)


def test_a_model_that_never_erred_has_no_ratio() -> None:
    nothing = Losses(np.zeros(200), np.zeros(200))
    with pytest.raises(ValueError, match="of which some loss is expected"):
        estimate(nothing, (nothing, nothing), seed=0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_predictions_that_are_no_numbers_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="want losses that are finite"):
        losses(np.array([1.0]), np.array([bad]))

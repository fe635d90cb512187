"""Attribution drift: AWS's rule with its documented example, and the calibrated verdict beside it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared import shared
from watchkeeper.core.errors import InputError
from watchkeeper.monitors import explainability
from watchkeeper.monitors.explainability import importances, ndcg
from watchkeeper.monitors.explainability_values import Aggregation, AttributionDrift, Attributions
from watchkeeper.readers import clarify as read
from watchkeeper.render.clarify import attribution_violations_json, attributions_json

NAMES = [f"f{place}" for place in range(10)]
WEIGHTS = 0.9 ** np.arange(10)
ROWS, TRIALS, NULL_TRIALS = 100, 200, 1_000
FIXTURE = "fixtures/model-monitor/clarify-explainability-endpoint-jsonl/baseline.analysis.json"


def rows_of(count: int, weights: np.ndarray, seed: int) -> np.ndarray:
    """Attributions of a linear model on independent normal features."""
    found: np.ndarray = np.random.default_rng(seed).normal(size=(count, weights.size)) * weights
    return found


def compared(baseline: np.ndarray, now: np.ndarray, seed: int = 0) -> AttributionDrift:
    return explainability.compare(explainability.chance(baseline, NAMES, len(now), seed), now)


def attributions(values: np.ndarray) -> Attributions:
    found = importances(values).tolist()
    return Attributions("label0", tuple(zip(NAMES, found, strict=True)), 0.0)


def test_the_documented_example() -> None:
    """The guide prints 0.69 for it."""
    baseline, live = (0.70, 0.50, 0.05), (0.10, 0.20, 0.70)
    pairs = [tuple(zip("abc", values, strict=True)) for values in (live, baseline)]
    assert ndcg(*pairs) == pytest.approx(0.6876, abs=5e-5)
    current, before = (Attributions("label0", each, 0.0) for each in pairs)
    violations = explainability.check(current, before)
    (written,) = json.loads(attribution_violations_json(violations))["violations"]
    assert written["constraint_check_type"] == "feature_attribution_drift_check"
    assert written["description"].startswith("Feature attribution drift 0.687")
    assert written["description"].endswith(" exceeds threshold 0.9")


@given(st.lists(st.floats(0.001, 100), min_size=2, max_size=10))
def test_the_same_order_is_one_and_any_other_is_no_more(values: list[float]) -> None:
    baseline = [(str(place), value) for place, value in enumerate(values)]
    assert ndcg(baseline, baseline) == pytest.approx(1)
    shuffled = list(reversed([value for _, value in baseline]))
    moved = [(name, value) for (name, _), value in zip(baseline, shuffled, strict=True)]
    assert 0 < ndcg(moved, baseline) <= 1 + 1e-12


def test_aggregations() -> None:
    values = np.array([[1.0, -2.0], [3.0, -4.0], [-5.0, 0.0]])
    assert importances(values).tolist() == [3.0, 2.0]
    assert importances(values, Aggregation.MEAN_SQ).tolist() == [35 / 3, 20 / 3]
    assert importances(values, Aggregation.MEDIAN).tolist() == [1.0, -2.0]


def test_a_top_feature_at_a_quarter_passes_awss_rule_and_is_found_by_ours() -> None:
    """Line 5 of the goal: 100 rows, importances falling by 0.9, the first one's effect divided by four."""
    baseline, fallen = rows_of(2_000, WEIGHTS, seed=1), WEIGHTS * np.array([0.25, *[1.0] * 9])
    before, found, theirs = attributions(baseline), 0, 0
    by = explainability.chance(baseline, NAMES, ROWS, seed=0)
    for trial in range(TRIALS):
        now = rows_of(ROWS, fallen, seed=10_000 + trial)
        theirs += ndcg(attributions(now).importances, before.importances) < 0.9
        drift = explainability.compare(by, now)
        found += drift.drifted and drift.moved[0].feature == "f0"
    assert theirs == 0, "NDCG does not see it in any trial"
    assert found >= 0.99 * TRIALS


def test_alarms_on_the_baselines_own_kind_are_no_more_than_promised() -> None:
    baseline = rows_of(2_000, WEIGHTS, seed=1)
    by = explainability.chance(baseline, NAMES, ROWS, seed=0)
    windows = (rows_of(ROWS, WEIGHTS, seed=50_000 + trial) for trial in range(NULL_TRIALS))
    alarms = sum(explainability.compare(by, window).drifted for window in windows)
    expected = 0.05 * NULL_TRIALS
    assert alarms <= expected + 2.33 * np.sqrt(0.95 * expected), "5 %, and what chance adds to it"
    assert alarms >= expected / 3, "a limit that nothing ever reaches finds nothing"


def test_the_verdict_names_what_moved_and_comes_out_again() -> None:
    baseline, now = rows_of(500, WEIGHTS, 1), rows_of(400, WEIGHTS * np.array([1, 1, 3, *[1] * 7]), 2)
    drift, again = (compared(baseline, now, seed=5) for _ in range(2))
    assert drift == again
    assert (drift.drifted, drift.moved[0].feature, drift.rows) == (True, "f2", 400)
    assert drift.p_value < 0.01
    (violation,) = explainability.check(attributions(baseline), attributions(baseline), drift)
    assert ": f2 0." in violation.description


@pytest.mark.parametrize(
    ("before", "after", "features", "reason"),
    [
        (29, 100, 10, "at least 30 rows of 10 features in the baseline, got shape \\(29, 10\\)"),
        (100, 29, 10, "want samples of at least 30 rows, got 29"),
        (100, 100, 9, "10 features in the current rows, got shape \\(100, 9\\)"),
    ],
)
def test_too_few_rows_and_other_features_are_no_verdict(
    before: int, after: int, features: int, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        compared(rows_of(before, WEIGHTS, 1), rows_of(after, WEIGHTS[:features], 2))


def test_a_feature_that_never_counted_and_now_does_is_found() -> None:
    baseline, now = (rows_of(200, WEIGHTS, seed) for seed in (1, 2))
    baseline[:, 9] = 0.0
    assert compared(baseline, now).moved[0].feature == "f9"
    now[:, 9] = 0.0
    assert not compared(baseline, now).drifted


@pytest.mark.parametrize(
    ("current", "baseline", "reason"),
    [
        ((("a", 1.0),), (("b", 1.0),), "want the same features on both sides, a, b"),
        ((("a", 1.0),), (("a", 0.0),), "want a baseline in which some feature counts"),
    ],
)
def test_what_cannot_be_compared(
    current: tuple[tuple[str, float], ...], baseline: tuple[tuple[str, float], ...], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        ndcg(current, baseline)


@pytest.mark.parametrize(
    ("values", "reason"),
    [(np.empty((0, 2)), "at least one row"), (np.array([[np.nan, 1.0]]), "want finite attributions, got 1")],
)
def test_attributions_without_a_mean(values: np.ndarray, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        importances(values)


def test_awss_baseline_comes_back_to_the_byte() -> None:
    text = shared(FIXTURE).read_text()
    (found,) = read.attributions(text, "analysis.json")
    assert (found.label, len(found.importances)) == ("label0", 14)
    assert attributions_json(found) == text.rstrip("\n")
    assert ndcg(found.importances, found.importances) == pytest.approx(1)
    with pytest.raises(InputError, match=r"analysis\.json"):
        read.attributions("{}", "analysis.json")

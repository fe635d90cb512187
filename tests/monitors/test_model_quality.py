import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.problems import ProblemType
from watchkeeper.core.values import Undefined
from watchkeeper.monitors import model_quality
from watchkeeper.monitors.answers import Answers
from watchkeeper.monitors.model_quality import Settings
from watchkeeper.monitors.model_quality_values import (
    MetricConstraint,
    Operator,
    QualityConstraints,
    QualityStatistics,
)

Y = np.array([100.0, 200.0, 300.0, 400.0])
P = np.array([110.0, 190.0, 330.0, 400.0])


def measured(labels: np.ndarray, predictions: np.ndarray, seed: int = 1) -> QualityStatistics:
    return model_quality.statistics(Answers.of_numbers(labels, predictions), seed)


def noisy(rows: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    labels = random.uniform(100, 900, rows)
    return labels, labels + random.normal(0, spread, rows)


def test_figures_by_hand() -> None:
    found = model_quality.figures(Y, P)
    assert (found.rows, found.mae, found.bias) == (4, 12.5, 0.03)
    assert found.rmse == math.sqrt(1100 / 4)
    assert found.mape == pytest.approx((0.1 + 0.05 + 0.1) / 4)
    assert found.r2 == 1 - 1100 / 50_000


@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(1, 1e6)), min_size=2, max_size=50))
def test_statistics_and_figures_agree_and_match_numpy(pairs: list[tuple[float, float]]) -> None:
    y, p = np.array(pairs).T
    found = measured(y, p)
    assert found.figure("mae").value == pytest.approx(float(np.abs(y - p).mean()))
    assert found.figure("rmse").value == pytest.approx(math.sqrt(float(((y - p) ** 2).mean())))
    if len(set(y.tolist())) > 1 and not isinstance(found.figure("r2").value, Undefined):
        assert model_quality.figures(y, p).r2 == found.figure("r2").value


def test_sums_are_left_to_right() -> None:
    y, p = np.full(1000, 0.3), np.full(1000, 0.2)
    assert measured(y, p).figure("mae").value == sum([0.3 - 0.2] * 1000) / 1000


def test_the_deviation_is_that_of_five_samples_by_the_seed() -> None:
    y, p = noisy(1000, spread=50)
    first, again = (measured(y, p, seed=5) for _ in range(2))
    assert first == again
    assert first.figure("rmse").standard_deviation != measured(y, p, seed=6).figure("rmse").standard_deviation
    deviation = first.figure("rmse").standard_deviation
    assert isinstance(deviation, float)
    assert 0 < deviation < 3


def test_below_200_rows_there_is_no_deviation() -> None:
    few, enough = (measured(*noisy(rows, 1)) for rows in (199, 200))
    assert few.figure("mae").standard_deviation == Undefined("fewer than 200 rows")
    assert isinstance(enough.figure("mae").standard_deviation, float)


def test_labels_that_do_not_vary_leave_r2_undefined() -> None:
    found = measured(np.full(300, 0.1), np.linspace(0, 1, 300))
    assert found.figure("r2").value == Undefined("the labels do not vary")
    assert isinstance(found.figure("r2").standard_deviation, Undefined)
    constraints = model_quality.suggest(found)
    assert [c.metric for c in constraints.metrics] == ["mae", "mse", "rmse"]
    with pytest.raises(ValueError, match="r2: the labels do not vary"):
        model_quality.figures(np.full(3, 0.1), np.ones(3))


@pytest.mark.parametrize(
    ("labels", "predictions", "reason"),
    [
        ([], [], "at least one label"),
        ([1.0, 2.0], [1.0], "one prediction per label"),
        ([1.0, math.nan], [1.0, 2.0], "want finite labels, got 1 of 2"),
        ([1.0, 2.0], [math.inf, math.inf], "want finite predictions, got 2 of 2"),
    ],
)
def test_input_without_figures_is_refused(labels: list[float], predictions: list[float], reason: str) -> None:
    for judge in (model_quality.figures, measured):
        with pytest.raises(ValueError, match=reason):
            judge(np.array(labels), np.array(predictions))


def test_no_row_is_left_out_of_mape_in_silence() -> None:
    with pytest.raises(ValueError, match="mape: want labels other than 0, got 0 in 2 of 3 rows"):
        model_quality.figures(np.array([0.0, 1.0, 0.0]), np.ones(3))


def test_suggested_thresholds_are_the_figures_and_equality_passes() -> None:
    baseline = measured(Y, P)
    constraints = model_quality.suggest(baseline)
    assert [(c.metric, c.threshold) for c in constraints.metrics] == [
        (n, f.value) for n, f in baseline.figures()
    ]
    assert [c.comparison_operator for c in constraints.metrics] == [Operator.GREATER] * 3 + [Operator.LESS]
    assert model_quality.check(baseline, constraints, Settings()) == ()


def test_a_worse_window_violates_each_threshold_in_the_contracts_words() -> None:
    constraints = model_quality.suggest(measured(Y, P))
    found = model_quality.check(measured(Y, P + 40), constraints, Settings())
    assert [(v.subject, v.check) for v in found] == [
        ("mae", "GreaterThanThreshold"),
        ("mse", "GreaterThanThreshold"),
        ("rmse", "GreaterThanThreshold"),
        ("r2", "LessThanThreshold"),
    ]
    assert found[0].description == "Metric mae with 47.5 +/- NaN was GreaterThanThreshold '12.5'"


@pytest.mark.parametrize(("ratio", "violated"), [(1.24, 0), (1.26, 4)])
def test_tolerance_is_one_ratio_of_errors_for_all_figures(ratio: float, violated: int) -> None:
    constraints = model_quality.suggest(measured(Y, P))
    window = measured(Y, Y + (P - Y) * ratio)
    assert len(model_quality.check(window, constraints, Settings(tolerance=1.25))) == violated


def test_a_metric_regression_does_not_have_is_not_judged() -> None:
    foreign = QualityConstraints(ProblemType.REGRESSION, (MetricConstraint("f2", 0.5, Operator.LESS),))
    assert model_quality.check(measured(Y, P), foreign, Settings()) == ()


@pytest.mark.parametrize("tolerance", [0.0, -1.0, math.nan, math.inf])
def test_a_tolerance_is_above_zero(tolerance: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Settings(tolerance=tolerance)


def test_segments_come_worst_first_and_only_with_enough_rows() -> None:
    labels, _ = noisy(129, 0)
    frame = pl.DataFrame({"town": ["A"] * 50 + ["B"] * 50 + ["C"] * 29, "kind": ["x", ""] * 64 + ["x"]})
    predictions = labels + np.where(np.arange(129) < 50, 10.0, 20.0)
    found = model_quality.segments(frame, labels, predictions, ("town", "kind"))
    assert [(s.column, s.value) for s in found] == [("town", "B"), ("kind", "x"), ("town", "A")]
    assert found[0].metrics == model_quality.figures(labels[50:100], predictions[50:100])


def test_segments_want_a_label_per_row() -> None:
    with pytest.raises(ValueError, match="one label per row, got 4 for 1 rows"):
        model_quality.segments(pl.DataFrame({"a": ["x"]}), Y, P, ("a",))

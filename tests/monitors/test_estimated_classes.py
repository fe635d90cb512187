"""Estimated classification quality: laws of expected figures, intervals, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.values import Undefined
from watchkeeper.model import chance_model
from watchkeeper.monitors import estimated_classes, model_quality
from watchkeeper.monitors.answers import Answers
from watchkeeper.monitors.estimated_classes import Chances, estimate, figures


def calibrated(count: int, seed: int, least: float = 0.0) -> tuple[Chances, np.ndarray]:
    """Rows whose score is their chance, and labels drawn by it."""
    random = np.random.default_rng(seed)
    chance = random.uniform(least, 1, count)
    return Chances(chance, chance > 0.5, chance), (random.random(count) < chance).astype(float)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=1, max_size=50))
def test_with_labels_for_chances_the_figures_are_those_of_model_quality(rows: list[tuple[bool, int]]) -> None:
    labels, scores = (np.array(each, dtype=float) for each in zip(*rows, strict=True))
    answers = Answers.of_classes(
        [str(int(each)) for each in labels], [str(int(each > 5)) for each in scores], scores / 10
    )
    exact = dict(model_quality.statistics(answers, seed=0).figures())
    for name, value in figures(Chances(labels, scores > 5, scores / 10)).items():
        wanted = exact[name].value
        if isinstance(wanted, Undefined) or isinstance(value, Undefined):
            assert isinstance(wanted, Undefined)
        else:
            assert value == pytest.approx(wanted)


def test_a_calibrated_models_accuracy_is_its_mean_confidence() -> None:
    rows, _ = calibrated(500, seed=1)
    accuracy = figures(rows)["accuracy"]
    assert accuracy == pytest.approx(np.maximum(rows.chance, 1 - rows.chance).mean())


def test_intervals_hold_what_comes_also_when_rows_are_easier() -> None:
    held_out, inside, judged = calibrated(2_000, seed=1), 0, 0
    for seed in range(12):
        window, labels = calibrated(500, 100 + seed, least=0.3)
        came = figures(Chances(labels, window.answered, window.scores))
        for each in estimate(window, held_out, seed=0):
            value = came[each.metric]
            assert not isinstance(value, Undefined)
            inside += each.low <= value <= each.high
            judged += 1
    assert judged == 12 * 5
    assert inside >= 0.8 * judged


def test_features_calibrate_where_the_score_alone_could_not() -> None:
    """The score is right in half of the rows and upside down in the others, as a feature tells."""
    random = np.random.default_rng(0)
    feature, scores = random.integers(0, 2, 4_000).astype(float), random.uniform(0.05, 0.95, 4_000)
    truth = np.where(feature == 1, scores, 1 - scores)
    labels = (random.random(4_000) < truth).astype(float)
    model = chance_model.fit(feature[:, None].astype(np.float32), scores, labels, seed=0)
    assert np.abs(model.chances(feature[:, None].astype(np.float32), scores) - truth).mean() < 0.05
    assert np.abs(model.held_out - truth).mean() < 0.06


@pytest.mark.parametrize(
    ("chance", "scores", "reason"),
    [([1.5], [0.5], "want chances from 0 to 1, got 1 of 1"), ([0.5], [np.nan], "want scores from 0 to 1"),
     ([0.5, 0.5], [0.5], "of one length")],
)  # fmt: skip
def test_what_is_no_chance(chance: list[float], scores: list[float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Chances(np.array(chance), np.array(chance) > 0.5, np.array(scores))


def test_too_few_rows_and_one_class_are_no_estimate() -> None:
    held_out, window = calibrated(200, 1), calibrated(40, 2)[0]
    with pytest.raises(ValueError, match="at least 30 rows"):
        estimate(window.take(np.arange(29)), held_out, seed=0)
    few, labels = calibrated(99, 1)
    with pytest.raises(ValueError, match="at least 100 held-out rows"):
        estimate(window, (few, labels), seed=0)
    one_class = Chances(np.ones(40), np.ones(40, bool), np.ones(40))
    assert figures(one_class)["auc"] == Undefined("the rows are of one class")
    assert "auc" not in {each.metric for each in estimated_classes.estimate(one_class, held_out, seed=0)}
    with pytest.raises(ValueError, match="labels of 0 and 1"):
        chance_model.fit(np.zeros((2, 1), np.float32), np.array([0.5, 0.5]), np.array([0.0, 2.0]), seed=0)

"""Binary and multiclass figures: by hand, on AWS's documented samples, and as laws on random data."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared import shared
from watchkeeper.core.problems import PROBLEMS, Better, ProblemType
from watchkeeper.core.values import Undefined
from watchkeeper.monitors import classification, model_quality
from watchkeeper.monitors.answers import Answers, thresholded
from watchkeeper.monitors.model_quality import FORMULAS, Settings
from watchkeeper.monitors.model_quality_values import (
    ConfusionMatrix,
    Curve,
    Figure,
    Operator,
    QualityStatistics,
)
from watchkeeper.readers import contract
from watchkeeper.render.contract import constraints_json, statistics_json

SAMPLES = "fixtures/model-monitor/docs-model-quality/{}_classification_metrics.json"
BINARY, MULTICLASS = ProblemType.BINARY, ProblemType.MULTICLASS


def binary(
    labels: Sequence[str], predictions: Sequence[str], scores: Sequence[float] | None = None
) -> Answers:
    return Answers.of_classes(labels, predictions, None if scores is None else np.array(scores))


def values(statistics: QualityStatistics) -> dict[str, float]:
    return {name: each.value for name, each in statistics.figures() if not isinstance(each.value, Undefined)}


def documented(problem: str) -> dict[str, float]:
    (block,) = json.loads(shared(SAMPLES.format(problem)).read_text()).values()
    return {name: each["value"] for name, each in block.items() if "value" in each}


def test_awss_documented_binary_sample() -> None:
    """Its matrix gives its figures; its curve is of other rows, four positive ones, as the shape shows."""
    found = model_quality.statistics(binary(["0", "0", "0", "1"], ["0", "1", "1", "1"]), seed=0)
    wanted = documented("binary")
    assert values(found) == {name: value for name, value in wanted.items() if name != "auc"}
    curves = model_quality.statistics(binary(["1"] * 4, ["1"] * 4, [0.9, 0.8, 0.7, 0.6]), seed=0)
    (block,) = json.loads(shared(SAMPLES.format("binary")).read_text()).values()
    ours = json.loads(statistics_json(curves))["binary_classification_metrics"]
    for name in ("receiver_operating_characteristic_curve", "precision_recall_curve"):
        assert ours[name] == block[name]
    assert list(ours) == list(block)


def test_awss_documented_multiclass_sample() -> None:
    cells = {("0", "0"): 1180, ("0", "1"): 510, ("1", "0"): 268, ("1", "1"): 138}
    labels = [label for (label, _), count in cells.items() for _ in range(count)]
    predictions = [prediction for (_, prediction), count in cells.items() for _ in range(count)]
    found = model_quality.statistics(Answers.of_classes(labels, predictions, problem=MULTICLASS), seed=0)
    wanted = documented("multiclass")
    assert values(found) == pytest.approx(wanted, rel=1e-14)
    assert list(values(found)) == list(wanted)
    deviation = found.figure("accuracy").standard_deviation
    assert isinstance(deviation, float)
    assert 0 < deviation < 0.02, "AWS's own is 0.0038"


def test_a_matrix_has_labels_in_rows_and_answers_in_columns() -> None:
    answers = Answers.of_classes(["a", "a", "b", "c"], ["a", "b", "b", "a"], problem=MULTICLASS)
    assert classification.confusion_matrix(answers) == ConfusionMatrix(
        ("a", "b", "c"), ((1, 1, 0), (0, 1, 0), (1, 0, 0))
    )


pairs = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=1, max_size=60)


@given(pairs)
def test_the_area_is_the_chance_that_a_positive_row_scores_higher(rows: list[tuple[bool, int]]) -> None:
    """Hanley and McNeil (1982): ties count half."""
    labels, scores = [str(int(label)) for label, _ in rows], [score / 20 for _, score in rows]
    high = [score for label, score in rows if label]
    low = [score for label, score in rows if not label]
    area = classification.auc(binary(labels, thresholded(np.array(scores), 0.5), scores))
    if not high or not low:
        assert area == Undefined("the labels are of one class")
        return
    chances = [1.0 if h > each else 0.5 if h == each else 0.0 for h in high for each in low]
    assert area == pytest.approx(sum(chances) / len(chances))


@given(pairs)
def test_curves_rise_and_end_at_one(rows: list[tuple[bool, int]]) -> None:
    scores = [score / 20 for _, score in rows]
    answers = binary([str(int(label)) for label, _ in rows], thresholded(np.array(scores), 0.5), scores)
    roc, recalls = classification.roc_curve(answers), classification.precision_recall_curve(answers)
    assert isinstance(roc, Curve)
    assert isinstance(recalls, Curve)
    for points in (*roc.points, recalls.points[1]):
        assert all(later >= earlier for earlier, later in itertools.pairwise(points))
    assert [points[-1] for points in roc.points] == [1.0, 1.0]
    assert len(recalls.points[0]) == len(recalls.points[1]) == len(set(scores)) + 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40))
def test_weighted_recall_is_accuracy(rows: list[tuple[str, str]]) -> None:
    labels, predictions = zip(*rows, strict=True)
    found = values(
        model_quality.statistics(Answers.of_classes(labels, predictions, problem=MULTICLASS), seed=0)
    )
    assert found["weighted_recall"] == pytest.approx(found["accuracy"])
    assert found["weighted_f0_5"] <= 1


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_f1_is_the_harmonic_mean_and_rates_are_complements(rows: list[tuple[bool, bool]]) -> None:
    labels, predictions = zip(*[(str(int(a)), str(int(b))) for a, b in rows], strict=True)
    found = values(model_quality.statistics(binary(labels, predictions), seed=0))
    for left, right in (
        ("true_positive_rate", "false_negative_rate"),
        ("true_negative_rate", "false_positive_rate"),
    ):
        assert (left in found) == (right in found)
        if left in found:
            assert found[left] + found[right] == pytest.approx(1)
    if found.get("precision") and found.get("recall"):
        both = 1 / found["precision"] + 1 / found["recall"]
        assert found["f1"] == pytest.approx(2 / both)


def test_a_ratio_without_rows_says_why_and_is_no_zero() -> None:
    found = model_quality.statistics(binary(["0", "0"], ["0", "0"]), seed=0)
    assert found.figure("recall").value == Undefined("no row is of the positive class")
    assert found.figure("precision").value == Undefined("no answer is the positive class")
    assert found.figure("f1").value == Undefined("no answer is the positive class")
    assert '"value" : "NaN"' in statistics_json(found)
    assert {each.metric for each in model_quality.suggest(found).metrics} == {
        "accuracy", "true_negative_rate", "false_positive_rate",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "predictions", "scores", "reason"),
    [
        ([], [], None, "at least one label"),
        (["1"], ["1", "0"], None, "one prediction per label"),
        (["1", ""], ["1", "0"], None, "want a class in every label"),
        (["1", "2", "3"], ["1", "2", "3"], None, "want two classes, got 3: 1, 2, 3"),
        (["1", "0"], ["1", "0"], [0.5, 1.5], "want probabilities from 0 to 1, got 1 others such as 1.5"),
        (["1", "0"], ["1", "0"], [0.5, math.nan], "want probabilities from 0 to 1, got 1 others such as nan"),
        (["1", "0"], ["1", "0"], [0.5], "one probability per label"),
    ],
)
def test_what_is_no_classification_is_refused(
    labels: list[str], predictions: list[str], scores: list[float] | None, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        binary(labels, predictions, scores)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (
            ["1.0", "0", "1"],
            ("0", "1"),
        ),  # of one class, where AWS sees two
        (["yes", "no"], ("no", "yes")),
        (["1", "2"], ("2", "1")),
        (["10", "9"], ("9", "10")),
        (["1"], ("0", "1")),
        (["spam"], ("not spam", "spam")),
    ],
)
def test_classes_are_texts_in_order_and_the_positive_one_is_last(
    labels: list[str], classes: tuple[str, str]
) -> None:
    assert binary(labels, labels).classes == classes


def test_the_probability_has_to_be_above_the_threshold() -> None:
    assert thresholded(np.array([0.2, 0.5, 0.7]), 0.5) == ["0", "0", "1"]


def test_a_worse_model_crosses_the_lines_of_its_baseline() -> None:
    labels = ["0", "1"] * 50
    good = ["0", "1"] * 45 + ["1", "0"] * 5
    constraints = model_quality.suggest(model_quality.statistics(binary(labels, good), seed=0))
    operators = {each.metric: each.comparison_operator for each in constraints.metrics}
    assert (operators["f1"], operators["false_positive_rate"]) == (Operator.LESS, Operator.GREATER)
    assert not [name for name in operators if "best_constant" in name]
    bad = model_quality.statistics(binary(labels, ["1", "0"] * 10 + good[20:]), seed=0)
    assert {each.subject for each in model_quality.check(bad, constraints, Settings())} == set(operators)
    assert model_quality.check(bad, constraints, Settings(tolerance=4.0)) == ()
    regression = model_quality.statistics(Answers.of_numbers(np.ones(2), np.ones(2)), seed=0)
    with pytest.raises(ValueError, match="want constraints of Regression, got BinaryClassification"):
        model_quality.check(regression, constraints, Settings())


@pytest.mark.parametrize("problem", [BINARY, MULTICLASS])
@given(rows=st.lists(st.tuples(st.sampled_from("01"), st.integers(0, 9)), min_size=1, max_size=300))
def test_files_come_back_as_they_were(problem: ProblemType, rows: list[tuple[str, int]]) -> None:
    scores = np.array([score / 9 for _, score in rows])
    answers = Answers.of_classes(
        [label for label, _ in rows], thresholded(scores, 0.5), scores if problem is BINARY else None, problem
    )
    statistics = model_quality.statistics(answers, seed=0)
    written = statistics_json(statistics)
    assert statistics_json(contract.quality_statistics(written, "s.json")) == written
    constraints = model_quality.suggest(statistics)
    assert contract.quality_constraints(constraints_json(constraints), "c.json") == constraints


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_problem_type_names_just_the_figures_it_has(problem: ProblemType) -> None:
    labels = ["0", "1", "1", "0"]
    answers = {
        ProblemType.REGRESSION: Answers.of_numbers(np.arange(1.0, 5), np.arange(2.0, 6)),
        BINARY: binary(labels, labels, [0.1, 0.9, 0.8, 0.2]),
        MULTICLASS: Answers.of_classes(labels, labels, problem=MULTICLASS),
    }[problem]
    statistics = model_quality.statistics(answers, seed=0)
    assert [name for name, _ in statistics.figures()] == [each.name for each in PROBLEMS[problem].metrics]
    assert list(FORMULAS[problem]) == [name for name, _ in statistics.measures]
    assert all(isinstance(each, Figure | Curve | ConfusionMatrix) for _, each in statistics.measures)
    for metric in PROBLEMS[problem].metrics:
        assert (metric.better is Better.LOWER) == (
            metric.name in ("mae", "mse", "rmse", "false_positive_rate", "false_negative_rate")
        )

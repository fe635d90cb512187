"""Every figure of quality against scikit-learn's, on random data of every problem type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.oracles import answers_of
from watchkeeper.core.problems import PROBLEMS, ProblemType
from watchkeeper.core.values import Undefined
from watchkeeper.monitors import model_quality
from watchkeeper.monitors.answers import Answers, thresholded
from watchkeeper.monitors.explainability import ndcg

CASES = 40
Case = tuple[str, list[Any]]


def regression(random: np.random.Generator) -> tuple[Case, dict[str, float]]:
    y = random.uniform(10, 1_000, random.integers(2, 300))
    p = y * random.uniform(0.5, 1.5, y.size)
    found = {name: each.value for name, each in statistics(Answers.of_numbers(y, p)).items()}
    return ("regression", [y.tolist(), p.tolist()]), {**found, "mape": model_quality.figures(y, p).mape}


def binary(random: np.random.Generator) -> tuple[Case, dict[str, float]]:
    count = int(random.integers(20, 300))
    scores = random.integers(0, random.integers(3, 100), count) / 100  # with ties
    scores[:2] = 0.2, 0.8  # one answer of either class
    y = ["1", "0", *(str(int(each)) for each in random.random(count - 2) < scores[2:])]
    p = thresholded(scores, 0.5)
    found = statistics(Answers.of_classes(y, p, scores))
    return ("binary", [y, p, scores.tolist()]), {name: each.value for name, each in found.items()}


def multiclass(random: np.random.Generator) -> tuple[Case, dict[str, float]]:
    names, count = list("abcde"[: random.integers(2, 6)]), int(random.integers(5, 300))
    y, p = (random.choice(names, count).tolist() for _ in range(2))
    found = statistics(Answers.of_classes(y, p, problem=ProblemType.MULTICLASS))
    return ("multiclass", [y, p]), {name: each.value for name, each in found.items()}


def order_of_features(random: np.random.Generator) -> tuple[Case, dict[str, float]]:
    count = int(random.integers(2, 20))
    gains, now = random.random(count).tolist(), random.permutation(count).astype(float).tolist()
    names = [str(place) for place in range(count)]
    score = ndcg(list(zip(names, now, strict=True)), list(zip(names, gains, strict=True)))
    return ("ndcg", [gains, now]), {"ndcg": score}


def statistics(answers: Answers) -> dict[str, Any]:
    return dict(model_quality.statistics(answers, seed=0).figures())


@pytest.mark.parametrize("make", [regression, binary, multiclass, order_of_features])
def test_every_figure_is_scikit_learns(make: Any) -> None:
    ours = [make(np.random.default_rng(seed)) for seed in range(CASES)]
    answers = answers_of("quality.py", [case for case, _ in ours])
    for (case, found), theirs in zip(ours, answers, strict=True):
        assert found.keys() == theirs.keys(), case[0]
        for name, value in theirs.items():
            assert not isinstance(found[name], Undefined), (name, found[name])
            assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-12), (case[0], name)


def test_the_oracle_knows_every_figure_there_is() -> None:
    made = {
        problem: make(np.random.default_rng(0))[1]
        for problem, make in zip(PROBLEMS, (regression, binary, multiclass), strict=True)
    }
    for problem, found in made.items():
        assert found.keys() >= {metric.name for metric in PROBLEMS[problem].metrics}

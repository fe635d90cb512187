"""SHAP values of trees: against the definition, against XGBoost's own, and what is left to XGBoost."""

from __future__ import annotations

import json
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import answers_of
from watchkeeper.model import contributions as module
from watchkeeper.model.contributions import contributions


def table(rows: int, features: int, seed: int, missing: float = 0.05) -> np.ndarray[Any, Any]:
    random = np.random.default_rng(seed)
    found = random.normal(size=(rows, features)).round(1).astype(np.float32)
    found[random.random(found.shape) < missing] = np.nan
    return found


def trained(matrix: np.ndarray[Any, Any], seed: int, rounds: int = 6, **settings: Any) -> xgb.Booster:
    random = np.random.default_rng(seed)
    known = np.nan_to_num(matrix)
    target = known[:, 0] * known[:, 1] + np.abs(known[:, -1]) + 0.1 * random.normal(size=len(matrix))
    if settings.get("objective", "").startswith("binary"):
        target = (target > 0).astype(float)
    return xgb.train({"seed": seed, **settings}, xgb.DMatrix(matrix, target), rounds)


def by_definition(booster: xgb.Booster, row: np.ndarray[Any, Any]) -> list[float]:
    """Shapley's sum over all coalitions; features outside go both ways by the training rows' shares."""
    trees = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"]

    def answer(tree: dict[str, Any], node: int, inside: frozenset[int]) -> float:
        left, right = tree["left_children"][node], tree["right_children"][node]
        if left < 0:
            return float(tree["split_conditions"][node])
        feature, cover = tree["split_indices"][node], tree["sum_hessian"]
        if feature not in inside:
            both = (cover[child] * answer(tree, child, inside) for child in (left, right))
            return float(sum(both)) / float(cover[node])
        value = row[feature]
        goes_left = tree["default_left"][node] if np.isnan(value) else value < tree["split_conditions"][node]
        return answer(tree, left if goes_left else right, inside)

    count = len(row)

    def worth(inside: frozenset[int]) -> float:
        return float(sum(answer(tree, 0, inside) for tree in trees))

    found = []
    for feature in range(count):
        others = [each for each in range(count) if each != feature]
        found.append(
            sum(
                factorial(size) * factorial(count - size - 1) / factorial(count)
                * (worth(frozenset(inside) | {feature}) - worth(frozenset(inside)))
                for size in range(count)
                for inside in combinations(others, size)
            )
        )  # fmt: skip
    return found


@pytest.fixture(autouse=True)
def tables_for_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_ROWS", 0)


def test_contributions_are_shapley_values() -> None:
    matrix = table(300, 4, seed=0)
    booster = trained(matrix, seed=0, max_depth=5)
    found = contributions(booster, matrix[:20])
    assert found.method == "tables"
    for row, values in zip(matrix[:20], found.values, strict=True):
        assert values == pytest.approx(by_definition(booster, row), abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    depth=st.integers(1, 7),
    features=st.integers(2, 12),
    grow=st.sampled_from(["depthwise", "lossguide"]),
    objective=st.sampled_from(["reg:squarederror", "binary:logistic"]),
)
def test_contributions_are_those_of_xgboost(
    seed: int, depth: int, features: int, grow: str, objective: str
) -> None:
    matrix = table(500, features, seed)
    booster = trained(
        matrix, seed, max_depth=depth, grow_policy=grow, objective=objective, tree_method="hist"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LEAST_ROWS", 0)
        found = contributions(booster, matrix)
    margins = booster.predict(xgb.DMatrix(matrix), output_margin=True)
    theirs = booster.predict(xgb.DMatrix(matrix), pred_contribs=True)
    assert found.method == "tables"
    assert np.abs(found.values - theirs[:, :-1]).max() <= 1e-4 * margins.std()
    assert np.abs(found.values.sum(axis=1) + found.expected - margins).max() <= 1e-4 * margins.std()


def test_rows_are_explained_block_by_block_and_trees_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = table(1_000, 5, seed=1)
    booster = trained(matrix, seed=1, max_depth=6)
    whole = contributions(booster, matrix)
    monkeypatch.setattr(module, "_BLOCK", 64)
    monkeypatch.setattr(module, "_TABLE_BYTES", 2**20)
    assert contributions(booster, matrix).values == pytest.approx(whole.values, abs=1e-5)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"booster": "dart"}, "a dart model"),
        ({"max_depth": 14, "min_child_weight": 0, "grow_policy": "lossguide", "max_leaves": 0}, "levels"),
    ],
)
def test_what_has_no_tables_is_left_to_xgboost_and_says_so(settings: dict[str, Any], why: str) -> None:
    matrix = table(20_000, 3, seed=2).cumsum(axis=1, dtype=np.float32)
    booster = trained(matrix, seed=2, rounds=1, **settings)
    found = contributions(booster, matrix[:50])
    assert found.method.startswith("XGBoost: ")
    assert why in found.method
    assert found.values.shape == (50, 3)


def test_category_splits_are_left_to_xgboost() -> None:
    codes = np.arange(400) % 7
    data = xgb.DMatrix(
        np.column_stack([codes, np.arange(400)]).astype(np.float32),
        (codes == 3).astype(float),
        feature_types=["c", "q"],
        enable_categorical=True,
    )
    booster = xgb.train({"max_depth": 3, "max_cat_to_onehot": 10}, data, 3)
    reason = module._trees(booster, 2)[1]
    assert reason == "native category splits"


def test_several_outputs_are_refused() -> None:
    matrix = table(200, 3, seed=3)
    data = xgb.DMatrix(matrix, np.arange(200) % 3)
    booster = xgb.train({"objective": "multi:softprob", "num_class": 3}, data, 2)
    with pytest.raises(ValueError, match="want one output"):
        contributions(booster, matrix)


def test_few_rows_are_left_to_xgboost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    matrix = table(200, 3, seed=4)
    assert contributions(trained(matrix, seed=4), matrix).method == "XGBoost: fewer than 2,000 rows"


def test_rows_of_another_width_and_infinite_values_are_refused() -> None:
    matrix = table(200, 3, seed=5)
    booster = trained(matrix, seed=5)
    with pytest.raises(ValueError, match=r"want rows of 3 features, got shape \(200, 2\)"):
        contributions(booster, matrix[:, :2])
    with pytest.raises(ValueError, match="infinite"):
        contributions(booster, np.full((1, 3), np.inf, dtype=np.float32))


def test_no_rows_have_no_contributions() -> None:
    matrix = table(200, 3, seed=6)
    assert contributions(trained(matrix, seed=6), matrix[:0]).values.shape == (0, 3)


def test_contributions_are_those_of_shap() -> None:
    cases, ours = [], []
    for seed in range(12):
        matrix = table(400, 2 + seed, seed)
        booster = trained(matrix, seed, max_depth=1 + seed % 7)
        raw = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"]
        rows = [[None if np.isnan(value) else float(value) for value in row] for row in matrix[:40]]
        cases.append((raw, rows))
        ours.append(contributions(booster, matrix[:40]).values)
    for found, theirs in zip(ours, answers_of("shap_values.py", cases), strict=True):
        assert found == pytest.approx(np.array(theirs), abs=1e-5)

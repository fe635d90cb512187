"""What shap's own walk over trees makes of the models on standard input; run by a Python that has it."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import shap  # type: ignore[import-not-found]


def as_shap_tree(tree: dict[str, Any]) -> dict[str, Any]:
    """XGBoost's tree for shap, which goes left of a threshold that it takes for inclusive."""
    left = np.array(tree["left_children"])
    threshold = np.nextafter(np.array(tree["split_conditions"], dtype=np.float32), np.float32(-np.inf))
    after = np.where(np.array(tree["default_left"]) == 1, left, np.array(tree["right_children"]))
    return {
        "children_left": left,
        "children_right": np.array(tree["right_children"]),
        "children_default": after,
        "features": np.where(left < 0, -2, np.array(tree["split_indices"])),
        "thresholds": threshold.astype(np.float64),
        "values": np.where(left < 0, np.array(tree["split_conditions"]), 0.0)[:, None],
        "node_sample_weight": np.array(tree["sum_hessian"]),
    }


def shap_values(trees: list[dict[str, Any]], rows: list[list[float | None]]) -> list[list[float]]:
    explainer = shap.TreeExplainer({"trees": [as_shap_tree(tree) for tree in trees]})
    matrix = np.array([[np.nan if value is None else value for value in row] for row in rows])
    found = explainer.shap_values(matrix, check_additivity=False)
    return [[float(value) for value in row] for row in found]


if __name__ == "__main__":
    json.dump([shap_values(*case) for case in json.load(sys.stdin)], sys.stdout)

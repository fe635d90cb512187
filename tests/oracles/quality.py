"""What scikit-learn makes of the cases on standard input, as JSON; run by a Python that has it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

from sklearn import metrics  # type: ignore[import-not-found]

F = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}


def regression(y: list[float], p: list[float]) -> dict[str, float]:
    return {
        "mae": metrics.mean_absolute_error(y, p),
        "mse": metrics.mean_squared_error(y, p),
        "rmse": math.sqrt(metrics.mean_squared_error(y, p)),
        "r2": metrics.r2_score(y, p),
        "mape": metrics.mean_absolute_percentage_error(y, p),
    }


def binary(y: list[str], p: list[str], scores: list[float]) -> dict[str, float]:
    (tn, fp), (fn, tp) = metrics.confusion_matrix(y, p, labels=["0", "1"]).tolist()
    always = ["1"] * len(y)
    found = {
        "accuracy": metrics.accuracy_score(y, p),
        "true_positive_rate": metrics.recall_score(y, p, pos_label="1"),
        "true_negative_rate": metrics.recall_score(y, p, pos_label="0"),
        "false_positive_rate": fp / (fp + tn),
        "false_negative_rate": fn / (fn + tp),
        "auc": metrics.roc_auc_score([each == "1" for each in y], scores),
        "accuracy_best_constant_classifier": metrics.accuracy_score(y, always),
    }
    for ending, said in (("", p), ("_best_constant_classifier", always)):
        found[f"recall{ending}"] = metrics.recall_score(y, said, pos_label="1")
        found[f"precision{ending}"] = metrics.precision_score(y, said, pos_label="1")
        for name, beta in F.items():
            found[name + ending] = metrics.fbeta_score(y, said, beta=beta, pos_label="1")
    return found


def multiclass(y: list[str], p: list[str]) -> dict[str, float]:
    found, always = {}, [max(set(y) | set(p))] * len(y)
    for ending, said in (("", p), ("_best_constant_classifier", always)):
        found[f"accuracy{ending}"] = metrics.accuracy_score(y, said)
        as_weighted: dict[str, Any] = {"average": "weighted", "zero_division": 0}
        found[f"weighted_recall{ending}"] = metrics.recall_score(y, said, **as_weighted)
        found[f"weighted_precision{ending}"] = metrics.precision_score(y, said, **as_weighted)
        for name, beta in F.items():
            found[f"weighted_{name}{ending}"] = metrics.fbeta_score(y, said, beta=beta, **as_weighted)
    return found


def ndcg(gains: list[float], order: list[float]) -> dict[str, float]:
    return {"ndcg": metrics.ndcg_score([gains], [order])}


OF: Mapping[str, Callable[..., dict[str, float]]] = {
    "regression": regression,
    "binary": binary,
    "multiclass": multiclass,
    "ndcg": ndcg,
}

if __name__ == "__main__":
    answers = [OF[kind](*given) for kind, given in json.load(sys.stdin)]
    json.dump([{name: float(value) for name, value in each.items()} for each in answers], sys.stdout)

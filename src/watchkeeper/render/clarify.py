"""Clarify's files as text: `analysis.json` and the violations of bias and explainability (contract 7)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.values import Undefined
from watchkeeper.monitors.bias import number_text
from watchkeeper.monitors.bias_values import CHECK, BiasAnalysis, BiasMetric, BiasViolation, FacetBias
from watchkeeper.monitors.explainability_values import Attributions, AttributionViolation

VERSION = "1.0"


def bias_json(analysis: BiasAnalysis, mode: Mode = Mode.CORRECT) -> str:
    """`analysis.json` of a bias run (7.3), post-training metrics first where there are predictions.

    Error gaps, where there are any, stand in a section of their own after the contract's.
    """
    found: dict[str, Any] = {"version": VERSION}
    if any(facet.post_training for facet in analysis.facets):
        found["post_training_bias_metrics"] = _section(analysis, "post_training", ours=mode is Mode.CORRECT)
    found["pre_training_bias_metrics"] = _section(analysis, "pre_training", ours=mode is Mode.CORRECT)
    if any(facet.error_gaps for facet in analysis.facets):
        found["error_gaps"] = _section(analysis, "error_gaps", ours=mode is Mode.CORRECT)
    return json.dumps(found, indent=4, ensure_ascii=False)


def bias_violations_json(violations: Sequence[BiasViolation]) -> str:
    """`constraint_violations.json` of a bias run (7.5); the contract writes none without violations."""
    found = [
        {
            "facet": each.facet,
            "facet_value": each.facet_value,
            "metric_name": each.metric,
            "constraint_check_type": CHECK,
            "description": each.description,
        }
        for each in violations
    ]
    return json.dumps({"version": VERSION, "violations": found}, indent=4, ensure_ascii=False)


def attributions_json(found: Attributions) -> str:
    """`analysis.json` of an explainability run (7.3), features in their order."""
    of_label = {"global_shap_values": dict(found.importances), "expected_value": found.expected_value}
    explanations = {"kernel_shap": {found.label: of_label}}
    return json.dumps({"version": VERSION, "explanations": explanations}, indent=4, ensure_ascii=False)


def local_attributions_csv(found: Attributions, values: NDArray[np.float64]) -> str:
    """`explanations_shap/out.csv` (7.3): a line each row, shape (rows, features), numbers that read back."""
    quoted = (f"{name}_{found.label}".replace('"', '""') for name, _ in found.importances)
    head = ",".join(f'"{name}"' for name in quoted)
    return "\n".join([head, *(",".join(map(repr, row)) for row in values.tolist()), ""])


def attribution_violations_json(violations: Sequence[AttributionViolation]) -> str:
    """`constraint_violations.json` of an explainability run (7.7)."""
    found = [
        {
            "label": each.label,
            "metric_name": "shap",
            "constraint_check_type": each.check,
            "description": each.description,
        }
        for each in violations
    ]
    return json.dumps({"version": VERSION, "violations": found}, indent=4, ensure_ascii=False)


def _section(analysis: BiasAnalysis, kind: str, *, ours: bool) -> dict[str, Any]:
    facets = {
        name: [_facet(each, kind, ours=ours) for each in of_name]
        for name, of_name in groupby(analysis.facets, key=lambda facet: facet.name)
    }
    return {"label": analysis.label, "facets": facets, "label_value_or_threshold": analysis.label_value}


def _facet(facet: FacetBias, kind: str, *, ours: bool) -> dict[str, Any]:
    metrics: tuple[BiasMetric, ...] = getattr(facet, kind)
    sizes = {"rows": facet.rows, "of_rows": facet.of_rows} if ours else {}
    return {
        "value_or_threshold": facet.value,
        "metrics": [dict(_metric(metric, ours=ours)) for metric in metrics],
        **sizes,
    }


def _metric(metric: BiasMetric, *, ours: bool) -> Iterator[tuple[str, Any]]:
    yield "name", metric.name
    yield "description", metric.description
    if isinstance(metric.value, Undefined):
        yield from (("value", None), ("error", metric.value.reason))
        return
    yield "value", number_text(metric.value) if math.isinf(metric.value) else metric.value
    if ours and isinstance(metric.standard_error, float):
        yield "standard_error", metric.standard_error

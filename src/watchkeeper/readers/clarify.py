"""Clarify's files back to values (contract 7). Keys may come in any order and be unknown.

Every function takes the file's content and its name, and raises InputError that names both file and key.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Undefined
from watchkeeper.monitors.bias_values import BiasAnalysis, BiasConfig, BiasMetric, Facet, FacetBias
from watchkeeper.monitors.explainability_values import Attributions
from watchkeeper.readers.json_node import Node, parse

_INFINITE = {"Infinity": math.inf, "-Infinity": -math.inf}
_SECTIONS = ("post_training_bias_metrics", "pre_training_bias_metrics")
_ERROR_GAPS = "error_gaps"


def bias_analysis(data: bytes | str, file: str) -> BiasAnalysis:
    """Read a bias run's `analysis.json`, of one kind of metrics or both; error gaps where it has them."""
    top = parse(data, file)
    post, pre, gaps = (top.maybe(name) for name in (*_SECTIONS, _ERROR_GAPS))
    section = post or pre
    if section is None:
        top.fail(f"a key {' or '.join(_SECTIONS)}")
    found = tuple(
        _facet(name, place, each, (post, pre, gaps))
        for name, facets in section.key("facets").items()
        for place, each in enumerate(facets)
    )
    return BiasAnalysis(section.key("label").text(), section.key("label_value_or_threshold").text(), found)


def attributions(data: bytes | str, file: str) -> tuple[Attributions, ...]:
    """Read an explainability run's `analysis.json`: one value for each label."""
    labels = parse(data, file).key("explanations").key("kernel_shap")
    return tuple(
        Attributions(
            label,
            tuple((name, value.number()) for name, value in node.key("global_shap_values").items()),
            node.key("expected_value").number(),
        )
        for label, node in labels.items()
    )


def local_attributions(data: str, features: Sequence[str], file: str) -> NDArray[np.float64]:
    """Read `explanations_shap/out.csv`, shape (rows, features): a number of each feature in each line."""
    lines = data.splitlines()[1:]
    try:
        values = np.array([line.split(",") for line in lines], dtype=np.float64)
    except ValueError as error:
        raise InputError(
            f"read {file}: want a number in each cell of lines of one length, got {error}"
        ) from None
    if values.ndim != 2 or values.shape[1] != len(features) or not np.isfinite(values).all():
        raise InputError(
            f"read {file}: want lines of {len(features)} finite numbers, got an array of {values.shape}"
        )
    return values


def bias_config(data: bytes | str, file: str, predicted: str | None = None) -> BiasConfig:
    """What `analysis_config.json` says of bias (7.2); `predicted` is the column of predictions, if any."""
    top = parse(data, file)
    facets = tuple(
        Facet(_name(each.key("name_or_index")), tuple(_values(each.maybe("value_or_threshold"))))
        for each in top.key("facet")
    )
    group, own = top.maybe("group_variable"), top.maybe("predicted_label")
    return BiasConfig(
        label=_name(top.key("label")),
        positive=tuple(_values(top.key("label_values_or_threshold"))),
        facets=facets,
        predicted=_name(own) if own else predicted,
        group=_name(group) if group else None,
    )


def _facet(name: str, place: int, node: Node, sections: Sequence[Node | None]) -> FacetBias:
    post, pre, gaps = (tuple(_metrics(section, name, place)) if section else () for section in sections)
    rows, of_rows = node.maybe("rows"), node.maybe("of_rows")
    return FacetBias(
        name,
        node.key("value_or_threshold").text(),
        rows.count() if rows else 0,
        of_rows.count() if of_rows else 0,
        pre,
        post,
        gaps,
    )


def _metrics(section: Node, name: str, place: int) -> Iterator[BiasMetric]:
    facets = list(section.key("facets").key(name))
    for node in facets[place].key("metrics") if place < len(facets) else ():
        value, error = node.maybe("value"), node.maybe("standard_error")
        reason = node.maybe("error")
        why = Undefined(reason.text() if reason else "null in the file")
        yield BiasMetric(
            node.key("name").text(),
            node.key("description").text(),
            why if value is None else _INFINITE.get(str(value.value)) or value.number(),
            error.number() if error else None,
        )


def _values(node: Node | None) -> Iterator[str]:
    for each in node or ():
        yield each.text() if isinstance(each.value, str) else _spelled(each.number())


def _name(node: Node) -> str:
    return node.text() if isinstance(node.value, str) else f"column_{node.count()}"


def _spelled(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)

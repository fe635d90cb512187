"""What may be written of sensitive columns: how many values and of which type, never one of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TypeVar

from watchkeeper.core.values import Violation
from watchkeeper.monitors.data_quality_values import DataQualityConstraints, DataQualityStatistics

T = TypeVar("T", DataQualityStatistics, DataQualityConstraints)

_SAY_NO_VALUE = frozenset(
    {
        "baseline_drift_check",
        "completeness_check",
        "data_type_check",
        "extra_column_check",
        "missing_column_check",
        "sla_check",
    }
)
_SHARES = frozenset({"categorical_values_check", "vanished_values_check"})


def without_values(file: T, sensitive: Collection[str]) -> T:
    """The same file; of sensitive columns it has counts and types alone.

    Drift of such a column can be measured by a baseline at hand, and no more by these files.
    """
    if not sensitive:
        return file
    if isinstance(file, DataQualityStatistics):
        told = (
            replace(each, numerical=None, string=None, time=None) if each.name in sensitive else each
            for each in file.features
        )
        return replace(file, features=tuple(told))
    asked = (
        replace(each, domains=None, range=None) if each.name in sensitive else each for each in file.features
    )
    return replace(file, features=tuple(asked))


def worded(violation: Violation, sensitive: Collection[str]) -> Violation:
    """The violation; of a sensitive column in words, and with figures, that tell none of its values."""
    if violation.subject not in sensitive or violation.check in _SAY_NO_VALUE:
        return violation
    text = f"{violation.check} does not hold; the column is sensitive, its values are not shown."
    if violation.check in _SHARES:
        return replace(violation, description=text)
    return replace(violation, description=text, value=None, threshold=None)

"""What would change if one explainability or bias baseline took another's place, in words."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.core.values import Undefined
from watchkeeper.monitors.bias_values import BiasAnalysis, FacetBias
from watchkeeper.monitors.data_quality_diff import Change
from watchkeeper.monitors.explainability_values import Attributions


def attributions_diff(before: Attributions, after: Attributions) -> tuple[Change, ...]:
    """Features whose place in the order of importance is another, and those on one side alone."""
    then, now = _places(before), _places(after)
    found = []
    for name, place in now.items():
        if name not in then:
            found.append(Change(name, f"{name} is explained, which it was not before."))
        elif then[name] != place:
            found.append(Change(name, f"{name} is number {place} in importance instead of {then[name]}."))
    gone = [Change(name, f"{name} is explained no longer.") for name in then if name not in now]
    return (*found, *gone)


def _places(found: Attributions) -> dict[str, int]:
    order = sorted(found.importances, key=lambda each: -each[1])
    return {name: place for place, (name, _) in enumerate(order, 1)}


def bias_diff(before: BiasAnalysis, after: BiasAnalysis) -> tuple[Change, ...]:
    """Another outcome, groups on one side alone, and each metric of the model with another value."""
    found = []
    outcomes = f"{after.label_value} instead of {before.label_value}"
    if before.label_value != after.label_value:
        found.append(Change("", f"The positive outcome is {outcomes}."))
    then = {(facet.name, facet.value): facet for facet in before.facets}
    for facet in after.facets:
        group = f"{facet.name} {facet.value}"
        earlier = then.pop((facet.name, facet.value), None)
        if earlier is None:
            found.append(Change(facet.name, f"{group} is measured, which it was not before."))
        else:
            found += _facet(earlier, facet)
    return (*found, *(Change(name, f"{name} {value} is measured no longer.") for name, value in then))


def _facet(before: FacetBias, after: FacetBias) -> Iterator[Change]:
    for metric in after.of_model:
        earlier = before.metric(metric.name)
        if earlier is None or earlier.value == metric.value:
            continue
        was, now = _said(earlier.value), _said(metric.value)
        yield Change(after.name, f"{metric.name} of {after.name} {after.value} is {now} instead of {was}.")


def _said(value: float | Undefined) -> str:
    return f"not known ({value.reason})" if isinstance(value, Undefined) else f"{value:.6g}"

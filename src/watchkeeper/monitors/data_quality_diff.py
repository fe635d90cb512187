"""What would change if one baseline took another's place, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from watchkeeper.core.statistics.distances import Distance
from watchkeeper.core.values import Column, Role, Undefined
from watchkeeper.monitors.data_quality_drift import Subject, measured
from watchkeeper.monitors.data_quality_values import (
    DataQualityConstraints,
    DataQualityStatistics,
    DriftRule,
    FeatureConstraints,
    FeatureStatistics,
    Range,
)
from watchkeeper.monitors.wording import double_text

NAMED = 8  # values named in a sentence


@dataclass(frozen=True, slots=True)
class DataQualityBaseline:
    """The two files of a baseline."""

    statistics: DataQualityStatistics
    constraints: DataQualityConstraints


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: of a column, or of the whole where `column` is empty. `what` is a full sentence."""

    column: str
    what: str


def diff(before: DataQualityBaseline, after: DataQualityBaseline) -> tuple[Change, ...]:
    """What `after` says otherwise than `before`: the whole first, then columns in the order of `after`."""
    return (*_whole(before, after), *_columns(before, after))


def _whole(before: DataQualityBaseline, after: DataQualityBaseline) -> Iterator[Change]:
    rows = before.statistics.item_count, after.statistics.item_count
    if rows[0] != rows[1]:
        yield Change("", f"It is made of {rows[1]} rows instead of {rows[0]}.")
    for owner in ("monitoring_config", "dataset"):
        left, right = getattr(before.constraints, owner), getattr(after.constraints, owner)
        for name, old, new in _differing(left, right):
            yield Change("", f"The setting {name} is {_said(new)} instead of {_said(old)}.")
    held = {sla.name: sla for sla in before.constraints.slas}
    for sla in after.constraints.slas:
        if held.pop(sla.name, None) != sla:
            yield Change("", f"{sla.source} of {sla.owner} is laid over it.")
    for sla in held.values():
        yield Change("", f"{sla.source} of {sla.owner} is no longer laid over it.")


def _differing(left: object, right: object, path: str = "") -> Iterator[tuple[str, object, object]]:
    """Fields that differ, by their path; settings that hold settings are gone into."""
    for field in fields(left):  # type: ignore[arg-type]
        old, new = getattr(left, field.name), getattr(right, field.name)
        name = f"{path}{field.name}"
        if old == new:
            continue
        if hasattr(old, "__dataclass_fields__") and type(old) is type(new) and not isinstance(old, Range):
            yield from _differing(old, new, f"{name}.")
        else:
            yield name, old, new


def _columns(before: DataQualityBaseline, after: DataQualityBaseline) -> Iterator[Change]:
    held = {asked.name: asked for asked in before.constraints.features}
    then = {feature.name: feature for feature in before.statistics.features}
    now = {feature.name: feature for feature in after.statistics.features}
    for asked in after.constraints.features:
        was = held.pop(asked.name, None)
        if was is None:
            yield Change(asked.name, "The column is new.")
            continue
        yield from _asked(was, asked)
        if asked.name in then and asked.name in now:
            yield from _moved(then[asked.name], now[asked.name], was, before.constraints)
    yield from (Change(name, "The column is gone.") for name in held)


def _asked(was: FeatureConstraints, now: FeatureConstraints) -> Iterator[Change]:
    for field, noun in (
        ("inferred_type", "type"),
        ("completeness", "completeness asked for"),
        ("is_non_negative", "rule that no value is negative"),
        ("range", "range allowed"),
        ("drift", "drift method"),
        ("evaluate", "switch for being checked"),
    ):
        old, new = getattr(was, field), getattr(now, field)
        if old != new:
            yield Change(now.name, f"The {noun} is {_said(new)} instead of {_said(old)}.")
    yield from _domain(was, now)
    for name, source in now.sources:
        if dict(was.sources).get(name) != source:
            yield Change(now.name, f"The {name} asked for comes from {source}.")


def _domain(was: FeatureConstraints, now: FeatureConstraints) -> Iterator[Change]:
    if was.domains is None or now.domains is None:
        if was.domains != now.domains:
            yield Change(
                now.name, "Its values have a domain now." if now.domains else "It has no domain any more."
            )
        return
    old, new = set(was.domains), set(now.domains)
    if new - old:
        yield Change(now.name, f"Allowed besides: {_listed(new - old)}.")
    if old - new:
        yield Change(now.name, f"No longer allowed: {_listed(old - new)}.")


def _moved(
    earlier: FeatureStatistics, now: FeatureStatistics, asked: FeatureConstraints, by: DataQualityConstraints
) -> Iterator[Change]:
    """By how much its distribution moved, as the baseline before would measure it."""
    column = Column(asked.name, asked.inferred_type, Role.FEATURE)
    found = measured(Subject(column, now, earlier, asked, by))
    if isinstance(found.distance, Undefined) or earlier == now:
        return
    kind = "distance" if isinstance(found.distance, Distance) else "p-value"
    verdict = "would be drift" if found.exceeded else "would not be drift"
    yield Change(
        now.name,
        f"Its distribution moved: {found.method} {kind} {found.distance.value:.3g}, which {verdict}"
        f"{_mean_words(earlier, now)}.",
    )


def _mean_words(earlier: FeatureStatistics, now: FeatureStatistics) -> str:
    if earlier.numerical is None or now.numerical is None:
        return ""
    old, new = earlier.numerical.summary, now.numerical.summary
    return (
        f"; mean {old.mean:.4g} to {new.mean:.4g}, standard deviation {old.std_dev:.4g} to {new.std_dev:.4g}"
    )


def _said(value: object) -> str:
    match value:
        case None:
            return "not asked"
        case bool():
            return "on" if value else "off"
        case float():
            return double_text(value)
        case Range(low, high):
            return f"{double_text(low)} to {double_text(high)}"
        case DriftRule(method, threshold):
            return f"{method} at {double_text(threshold)}"
    return str(value)


def _listed(values: set[str]) -> str:
    shown = sorted(values)
    more = f" and {len(shown) - NAMED} more" if len(shown) > NAMED else ""
    return ", ".join(f'"{value}"' for value in shown[:NAMED]) + more

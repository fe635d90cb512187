"""Alerts that nobody is told of while a graver one says the same: Alertmanager's inhibition.

Source: prometheus.io/docs/alerting/latest/configuration/#inhibit_rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from watchkeeper.core.mutes import labels_of_alert
from watchkeeper.core.rules import Alert


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert with every label of `source` fires, those with every one of `target` are not told of.

    Both have the same values of the `equal` labels; a label that is missing is an empty one. An alert that
    is both is not hidden by one that is both, so that nothing hides itself.
    """

    source: tuple[tuple[str, str], ...]
    target: tuple[tuple[str, str], ...]
    equal: tuple[str, ...] = ()

    def hides(self, alert: Alert, other: Alert) -> bool:
        """Whether `other` is one to hide `alert` while it fires."""
        own, others = labels_of_alert(alert), labels_of_alert(other)
        both = _has(own, self.source) and _has(others, self.target)
        return (
            _has(own, self.target)
            and _has(others, self.source)
            and not both
            and all(own.get(name, "") == others.get(name, "") for name in self.equal)
        )


def inhibited(alert: Alert, firings: Sequence[Alert], rules: Sequence[Inhibition], now: datetime) -> bool:
    """Whether an alert is hidden now, or was when it was resolved.

    `firings` holds each firing of an environment as it was last seen.
    """
    moment = alert.resolved_at or now
    return any(rule.hides(alert, other) and _fires(other, moment) for rule in rules for other in firings)


def _has(labels: Mapping[str, str], wanted: Sequence[tuple[str, str]]) -> bool:
    return all(labels.get(name, "") == value for name, value in wanted)


def _fires(alert: Alert, moment: datetime) -> bool:
    """Whether it fires at a moment, its last one included: what ends with it was hidden to its end."""
    began, ended = alert.fired_at, alert.resolved_at
    return began is not None and began <= moment and (ended is None or moment <= ended)

"""CloudWatch alarms as SNS delivers them, to alerts of ours.

A message names its alarm and has no labels, so what the alarm is about is looked up by its name, in what we
made of the project's rules: nobody who edits a description changes where an alert goes.
Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html and
docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

ALARM, OK = "ALARM", "OK"
NO_DATA = "INSUFFICIENT_DATA"


def is_alarm(said: Mapping[str, Any]) -> bool:
    """Whether a message is one of an alarm's change of state."""
    return "AlarmName" in said and "NewStateValue" in said


def alarm_entry(said: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """The change as an alert in Alertmanager's spelling.

    Without data an alarm does not fire: what is absent has a rule of its own. Raises ValueError for a state
    that CloudWatch has not, or a time that is none.
    """
    state = said["NewStateValue"]
    if state not in (ALARM, OK, NO_DATA):
        raise ValueError(f"want a state of {ALARM}, {OK} or {NO_DATA}, got {state}")
    changed = datetime.fromisoformat(said["StateChangeTime"]).astimezone(UTC)
    time = changed.isoformat().replace("+00:00", "Z")
    firing = state == ALARM
    return {
        "status": "firing" if firing else "resolved",
        "labels": dict(labels),
        "annotations": {"summary": str(said.get("NewStateReason", ""))},
        "startsAt": time,
        "endsAt": "0001-01-01T00:00:00Z" if firing else time,
    }

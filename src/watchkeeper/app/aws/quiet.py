"""Alarms that CloudWatch has of an environment's rules and that tell nobody, and those it has not.

Who made them quiet says `watchkeeper audit list --target aws`. Source:
docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-mute-rules.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from watchkeeper.adapters.aws.errors import translated
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.stack.files import watched_of
from watchkeeper.render.cloudwatch_alarms import alarm_resources

MISSING, DISABLED = "not there", "its actions are disabled"
_AT_ONCE = 100  # alarms that one call describes


@dataclass(frozen=True, slots=True)
class QuietAlarm:
    """An alarm from which nobody hears, why, and until when; None: until somebody changes it."""

    environment: str
    alarm: str
    why: str
    until: datetime | None = None


def quiet_alarms(landscape: Landscape, environment: str) -> Iterator[QuietAlarm]:
    """Each alarm of an environment that is missing, disabled, or muted by a rule now.

    Raises PlatformError when CloudWatch does not answer.
    """
    client = landscape.account_of(environment).client("cloudwatch")
    names = alarm_names(landscape, environment)
    enabled: dict[str, bool] = {}
    with translated(f"describe the alarms of {environment}"):
        for start in range(0, len(names), _AT_ONCE):
            found = client.describe_alarms(AlarmNames=list(names[start : start + _AT_ONCE]))["MetricAlarms"]
            enabled |= {each["AlarmName"]: each["ActionsEnabled"] for each in found}
    for name in names:
        if name not in enabled:
            yield QuietAlarm(environment, name, MISSING)
            continue
        if not enabled[name]:
            yield QuietAlarm(environment, name, DISABLED)
        with translated(f"list what mutes alarm {name}"):
            pages = client.get_paginator("list_alarm_mute_rules").paginate(
                AlarmName=name, Statuses=["ACTIVE"]
            )
            muting = [each for page in pages for each in page.get("AlarmMuteRuleSummaries", ())]
        for each in muting:
            rule = each["AlarmMuteRuleArn"].rpartition(":")[2]
            yield QuietAlarm(environment, name, f"mute rule {rule} is active", each.get("ExpireDate"))


def alarm_names(landscape: Landscape, environment: str) -> tuple[str, ...]:
    """The alarms that an environment's stack makes, by their names."""
    made, _ = alarm_resources(
        watched_of(landscape.project, environment), landscape.section(environment).namespace
    )
    return tuple(each["Properties"]["AlarmName"] for each in made.values())

"""Carries alerts from SNS to the event bus of the central account, as SNS knows no way there.

Prometheus' alerts come as the payload that our alert manager's template writes, CloudWatch's as alarms.
Amazon Managed Prometheus replaces a message that it cannot send (too long, not UTF-8) by an error's text,
and says so in attributes: of such a one the labels that the attributes carry go on, for people to look;
nothing is retrained because of it. Source:
docs.aws.amazon.com/prometheus/latest/userguide/AMP-alertmanager-SNS-receiver.html.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from watchkeeper.adapters.aws.errors import translated
from watchkeeper.app.aws.functions.told import plan
from watchkeeper.core.errors import PlatformError
from watchkeeper.readers.cloudwatch_alarms import alarm_entry, is_alarm

SOURCE, DETAIL_TYPE = "watchkeeper", "Watchkeeper Alert"
CARRIED = ("project", "environment", "endpoint", "alertname", "severity", "action", "incident")
_AT_ONCE = 10  # entries of a request
_SHOWN = 500  # characters of a message that cannot be read
log = logging.getLogger("watchkeeper")
log.setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class BridgePlan:
    """The bus, and what each alarm is about: the labels of its rule."""

    bus: str
    alarms: dict[str, dict[str, str]]


def details(told: BridgePlan, sns: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One event's detail for each alert of a message."""
    attributes = {key: str(each["Value"]) for key, each in sns.get("MessageAttributes", {}).items()}
    replaced = sorted({"truncated", "modified"} & attributes.keys())
    try:
        said = json.loads(sns["Message"])
        entries = list(_entries(told, said))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"{', '.join(replaced) or 'unreadable'}: {error!r}"
        labels = {name: attributes[name] for name in CARRIED if name in attributes}
        yield {**labels, "status": "firing", "incomplete": why, "message": str(sns["Message"])[:_SHOWN]}
        return
    for came, entry in entries:
        labels = entry["labels"]
        carried = {name: labels[name] for name in CARRIED if name in labels}
        more = {"incomplete": ", ".join(replaced)} if replaced else {}
        yield {**carried, "status": entry["status"], "from": came, "alert": entry, **more}


def _entries(told: BridgePlan, said: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if is_alarm(said):
        name = said["AlarmName"]
        if name not in told.alarms:
            raise ValueError(f"alarm {name} is none of ours")
        yield "cloudwatch", alarm_entry(said, told.alarms[name])
        return
    for entry in said["alerts"]:
        yield "prometheus", {**entry, "labels": {key: str(text) for key, text in entry["labels"].items()}}


def handler(event: Mapping[str, Any], context: object) -> dict[str, int]:  # noqa: ARG001 - Lambda's signature
    """SNS's records to the bus. What the bus does not take raises: SNS calls again."""
    told = plan(BridgePlan)
    entries = [
        {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(detail),
            "EventBusName": told.bus,
        }
        for record in event["Records"]
        for detail in details(told, record["Sns"])
    ]
    client = boto3.client("events")
    for first in range(0, len(entries), _AT_ONCE):
        with translated(f"put {len(entries)} events on {told.bus}"):
            answer = client.put_events(Entries=entries[first : first + _AT_ONCE])
        if answer["FailedEntryCount"]:
            raise PlatformError(f"put events on {told.bus}: {answer['Entries']}", retryable=True)
    log.info("carried %d alerts", len(entries))
    return {"carried": len(entries)}

"""CloudTrail's records, to what an auditor asks about: who muted what, changed a rule, stopped a schedule,
replaced a baseline, or stopped the recording itself.

Records of a log file come in no order, and event history has them as texts; the members are the same.
Sources: docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html,
docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/logging_cw_api_calls.html.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from watchkeeper.core.values import Actor
from watchkeeper.core.windows import parse_utc

UNKNOWN = "unknown"
Asked = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """A call that somebody made. `after` is what it set, `before` what had been set, where that is known.

    `error` is the code of a call that was refused: an attempt is worth knowing of.
    """

    id: str
    time: datetime
    actor: Actor
    action: str
    subject: str
    account: str
    region: str
    before: str | None = None
    after: str | None = None
    error: str = ""

    @property
    def done(self) -> bool:
        return not self.error


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a call is read: our word for it, which parameter names what it is about, and what it sets."""

    action: str
    named: tuple[str, ...]
    after: Callable[[Asked, Asked], str | None]


def _said(*names: str) -> Callable[[Asked, Asked], str | None]:
    """Parameters as they are, in their order."""

    def read(asked: Asked, _: Asked) -> str | None:
        found = {name: asked[name] for name in names if name in asked}
        texts = [
            value if isinstance(value, str) else json.dumps(value, sort_keys=True) for value in found.values()
        ]
        return " ".join(texts) or None

    return read


def _always(text: str | None) -> Callable[[Asked, Asked], str | None]:
    return lambda _, __: text


def _rest(*but: str) -> Callable[[Asked, Asked], str | None]:
    """All parameters but the name: what an alarm or a rule is."""

    def read(asked: Asked, _: Asked) -> str | None:
        found = {key: value for key, value in asked.items() if key not in but}
        return json.dumps(found, sort_keys=True, separators=(",", ":")) if found else None

    return read


def _version(_: Asked, answered: Asked) -> str | None:
    return answered.get("x-amz-version-id")


def _all_of(source: str, kinds: Mapping[str, _Kind]) -> dict[tuple[str, str], _Kind]:
    return {(f"{source}.amazonaws.com", name): kind for name, kind in kinds.items()}


_KINDS: Mapping[tuple[str, str], _Kind] = {
    **_all_of(
        "monitoring",
        {
            "PutMetricAlarm": _Kind("alarm.put", ("alarmName",), _rest("alarmName")),
            "DeleteAlarms": _Kind("alarm.delete", ("alarmNames",), _always("deleted")),
            "DisableAlarmActions": _Kind("alarm.mute", ("alarmNames",), _always("actions disabled")),
            "EnableAlarmActions": _Kind("alarm.unmute", ("alarmNames",), _always("actions enabled")),
            "SetAlarmState": _Kind("alarm.set-state", ("alarmName",), _said("stateValue", "stateReason")),
            "PutAlarmMuteRule": _Kind("mute-rule.put", ("name",), _rest("name")),
            "DeleteAlarmMuteRule": _Kind(
                "mute-rule.delete", ("alarmMuteRuleName", "name"), _always("deleted")
            ),
        },
    ),
    **_all_of(
        "aps",
        {
            "PutAlertManagerSilences": _Kind("silence.put", ("workspaceId",), _rest("workspaceId")),
            "DeleteAlertManagerSilence": _Kind(
                "silence.delete", ("silenceId", "workspaceId"), _always("deleted")
            ),
            "PutAlertManagerDefinition": _Kind("alert-manager.put", ("workspaceId",), _always("replaced")),
            "PutRuleGroupsNamespace": _Kind("rules.put", ("name",), _always("replaced")),
        },
    ),
    **_all_of(
        "sagemaker",
        {
            "StopMonitoringSchedule": _Kind("schedule.stop", ("monitoringScheduleName",), _always("Stopped")),
            "StartMonitoringSchedule": _Kind(
                "schedule.start", ("monitoringScheduleName",), _always("Scheduled")
            ),
            "UpdateMonitoringSchedule": _Kind(
                "schedule.update", ("monitoringScheduleName",), _rest("monitoringScheduleName")
            ),
            "DeleteMonitoringSchedule": _Kind(
                "schedule.delete", ("monitoringScheduleName",), _always("deleted")
            ),
            "UpdateModelPackage": _Kind(
                "model.approval", ("modelPackageArn",), _said("modelApprovalStatus", "modelLifeCycle")
            ),
        },
    ),
    **_all_of(
        "scheduler",
        {
            "UpdateSchedule": _Kind("schedule.update", ("name",), _said("state", "scheduleExpression")),
            "DeleteSchedule": _Kind("schedule.delete", ("name",), _always("deleted")),
        },
    ),
    **_all_of(
        "s3",
        {
            name: _Kind(action, ("bucketName", "key"), _version)
            for name, action in (
                ("PutObject", "object.put"),
                ("CopyObject", "object.put"),
                ("CompleteMultipartUpload", "object.put"),
                ("DeleteObject", "object.delete"),
            )
        },
    ),
    **_all_of(
        "sns", {"Unsubscribe": _Kind("topic.unsubscribe", ("subscriptionArn",), _always("unsubscribed"))}
    ),
    **_all_of(
        "cloudtrail",
        {
            "StopLogging": _Kind("trail.stop", ("name",), _always("stopped")),
            "StartLogging": _Kind("trail.start", ("name",), _always("logging")),
            "DeleteTrail": _Kind("trail.delete", ("name",), _always("deleted")),
            "UpdateTrail": _Kind("trail.update", ("name",), _rest("name")),
            "PutEventSelectors": _Kind("trail.selectors", ("trailName",), _rest("trailName")),
        },
    ),
}
IN_HISTORY = tuple(name for (source, name) in _KINDS if not source.startswith("s3."))
_OF_OBJECTS = "object."
_CHANGES = ("schedule.stop", "schedule.start", "schedule.update", "schedule.delete")
_GROUPS = {
    **dict.fromkeys(_CHANGES, "schedule"),
    **dict.fromkeys(("alarm.mute", "alarm.unmute"), "alarm actions"),
    **dict.fromkeys(("alarm.put", "alarm.delete"), "alarm"),
    **dict.fromkeys(("mute-rule.put", "mute-rule.delete"), "mute rule"),
    **dict.fromkeys(("trail.stop", "trail.start", "trail.delete"), "trail"),
}
_AT_FIRST = {"alarm.mute": "actions enabled", "schedule.stop": "Scheduled", "trail.stop": "logging"}


def read_log_file(data: bytes, place: str) -> list[Asked]:
    """The records of a gzipped log file. Raises ValueError, beginning with `place`, for one that is none."""
    try:
        found = json.loads(gzip.decompress(data))["Records"]
        return list(found)
    except (OSError, zlib.error, EOFError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{place}: want gzipped JSON with Records: {error!r}") from None


def cloud_event(record: Asked) -> CloudEvent | None:
    """What a record says, or None for a call that no auditor asks about.

    Raises ValueError for a record without time, id or source: it is none of CloudTrail's.
    """
    try:
        kind = _KINDS.get((record["eventSource"], record["eventName"]))
        if kind is None:
            return None
        asked = _small(record.get("requestParameters") or {})
        answered = record.get("responseElements") or {}
        return CloudEvent(
            id=record["eventID"],
            time=parse_utc(record["eventTime"]),
            actor=_actor(record.get("userIdentity") or {}),
            action=kind.action,
            subject=_subject(kind, asked),
            account=str(
                record.get("recipientAccountId") or (record.get("userIdentity") or {}).get("accountId", "")
            ),
            region=str(record.get("awsRegion", "")),
            after=kind.after(asked, answered),
            error=str(record.get("errorCode", "")),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"read a record of CloudTrail: want {error}") from None


def in_order(events: Iterable[CloudEvent]) -> tuple[CloudEvent, ...]:
    """Each event once, oldest first, with what had been set before where an earlier one says it."""
    once = {event.id: event for event in events}
    known: dict[tuple[str, str], str | None] = {}
    found = []
    for event in sorted(once.values(), key=lambda each: (each.time, each.id)):
        at = (_GROUPS.get(event.action, event.action), event.subject)
        before = event.before or known.get(at) or _AT_FIRST.get(event.action)
        found.append(replace(event, before=before))
        if event.done:
            known[at] = event.after
    return tuple(found)


def is_object(event: CloudEvent) -> bool:
    """Whether it is about an object of a bucket, which has versions."""
    return event.action.startswith(_OF_OBJECTS)


def _small(asked: Asked) -> Asked:
    """Parameters begin with a small letter there, whatever the service's own API has."""
    return {key[:1].lower() + key[1:]: value for key, value in asked.items()}


def _subject(kind: _Kind, asked: Asked) -> str:
    found = [asked[name] for name in kind.named if name in asked]
    texts = [
        ", ".join(map(str, each)) if isinstance(each, Sequence) and not isinstance(each, str) else str(each)
        for each in found
    ]
    joined = "/".join(texts) if kind.action.startswith(_OF_OBJECTS) else next(iter(texts), "")
    return joined or UNKNOWN


def _actor(identity: Asked) -> Actor:
    """Who it was: a person's session of a role by both names, a service by its own."""
    arn = str(identity.get("arn", ""))
    if arn:
        return Actor(arn.split(":")[-1].partition("/")[2] or arn.split(":")[-1], "session")
    named = identity.get("userName") or identity.get("invokedBy") or identity.get("principalId")
    return (
        Actor(str(named), "service" if "invokedBy" in identity else "session")
        if named
        else Actor(UNKNOWN, UNKNOWN)
    )

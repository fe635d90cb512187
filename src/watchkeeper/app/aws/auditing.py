"""Who did what on AWS: our own log, CloudTrail's event history, and a trail's files, as one list.

Event history knows calls of management of the last ninety days, and no objects of buckets; a trail's files
know both, for as long as they are kept, and come some minutes late. A call that both know is listed once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from watchkeeper.adapters.aws.cloudtrail import EventHistory, TrailFiles, Vouched, public_keys
from watchkeeper.adapters.aws.errors import translated
from watchkeeper.adapters.aws.store import S3Store
from watchkeeper.adapters.aws.trail import S3Trail
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.setup.audit import log
from watchkeeper.core.audit import AuditEntry
from watchkeeper.core.values import Actor
from watchkeeper.readers.cloudtrail import (
    IN_HISTORY,
    CloudEvent,
    cloud_event,
    in_order,
    is_object,
    read_log_file,
)

HISTORY, OURS = "event history", "audit log"
_KEPT = timedelta(days=90)  # of event history


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One thing that was done, and which record knows of it."""

    time: datetime
    actor: Actor
    action: str
    subject: str
    before: str | None
    after: str | None
    source: str
    account: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class TrailStanding:
    """How a trail's files stand in an account: how fresh the newest is, and what their digests vouch for."""

    account: str
    newest: datetime | None
    digests: int
    files: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AwsAudit:
    """Everything of a span of time, oldest first."""

    lines: tuple[AuditLine, ...]
    trails: tuple[TrailStanding, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing speaks against the trails' files."""
        return not any(each.faults for each in self.trails)


def aws_audit(landscape: Landscape, since: datetime, until: datetime) -> AwsAudit:
    """What was done from `since` to before `until`, in every account of the project.

    Raises DeniedError where one may not look.
    """
    lines = [_own(entry) for entry in log(S3Trail(landscape.central_store(), WallClock()))]
    trails = []
    for scope in _accounts(landscape):
        account = landscape.account_of(scope)
        history = EventHistory(account.client("cloudtrail"))
        records = list(history.records(IN_HISTORY, max(since, until - _KEPT), until))
        delivered, standing = _delivered(landscape, scope, since, until)
        trails += [standing] if standing else []
        events = in_order(each for record in (*records, *delivered) if (each := cloud_event(record)))
        seen = {str(record["eventID"]) for record in delivered}
        joined = _with_versions(account.client("s3"), [each for each in events if since <= each.time < until])
        lines += [_line(each, f"trail of {scope}" if each.id in seen else HISTORY) for each in joined]
    kept = [line for line in lines if since <= line.time < until]
    return AwsAudit(tuple(sorted(kept, key=lambda line: line.time)), tuple(trails))


def _accounts(landscape: Landscape) -> list[str]:
    """The first scope of each account."""
    return list({landscape.number(scope): scope for scope in reversed(landscape.scopes)}.values())[::-1]


def _delivered(
    landscape: Landscape, scope: str, since: datetime, until: datetime
) -> tuple[list[Any], TrailStanding | None]:
    """The records of a trail's files, and how far they can be trusted; none where the trail is another's."""
    if landscape.section(scope).trail != "create":
        return [], None
    account = landscape.account_of(scope)
    bucket = landscape.names.trail_bucket(landscape.number(scope))
    files = TrailFiles(S3Store(account.client("s3"), bucket), landscape.number(scope))
    records: list[Any] = []
    faults: list[str] = []
    newest: datetime | None = None
    vouched: list[Vouched] = []
    late = until + timedelta(
        hours=1
    )  # a file comes up to a quarter of an hour after its events, a digest an hour
    for region in files.regions():
        keys = files.logs(region, since, late)
        for key in keys:
            try:
                records += read_log_file(files.store.read(key), key)
            except ValueError as error:
                faults.append(str(error))
        public = public_keys(account.session_client("cloudtrail", region), since, late)
        vouched.append(files.vouched(region, since, late, public))
        times = (newest, _newest(account.client("s3"), bucket, keys))
        newest = max((time for time in times if time), default=None)
    faults += [fault for each in vouched for fault in each.faults]
    counts = sum(each.digests for each in vouched), sum(each.files for each in vouched)
    return records, TrailStanding(landscape.number(scope), newest, *counts, tuple(faults))


def _newest(client: Any, bucket: str, keys: Sequence[str]) -> datetime | None:
    if not keys:
        return None
    with translated(f"look at s3://{bucket}/{keys[-1]}"):
        found: datetime = client.head_object(Bucket=bucket, Key=keys[-1])["LastModified"]
    return found


def _with_versions(client: Any, events: Sequence[CloudEvent]) -> Iterator[CloudEvent]:
    """Changes of objects with the version that each took the place of, as the bucket still has them."""
    for event in events:
        bucket, _, key = event.subject.partition("/")
        if not is_object(event) or not key or not event.done:
            yield event
            continue
        with translated(f"list the versions of s3://{bucket}/{key}"):
            page = client.list_object_versions(Bucket=bucket, Prefix=key)
        found = [
            each for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())) if each["Key"] == key
        ]
        ordered = [each["VersionId"] for each in sorted(found, key=lambda each: each["LastModified"])]
        place = ordered.index(event.after) if event.after in ordered else 0
        yield replace(event, before=ordered[place - 1]) if place else event


def _own(entry: AuditEntry) -> AuditLine:
    event = entry.event
    return AuditLine(event.time, event.actor, event.action, event.subject, event.before, event.after, OURS)


def _line(event: CloudEvent, source: str) -> AuditLine:
    return AuditLine(
        event.time,
        event.actor,
        event.action,
        event.subject,
        event.before,
        event.after,
        source,
        event.account,
        event.error,
    )

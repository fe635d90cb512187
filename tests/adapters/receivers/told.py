"""What the receivers of these tests are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from watchkeeper.core.incidents import Notification, NotificationStatus, group_of
from watchkeeper.core.rules import Action, Alert, AlertState, Severity

START = datetime(2020, 2, 1, tzinfo=UTC)
FIRING = Alert(
    name="DataQualityViolations",
    fingerprint="b48e7e78b2343f7a",
    labels=(("endpoint", "prices"), ("environment", "prod")),
    state=AlertState.FIRING,
    severity=Severity.WARNING,
    action=Action.REVIEW,
    notify=("mlops",),
    summary="violations is 1, above 0",
    value=1.0,
    active_at=START - timedelta(minutes=5),
    fired_at=START,
    runbook_url="docs/runbooks/DataQualityViolations.md",
)
RESOLVED = replace(FIRING, state=AlertState.RESOLVED, resolved_at=START + timedelta(hours=1))
TOLD = Notification(
    id="0123456789abcdef",
    incident="fedcba9876543210",
    receiver="mlops",
    group=group_of(FIRING),
    status=NotificationStatus.FIRING,
    alerts=(FIRING,),
    time=START,
)
AGAIN = replace(TOLD, id="1123456789abcdef")
OVER = replace(TOLD, id="2123456789abcdef", status=NotificationStatus.RESOLVED, alerts=(RESOLVED,))

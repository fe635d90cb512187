"""An incident with everything that belongs to it: what fired, who was told, what was decided and done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.app.alerts.acknowledging import acknowledgement
from watchkeeper.app.alerts.alerting import alert_history
from watchkeeper.app.alerts.closing import Closing, Similar, closings, similar
from watchkeeper.app.alerts.deciding import decisions
from watchkeeper.app.alerts.delivering import Receipt, notifications, receipts
from watchkeeper.app.registry.executions import newest_before
from watchkeeper.app.retraining.retrains import Retrain, retrains
from watchkeeper.core.decisions import Decision
from watchkeeper.core.errors import InputError
from watchkeeper.core.incidents import Acknowledgement, Incident, Notification, incidents
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Execution


@dataclass(frozen=True, slots=True)
class IncidentStory:
    """One incident as it stands; `executions` are those whose findings its alerts are about."""

    environment: str
    incident: Incident
    executions: tuple[Execution, ...]
    notifications: tuple[Notification, ...]
    receipts: tuple[Receipt, ...]
    decisions: tuple[Decision, ...]
    retrains: tuple[Retrain, ...]
    acknowledged: Acknowledgement | None
    closing: Closing | None
    similar: tuple[Similar, ...]


def known_incidents(store: Store, environment: str) -> tuple[Incident, ...]:
    """Every incident of an environment, oldest first."""
    return incidents(alert_history(store, environment))


def find_incident(store: Store, environments: Sequence[str], named: str) -> tuple[str, Incident]:
    """The incident whose id begins so, and its environment. Raises InputError when it is not one."""
    found = [
        (environment, each)
        for environment in environments
        for each in known_incidents(store, environment)
        if each.id.startswith(named)
    ]
    if len(found) != 1:
        got = "none" if not found else f"{len(found)}: {', '.join(each.id for _, each in found)}"
        raise InputError(f"find incident {named}: want one whose id begins so, got {got}")
    return found[0]


def incident_story(store: Store, environment: str, incident: Incident) -> IncidentStory:
    """Read everything that belongs to an incident."""
    told = [each for each in notifications(store, environment) if each.incident == incident.id]
    ids = {each.id for each in told}
    firings = {(alert.fingerprint, alert.fired_at) for alert in incident.alerts}
    made = [each for each in decisions(store, environment) if (each.fingerprint, each.fired_at) in firings]
    decided = {each.id for each in made}
    said = closings(store, environment)
    return IncidentStory(
        environment=environment,
        incident=incident,
        executions=_executions(store, incident),
        notifications=tuple(told),
        receipts=tuple(each for each in receipts(store, environment) if each.notification in ids),
        decisions=tuple(made),
        retrains=tuple(each for each in retrains(store, environment) if each.decision.id in decided),
        acknowledged=acknowledgement(store, environment, incident.id),
        closing=said.get(incident.id),
        similar=similar(incident, known_incidents(store, environment), said),
    )


def _executions(store: Store, incident: Incident) -> tuple[Execution, ...]:
    """The newest execution of each schedule that its alerts name, as of when they fired last."""
    schedules = {dict(alert.labels).get("schedule"): alert.fired_at for alert in incident.alerts}
    found = [
        newest_before(store, schedule, fired_at)
        for schedule, fired_at in sorted((name, at) for name, at in schedules.items() if name and at)
    ]
    return tuple(each for each in found if each is not None)

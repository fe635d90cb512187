"""An incident as a record in Markdown: what happened, what was seen, who did what, how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from watchkeeper.core.incidents import Incident
from watchkeeper.core.values import Execution
from watchkeeper.core.windows import utc_text
from watchkeeper.render.markdown import plain

_SUSPECTS = 8  # violations of an execution that are written out


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of an incident's course."""

    time: datetime
    what: str


@dataclass(frozen=True, slots=True)
class IncidentView:
    """What the record shows. `course` is in order of time; `ended` says how it ended, or what is awaited."""

    title: str
    incident: Incident
    executions: Sequence[Execution]
    course: Sequence[Moment]
    ended: str
    similar: Sequence[str]
    classification: str = ""


def incident_markdown(view: IncidentView) -> str:
    """The record, the same for the same view."""
    incident = view.incident
    parts = [
        *([f"> {plain(view.classification)}"] if view.classification else []),
        f"# {view.title}",
        _table(
            [
                ("incident", incident.id),
                *((name, plain(value)) for name, value in incident.group if name != "incident"),
                ("began", utc_text(incident.started_at)),
                ("ended", utc_text(incident.ended_at) if incident.ended_at else "it goes on"),
            ]
        ),
        "## What fired\n\n" + "\n".join(_alerts(incident)),
        "## What was seen\n\n" + ("\n".join(_seen(view.executions)) or "No execution belongs to its alerts."),
        "## Course\n\n" + "\n".join(f"- {utc_text(each.time)} {plain(each.what)}" for each in view.course),
        f"## How it ended\n\n{view.ended}",
        "## Earlier ones like it\n\n"
        + ("\n".join(f"- {each}" for each in view.similar) or "None on record."),
    ]
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)])


def _alerts(incident: Incident) -> Iterator[str]:
    shared = dict(incident.group)
    for alert in incident.alerts:
        own = ", ".join(f"{name} {value}" for name, value in alert.labels if name not in shared)
        until = f" to {utc_text(alert.resolved_at)}" if alert.resolved_at else ", still firing"
        since = utc_text(alert.fired_at) if alert.fired_at else "?"
        yield f"- **{alert.name}** {since}{until}: {plain(alert.summary)}{f' ({plain(own)})' if own else ''}"


def _seen(executions: Sequence[Execution]) -> Iterator[str]:
    for execution in executions:
        yield f"- `{execution.schedule}`, {execution.window}: {execution.status}. {plain(execution.reason)}"
        found = execution.violations
        for violation in found[:_SUSPECTS]:
            yield f"  - {plain(violation.subject)}: {plain(violation.description)}"
        if len(found) > _SUSPECTS:
            yield f"  - and {len(found) - _SUSPECTS} more"

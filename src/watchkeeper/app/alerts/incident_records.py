"""An incident as a record for people to read."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.app.alerts.incident_stories import IncidentStory
from watchkeeper.app.retraining.retrains import Retrain
from watchkeeper.core.incidents import NotificationStatus
from watchkeeper.core.rules import AlertState
from watchkeeper.core.windows import utc_text
from watchkeeper.render.incident import IncidentView, Moment, incident_markdown


def incident_record(story: IncidentStory, classification: str = "") -> str:
    """The story as Markdown, under the project's classification where it has one."""
    return incident_markdown(incident_view(story, classification))


def incident_view(story: IncidentStory, classification: str = "") -> IncidentView:
    """What the record and the page show of a story."""
    incident = story.incident
    names = ", ".join(dict.fromkeys(alert.name for alert in incident.alerts))
    return IncidentView(
        title=f"{names} in {story.environment}",
        incident=incident,
        executions=story.executions,
        course=sorted(_course(story), key=lambda each: each.time),
        ended=_ended(story),
        similar=[str(each) for each in story.similar],
        classification=classification,
    )


def _course(story: IncidentStory) -> Iterator[Moment]:
    for alert in story.incident.alerts:
        if alert.fired_at is not None:
            yield Moment(alert.fired_at, f"{alert.name} fired: {alert.summary}")
        if alert.state is AlertState.RESOLVED and alert.resolved_at is not None:
            yield Moment(alert.resolved_at, f"{alert.name} was resolved")
    for receipt in story.receipts:
        how = "was told" if receipt.delivery.delivered else f"could not be told: {receipt.delivery.reason}"
        yield Moment(receipt.time, f"{receipt.outlet} {how}")
    for decision in story.decisions:
        yield Moment(decision.time, f"decided {decision.kind}: {'; '.join(decision.reasons)}")
    for retrain in story.retrains:
        yield from _retrain(retrain)
    if seen := story.acknowledged:
        yield Moment(seen.time, f"{seen.actor.name} is at it: {seen.why}")
    if story.closing:
        yield Moment(story.closing.time, f"{story.closing.actor.name} closed it as {story.closing.label}")


def _retrain(retrain: Retrain) -> Iterator[Moment]:
    if said := retrain.answer:
        word = "approved" if said.approved else "rejected"
        yield Moment(said.time, f"{said.actor.name} {word} the retrain: {said.why or 'no reason given'}")
    for start in retrain.starts:
        yield Moment(start.time, f"retraining began, run {start.number}, by {start.actor.name}")
    if retrain.outcome:
        yield Moment(retrain.outcome.time, f"retrain {retrain.outcome.kind}: {retrain.outcome.reason}")


def _ended(story: IncidentStory) -> str:
    said, incident = story.closing, story.incident
    if said is not None:
        parts = [f"**{said.label}**, says {said.actor.name}."]
        parts += [f"Cause: {said.cause}."] if said.cause else []
        parts += [f"Remedy: {said.remedy}."] if said.remedy else []
        return " ".join(parts)
    if incident.ended_at is None:
        waiting = [each.decision.id for each in story.retrains if not each.over]
        return "It goes on." + (f" A retrain waits: {', '.join(waiting)}." if waiting else "")
    told = any(each.status is NotificationStatus.RESOLVED for each in story.notifications)
    heard = "receivers know" if told else "receivers have not been told yet"
    return (
        f"Every alert was resolved by {utc_text(incident.ended_at)}; {heard}. Nobody has said what it was: "
        f"`watchkeeper incidents close {incident.id} --label real|benign --cause TEXT --remedy TEXT`."
    )

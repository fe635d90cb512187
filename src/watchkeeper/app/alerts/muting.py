"""Mutes on record: who asked, who confirmed, what it would have hidden, when it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchkeeper.app.alerts.alerting import alert_history
from watchkeeper.app.registry.records import create_record, read_records
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.section import unknown
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.audit import Event
from watchkeeper.core.decisions import ApprovalNeed
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError, Refused
from watchkeeper.core.incidents import Incident, incidents
from watchkeeper.core.mutes import ALERT_NAME, Mute, MuteAct, MuteSpan, MuteState, MuteWord, spans
from watchkeeper.core.ports import Store
from watchkeeper.core.rules import Alert
from watchkeeper.core.values import Actor
from watchkeeper.core.windows import utc_text

LOOK_BACK = timedelta(days=7)  # that a preview is about
LABELS = (ALERT_NAME, "endpoint", "schedule", "severity", "action", "incident", "feature", "model_version")


@dataclass(frozen=True, slots=True)
class MuteRequest:
    """What somebody wants muted."""

    environment: str
    matchers: Mapping[str, str]
    ends_at: datetime
    why: str
    actor: Actor
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a mute is about: rules that it may silence, and what it would have hidden in seven days."""

    mute: Mute
    rules: tuple[str, ...]
    alerts: tuple[Alert, ...]
    incidents: tuple[Incident, ...]


def mute_spans(store: Store, environment: str) -> tuple[MuteSpan, ...]:
    """Every mute of an environment with what was said of it, oldest first."""
    prefix = f"mutes/{environment}/"
    mutes = read_records(store, prefix, Mute, "/mute.json")
    words = tuple(word for act in MuteAct for word in read_records(store, prefix, MuteWord, f"/{act}.json"))
    return spans(sorted(mutes, key=lambda each: (each.time, each.id)), words)


def preview(books: Books, request: MuteRequest) -> Preview:
    """What a mute would be, before it is one. Raises InputError for one that cannot be."""
    mute = _drafted(books, request)
    span = MuteSpan(mute, mute.time, mute.ends_at)
    since = mute.time - LOOK_BACK
    seen = [alert for alert in alert_history(books.store, request.environment) if alert.since > since]
    meant = [alert for alert in seen if alert.fired_at is not None and span.means(alert)]
    firings = {(alert.fingerprint, alert.fired_at): alert for alert in meant}
    touched = [
        each
        for each in incidents(seen)
        if all((alert.fingerprint, alert.fired_at) in firings for alert in each.alerts)
    ]
    return Preview(mute, _rules(books.project, request), tuple(firings.values()), tuple(touched))


def mute_alerts(books: Books, seen: Preview) -> Mute:
    """Put the mute on record that a preview was shown of."""
    mute = seen.mute
    create_record(books.store, f"mutes/{mute.environment}/{mute.id}/mute.json", mute)
    meant = ", ".join(f"{name}={value}" for name, value in mute.matchers)
    why = f"{mute.why} (until {utc_text(mute.ends_at)}{f', {mute.ticket}' if mute.ticket else ''})"
    books.trail.append(
        Event(
            "mute.asked" if mute.needs_second else "mute.begun",
            meant,
            mute.actor,
            mute.time,
            why,
            after=mute.id,
        )
    )
    return mute


def confirm_mute(books: Books, environment: str, named: str, actor: Actor) -> Mute:
    """A second person's yes. Raises Refused for the first person's, and for a mute that does not wait."""
    span, now = find_mute(books.store, environment, named), books.clock.now()
    if span.state(now) is not MuteState.WAITING:
        raise Refused(f"confirm mute {span.mute.id}: want one that waits, it is {span.state(now)}")
    if actor == span.mute.actor:
        raise Refused(f"confirm mute {span.mute.id}: want another person than {actor}, who asked for it")
    _say(books, span.mute, MuteWord(span.mute.id, MuteAct.CONFIRMED, actor, now, ""))
    return span.mute


def unmute(books: Books, environment: str, named: str, actor: Actor, why: str) -> Mute:
    """End a mute before its time; one that still waits is taken back. Raises Refused for one that is over."""
    span, now = find_mute(books.store, environment, named), books.clock.now()
    if span.state(now) is MuteState.OVER:
        raise Refused(f"unmute {span.mute.id}: it is over since {utc_text(span.ends_at)}")
    _say(books, span.mute, MuteWord(span.mute.id, MuteAct.ENDED, actor, now, why))
    return span.mute


def find_mute(store: Store, environment: str, named: str) -> MuteSpan:
    """The mute whose id begins so. Raises InputError when it is not one."""
    found = [each for each in mute_spans(store, environment) if each.mute.id.startswith(named)]
    if len(found) != 1:
        got = ", ".join(each.mute.id for each in found) or "none"
        raise InputError(f"find mute {named} in {environment}: want one whose id begins so, got {got}")
    return found[0]


def _say(books: Books, mute: Mute, word: MuteWord) -> None:
    create_record(books.store, f"mutes/{mute.environment}/{mute.id}/{word.act}.json", word)
    meant = ", ".join(f"{name}={value}" for name, value in mute.matchers)
    books.trail.append(Event(f"mute.{word.act}", meant, word.actor, word.time, word.why, after=mute.id))


def _drafted(books: Books, request: MuteRequest) -> Mute:
    project, now = books.project, books.clock.now()
    settings = project.environment(request.environment)
    doing = f"mute alerts of {request.environment}"
    if not request.matchers:
        raise InputError(
            f"{doing}: want at least one label, such as {ALERT_NAME}=NAME; nothing mutes everything"
        )
    for name, value in request.matchers.items():
        if name not in LABELS:
            raise InputError(f"{doing}: {unknown(name, LABELS, 'label')}")
        if name == ALERT_NAME and value not in (
            known := [each.name for each in project.rules(request.environment)]
        ):
            raise InputError(f"{doing}: {unknown(value, known, 'rule')}")
    if not request.why.strip():
        raise InputError(f"{doing}: want a reason")
    longest = settings.notifications.mute_at_most
    if not now < request.ends_at <= longest.after(now):
        raise InputError(
            f"{doing}: want an end between now and {longest} from now, got {utc_text(request.ends_at)}"
        )
    broad = ALERT_NAME not in request.matchers
    guarded = settings.environments[request.environment].approval is ApprovalNeed.REQUIRED
    matchers = tuple(sorted(request.matchers.items()))
    return Mute(
        id=digest([request.environment, matchers, utc_text(now), request.actor])[:12],
        environment=request.environment,
        matchers=matchers,
        ends_at=request.ends_at,
        why=request.why.strip(),
        ticket=request.ticket,
        actor=request.actor,
        time=now,
        needs_second=broad or guarded,
    )


def _rules(project: Project, request: MuteRequest) -> tuple[str, ...]:
    """The rules that it may silence, by what is known of their alerts beforehand."""
    found = []
    for rule in project.rules(request.environment):
        known = {
            ALERT_NAME: rule.name,
            "severity": rule.severity.value,
            "action": rule.action.value,
            "incident": rule.incident or rule.name,
            "endpoint": project.endpoint(request.environment),
        }
        if all(known.get(name, value) == value for name, value in request.matchers.items()):
            found.append(rule.name)
    return tuple(found)

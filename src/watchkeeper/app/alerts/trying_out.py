"""Send a receiver something that is marked as a test, to see that it arrives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from watchkeeper.adapters.receivers import DIGEST, sender
from watchkeeper.app.alerts.delivering import outlets
from watchkeeper.app.alerts.digests import digest_of
from watchkeeper.app.setup.section import unknown
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.audit import Event
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError
from watchkeeper.core.incidents import Delivery, Notification, NotificationStatus, Outlet, group_of
from watchkeeper.core.rules import Action, Alert, AlertState, Severity, fingerprint_of
from watchkeeper.core.values import Actor, labels_of
from watchkeeper.core.windows import utc_text

NAME = "ReceiverTest"


@dataclass(frozen=True, slots=True)
class TriedOutlet:
    """One way to reach a receiver, and what became of the test."""

    outlet: Outlet
    delivery: Delivery


def try_receiver(books: Books, environment: str, receiver: str, actor: Actor) -> tuple[TriedOutlet, ...]:
    """Send a test over every way of a receiver. Raises InputError when there is none of that name."""
    ways = [each for each in outlets(books.project, environment) if each.receiver == receiver]
    if not ways:
        known = books.project.environment(environment).receivers
        raise InputError(f"test a receiver of {environment}: {unknown(receiver, known, 'receiver')}")
    notification = _test(books, environment, receiver, actor)
    found = tuple(TriedOutlet(way, _try(books, environment, way, notification)) for way in ways)
    failed = [f"{each.outlet}: {each.delivery.reason}" for each in found if not each.delivery.delivered]
    subject = f"{receiver} in {environment}"
    why = "; ".join(failed) or "delivered"
    books.trail.append(Event("receiver.tested", subject, actor, books.clock.now(), why))
    return found


def _try(books: Books, environment: str, way: Outlet, test: Notification) -> Delivery:
    """An outlet of digests gets one of the last day; a ticket that a test opened is closed again."""
    tell, now = sender(way.kind), books.clock.now()
    if way.kind == DIGEST:
        seen = digest_of(books, environment, now - timedelta(days=1), {})
        return tell(books.store, way, replace(test, digest=replace(seen, title=f"[test] {seen.title}")))
    told = tell(books.store, way, test)
    if not told.delivered or way.kind != "ticket":
        return told
    over = tuple(replace(each, state=AlertState.RESOLVED, resolved_at=now) for each in test.alerts)
    identity = digest([test.id, "over"])[:16]
    ended = replace(test, id=identity, status=NotificationStatus.RESOLVED, alerts=over)
    return tell(books.store, way, ended)


def _test(books: Books, environment: str, receiver: str, actor: Actor) -> Notification:
    now, project = books.clock.now(), books.project
    labels = labels_of(project=project.name, environment=environment, endpoint=project.endpoint(environment))
    alert = Alert(
        name=NAME,
        fingerprint=fingerprint_of(NAME, labels),
        labels=labels,
        state=AlertState.FIRING,
        severity=Severity.WARNING,
        action=Action.NOTIFY,
        notify=(receiver,),
        summary=f"a test by {actor.name}: nothing is wrong",
        value=None,
        active_at=now,
        fired_at=now,
        incident=NAME,
    )
    return Notification(
        id=digest([NAME, receiver, utc_text(now)])[:16],
        incident=digest([NAME, environment, receiver, utc_text(now)])[:16],
        receiver=receiver,
        group=group_of(alert),
        status=NotificationStatus.FIRING,
        alerts=(alert,),
        time=now,
    )

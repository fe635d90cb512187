"""Notifications on record, handed to their receivers: each at least once, and always under the same id.

What a receiver is to be told is put on record before it is sent, and what became of every try after it. A
process that is killed in between sends it once more, under the id that it had.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from watchkeeper.adapters.receivers import DIGEST, RECEIVERS, sender
from watchkeeper.app.alerts.alerting import AlertLog
from watchkeeper.app.alerts.closing import closings, similar
from watchkeeper.app.alerts.digests import digest_of
from watchkeeper.app.alerts.muting import mute_spans
from watchkeeper.app.registry.records import create_record, read_records
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.cron import Cron
from watchkeeper.core.encoding import digest
from watchkeeper.core.incidents import (
    Delivery,
    Incident,
    Links,
    Notification,
    NotificationStatus,
    Outlet,
    Timing,
    due_at,
    escalates_at,
    incidents,
    next_notification,
    repeats,
)
from watchkeeper.core.inhibition import inhibited
from watchkeeper.core.mutes import MuteState, hidden_by, muted
from watchkeeper.core.ports import Store
from watchkeeper.core.rules import Alert
from watchkeeper.core.windows import utc_text

FIRST_RETRY, LAST_RETRY = 5.0, 300.0  # seconds after the first failure, doubled with each one up to the last


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one try to hand a notification to an outlet; tries are counted from 1."""

    notification: str
    outlet: str
    attempt: int
    time: datetime
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A notification that is still to be delivered; one that was refused not before its time."""

    notification: Notification
    not_before: datetime | None = None


@dataclass(slots=True)
class _Line:
    """What waits for one outlet, oldest first. After failures in a row it is left alone until `free_at`."""

    outlet: Outlet
    waiting: list[_Waiting] = field(default_factory=list)
    failures: int = 0
    free_at: datetime | None = None

    def next_try(self, now: datetime) -> datetime | None:
        """When the next one is to be handed over; None when nothing waits."""
        soonest = min((each.not_before or now for each in self.waiting), default=None)
        return soonest if soonest is None or self.free_at is None else max(soonest, self.free_at)


def notifications(store: Store, environment: str) -> tuple[Notification, ...]:
    """Everything that receivers of an environment were to be told, oldest first."""
    return read_records(store, f"outbox/{environment}/", Notification)


def receipts(store: Store, environment: str) -> tuple[Receipt, ...]:
    """Every try to deliver, by notification."""
    return read_records(store, f"receipts/{environment}/", Receipt)


@dataclass(slots=True)
class Dispatcher:
    """Tells an environment's receivers of its incidents. One process at a time may run one.

    It reads the records once, when it is made, and knows the rest from what it does itself.
    """

    books: Books
    environment: str
    kinds: frozenset[str] = frozenset(RECEIVERS)  # of outlets; others are somebody else's to use
    _began: datetime = field(init=False)
    _log: AlertLog = field(init=False)
    _told: dict[tuple[str, str], list[Notification]] = field(init=False, default_factory=dict)
    _attempts: dict[tuple[str, str], int] = field(init=False, default_factory=dict)
    _lines: dict[str, _Line] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        store, environment = self.books.store, self.environment
        self._began = self.books.clock.now()
        self._log = AlertLog(store, environment)
        ours = [each for each in outlets(self.books.project, environment) if each.kind in self.kinds]
        self._lines = {str(each): _Line(each) for each in ours}
        delivered = set()
        for receipt in receipts(store, environment):
            key = (receipt.notification, receipt.outlet)
            self._attempts[key] = max(receipt.attempt, self._attempts.get(key, 0))
            if receipt.delivery.delivered:
                delivered.add(key)
        for notification in notifications(store, environment):
            self._queue(notification, delivered)

    def run(self) -> tuple[Receipt, ...]:
        """Put on record what is to be told by now, and hand over what is waiting; every try that was made."""
        now = self.books.clock.now()
        timing = self.books.project.timing(self.environment)
        seen = self._acknowledged()
        for incident, receiver, told in self._open():
            if incident.id in seen and repeats(incident, told):
                continue
            notification = next_notification(incident, receiver, told, timing, now)
            if notification is not None:
                self._post(replace(notification, earlier=self._earlier(incident)))
        for notification in (*self._summaries(now), *self._digests(now)):
            self._post(notification)
        return tuple(receipt for line in self._lines.values() for receipt in self._deliver(line, now))

    def next_due(self) -> datetime | None:
        """When there is something to do again if no alert changes; None when there is not."""
        timing, seen = self.books.project.timing(self.environment), self._acknowledged()
        due = []
        for incident, _, told in self._open():
            if incident.id not in seen or not repeats(incident, told):
                due.append(due_at(incident, told, timing))
            if incident.id not in seen and not self._escalated(incident, timing):
                due.append(escalates_at(incident, self._of(incident), timing))
        now = self.books.clock.now()
        due += [line.next_try(now) for line in self._lines.values()]
        due += [self._digest_due(line.outlet) for line in self._lines.values() if line.outlet.kind == DIGEST]
        muting = mute_spans(self.books.store, self.environment)
        due += [span.ends_at for span in muting if span.state(now) is MuteState.ACTIVE]
        return min((each for each in due if each is not None), default=None)

    def undelivered(self) -> tuple[tuple[Outlet, int], ...]:
        """Each outlet with the number of notifications that wait for it."""
        return tuple((line.outlet, len(line.waiting)) for line in self._lines.values() if line.waiting)

    def _open(self) -> Iterator[tuple[Incident, str, list[Notification]]]:
        """Each incident with each of its receivers, without alerts that are muted or inhibited now.

        One that came and went under a mute is told in the mute's summary, and not by itself.
        """
        muting, now = mute_spans(self.books.store, self.environment), self.books.clock.now()
        every = incidents(self._log.read())
        rules = self.books.project.inhibitions(self.environment)
        firings = [alert for each in every for alert in each.alerts] if rules else []
        for incident in every:
            heard = tuple(alert for alert in incident.alerts if not muted(alert, muting, now))
            if not heard or hidden_by(incident, muting) is not None:
                continue
            loud = {id(alert) for alert in heard if not inhibited(alert, firings, rules, now)}
            for receiver in self._receivers(incident, now):
                told = self._told.get((incident.id, receiver), [])
                known = {(alert.fingerprint, alert.fired_at) for note in told for alert in note.alerts}
                audible = tuple(
                    alert
                    for alert in heard
                    if id(alert) in loud
                    or (alert.resolved_at and (alert.fingerprint, alert.fired_at) in known)
                )  # who heard of its beginning hears of its end
                if audible:
                    yield replace(incident, alerts=audible), receiver, told

    def _receivers(self, incident: Incident, now: datetime) -> Iterator[str]:
        """Those that its rules name, and those that it was escalated to or is to be now."""
        timing = self.books.project.timing(self.environment)
        yield from incident.receivers
        for receiver in timing.escalate_to:
            if receiver in incident.receivers:
                continue
            due = escalates_at(incident, self._of(incident), timing)
            late = due is not None and due <= now and incident.id not in self._acknowledged()
            if late or (incident.id, receiver) in self._told:
                yield receiver

    def _earlier(self, incident: Incident) -> tuple[str, ...]:
        said = closings(self.books.store, self.environment)
        return tuple(str(each) for each in similar(incident, incidents(self._log.read()), said))

    def _of(self, incident: Incident) -> list[list[Notification]]:
        """What its own receivers were told of an incident."""
        return [self._told.get((incident.id, receiver), []) for receiver in incident.receivers]

    def _escalated(self, incident: Incident, timing: Timing) -> bool:
        return all((incident.id, receiver) in self._told for receiver in timing.escalate_to)

    def _acknowledged(self) -> frozenset[str]:
        """The incidents that somebody has said to be at."""
        keys = self.books.store.list(f"acknowledgements/{self.environment}/")
        return frozenset(key.rpartition("/")[2].removesuffix(".json") for key in keys)

    def _summaries(self, now: datetime) -> Iterator[Notification]:
        """What each mute that is over has hidden, once for each receiver; nothing of one that hid nothing."""
        muting = mute_spans(self.books.store, self.environment)
        over = {span.mute.id: span for span in muting if span.state(now) is MuteState.OVER}
        hidden: dict[tuple[str, str], list[Alert]] = {}
        for incident in incidents(self._log.read()) if over else ():
            span = hidden_by(incident, muting)
            if span is not None and span.mute.id in over:
                for receiver in incident.receivers:
                    hidden.setdefault((span.mute.id, receiver), []).extend(incident.alerts)
        for (mute, receiver), alerts in hidden.items():
            if (mute, receiver) not in self._told:
                yield Notification(
                    id=digest(["mute", mute, receiver])[:16],
                    incident=mute,
                    receiver=receiver,
                    group=(("environment", self.environment), ("mute", mute)),
                    status=NotificationStatus.RESOLVED,
                    alerts=tuple(alerts),
                    time=now,
                )

    def _digests(self, now: datetime) -> Iterator[Notification]:
        """Each outlet's digest that is due; after a time in which nothing ran one, about all of that time."""
        for line in self._lines.values():
            if line.outlet.kind != DIGEST or (due := self._digest_due(line.outlet)) > now:
                continue
            name, receiver = digest_name(line.outlet), line.outlet.receiver
            told = self._told.get((name, receiver), [])
            since = told[-1].time if told else _schedule(line.outlet).previous(due)
            waiting = {str(each): count for each, count in self.undelivered()}
            yield Notification(
                id=digest([name, self.environment, utc_text(due)])[:16],
                incident=name,
                receiver=receiver,
                group=(("environment", self.environment),),
                status=NotificationStatus.RESOLVED,
                alerts=(),
                time=now,
                digest=digest_of(self.books, self.environment, since, waiting),
            )

    def _digest_due(self, outlet: Outlet) -> datetime:
        told = self._told.get((digest_name(outlet), outlet.receiver), [])
        return _schedule(outlet).next(told[-1].time if told else self._began)

    def _post(self, notification: Notification) -> None:
        """Put it on record, then in the lines that it waits in."""
        stamp = f"{notification.time:%Y%m%dT%H%M%S.%fZ}"
        key = f"outbox/{self.environment}/{stamp}-{notification.id}.json"
        create_record(self.books.store, key, notification)
        self._queue(notification)

    def _queue(self, notification: Notification, delivered: Collection[tuple[str, str]] = ()) -> None:
        self._told.setdefault((notification.incident, notification.receiver), []).append(notification)
        for name, line in self._lines.items():
            if _is_for(line.outlet, notification) and (notification.id, name) not in delivered:
                line.waiting.append(_Waiting(notification))

    def _deliver(self, line: _Line, now: datetime) -> Iterator[Receipt]:
        """Hand over what waits for an outlet, in order, until it fails; what it refuses waits alone."""
        if line.free_at is not None and now < line.free_at:
            return
        left: list[_Waiting] = []
        for place, each in enumerate(line.waiting):
            if each.not_before is not None and now < each.not_before:
                left.append(each)
                continue
            receipt = self._tried(line.outlet, each.notification, now)
            yield receipt
            if receipt.delivery.delivered:
                line.failures, line.free_at = 0, None
            elif receipt.delivery.refused:
                left.append(_Waiting(each.notification, retry_at(now, receipt.attempt, receipt.delivery)))
            else:
                left += line.waiting[place:]
                line.failures += 1
                line.free_at = retry_at(now, line.failures, receipt.delivery)
                break
        line.waiting = left

    def _tried(self, outlet: Outlet, notification: Notification, now: datetime) -> Receipt:
        delivery = sender(outlet.kind)(self.books.store, outlet, notification)
        key = (notification.id, str(outlet))
        self._attempts[key] = attempt = self._attempts.get(key, 0) + 1
        receipt = Receipt(notification.id, str(outlet), attempt, now, delivery)
        name = f"receipts/{self.environment}/{notification.id}/{outlet}-{attempt:04d}.json"
        create_record(self.books.store, name, receipt)
        return receipt


def _is_for(outlet: Outlet, notification: Notification) -> bool:
    """An outlet of digests hears its own digests and nothing else; the others hear everything else."""
    if notification.digest is not None or outlet.kind == DIGEST:
        return notification.incident == digest_name(outlet)
    return outlet.receiver == notification.receiver


def digest_name(outlet: Outlet) -> str:
    """What an outlet's digests are told under, in the place of an incident."""
    return f"digest-{outlet}"


def retry_at(now: datetime, failures: int, delivery: Delivery) -> datetime:
    """When to try again after so many failures, not sooner than the outlet asked for."""
    pause = min(FIRST_RETRY * 2 ** min(failures - 1, 16), LAST_RETRY)
    return now + timedelta(seconds=max(pause, delivery.retry_after or 0.0))


def _schedule(outlet: Outlet) -> Cron:
    return Cron.parse(outlet.options["schedule"])


def outlets(project: Project, environment: str) -> tuple[Outlet, ...]:
    """Every way to reach every receiver of an environment."""
    settings = project.environment(environment)
    told = settings.notifications
    links = Links(told.external_url, told.grafana_url, project.classification)
    return tuple(
        Outlet(name, place, each.kind, each.options(), links)
        for name, ways in settings.receivers.items()
        for place, each in enumerate(ways)
    )

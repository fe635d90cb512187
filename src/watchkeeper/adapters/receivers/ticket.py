"""One ticket an incident: opened when it is told of, commented as it goes on, closed when it is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import httpx

from watchkeeper.adapters.receivers.answers import FAILURES, TIMEOUT, failure_of
from watchkeeper.adapters.receivers.trackers import Tracker, github, jira
from watchkeeper.adapters.secrets import resolve
from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import ExistsError, InputError
from watchkeeper.core.incidents import Delivery, Notification, NotificationStatus, Outlet
from watchkeeper.core.ports import Store
from watchkeeper.render.telling import body, headline

TICKETS = "tickets/"
TRACKERS: Mapping[str, Callable[[httpx.Client, Mapping[str, str]], Tracker]] = MappingProxyType(
    {"github": github.Issues, "jira": jira.Issues}
)


def send(store: Store, outlet: Outlet, notification: Notification) -> Delivery:
    """Bring the incident's ticket to where the notification says it is.

    The ticket is known by its record, and by a label with the incident's id where a process died before the
    record was written; a comment by the notification's id, which stands in it. So telling twice is telling
    once. A mute's summary is about no one incident, and opens none.
    """
    if "mute" in dict(notification.group):
        return Delivery(delivered=True, reason="a summary of a mute opens no ticket")
    try:
        with httpx.Client(timeout=TIMEOUT, trust_env=False, headers={"user-agent": "watchkeeper"}) as client:
            _authorize(client, outlet.options)
            _bring(store, outlet, notification, TRACKERS[outlet.options["tracker"]](client, outlet.options))
    except InputError as error:
        return Delivery(delivered=False, reason=str(error))
    except FAILURES as error:
        return failure_of(error)
    except (ValueError, LookupError) as error:
        return Delivery(delivered=False, reason=f"read its answer: {type(error).__name__}: {error}")
    return Delivery(delivered=True)


def _authorize(client: httpx.Client, options: Mapping[str, str]) -> None:
    """A bearer token; with the option `user` basic authentication, as Jira Cloud wants it."""
    if "token" not in options:
        return
    token = resolve(options["token"])
    if "user" in options:
        client.auth = httpx.BasicAuth(options["user"], token)
    else:
        client.headers["authorization"] = f"Bearer {token}"


def _bring(store: Store, outlet: Outlet, notification: Notification, tracker: Tracker) -> None:
    text = body(notification, outlet.links)
    ticket = _known(store, outlet, notification) or tracker.find(label_of(notification.incident))
    over = notification.status is NotificationStatus.RESOLVED
    if ticket is None:
        if over:  # nobody was told that it began
            return
        ticket = tracker.open(headline(notification), text, label_of(notification.incident))
        _remember(store, outlet, notification, ticket)
        return
    _remember(store, outlet, notification, ticket)
    if not tracker.said(ticket, notification.id):
        tracker.comment(ticket, f"{headline(notification)}\n\n{text}")
    if over:
        tracker.close(ticket)


def label_of(incident: str) -> str:
    """The label by which the ticket of an incident is found."""
    return f"watchkeeper-{incident}"


def _key(outlet: Outlet, notification: Notification) -> str:
    return f"{TICKETS}{notification.incident}/{outlet}.json"


def _known(store: Store, outlet: Outlet, notification: Notification) -> str | None:
    key = _key(outlet, notification)
    return decode(str, store.read(key)) if key in store.list(key) else None


def _remember(store: Store, outlet: Outlet, notification: Notification, ticket: str) -> None:
    try:
        store.create(_key(outlet, notification), encode(ticket))
    except ExistsError:
        return  # it is known already

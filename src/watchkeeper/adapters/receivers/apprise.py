"""Notifications and digests through Apprise: e-mail, Slack, Teams, PagerDuty, SNS and a hundred others.

Source: github.com/caronc/apprise, whose URLs name a service with everything it takes to reach it.
"""

from __future__ import annotations

import re
from logging import WARNING

import apprise

from watchkeeper.adapters.secrets import resolve
from watchkeeper.core.errors import InputError
from watchkeeper.core.incidents import Delivery, Notification, NotificationStatus, Outlet
from watchkeeper.core.ports import Store
from watchkeeper.core.rules import Severity
from watchkeeper.render.telling import body, headline

_SECRET = re.compile(r"[^\W_][\w%.-]{3,}")  # pieces of a URL that its owner may not want in a record


def send(_: Store, outlet: Outlet, notification: Notification) -> Delivery:
    """Tell over the Apprise URL that the option `url` refers to.

    What Apprise says of a failure is kept without any piece of the URL.
    """
    try:
        url = resolve(outlet.options["url"])
    except InputError as error:
        return Delivery(delivered=False, reason=str(error))
    service = apprise.Apprise()
    with apprise.LogCapture(level=WARNING) as said:  # type: ignore[no-untyped-call]
        if not service.add(url):
            return Delivery(
                delivered=False, reason=f"{outlet.options['url']} leads to no URL that Apprise knows"
            )
        told = service.notify(
            title=headline(notification),
            body=body(notification, outlet.links),
            notify_type=_kind(notification),
            body_format=apprise.NotifyFormat.MARKDOWN,
        )
        lines = said.getvalue().strip().splitlines()
    if told:
        return Delivery(delivered=True)
    return Delivery(
        delivered=False, reason=_without(url, lines[-1] if lines else "the service did not take it")
    )


def _kind(notification: Notification) -> apprise.NotifyType:
    if notification.digest is not None:
        return apprise.NotifyType.INFO
    if notification.status is NotificationStatus.RESOLVED:
        return apprise.NotifyType.SUCCESS
    pages = any(alert.severity is Severity.CRITICAL for alert in notification.alerts)
    return apprise.NotifyType.FAILURE if pages else apprise.NotifyType.WARNING


def _without(url: str, said: str) -> str:
    """Apprise's words without what stands in the URL."""
    for piece in sorted(set(_SECRET.findall(url.partition("://")[2])), key=len, reverse=True):
        said = said.replace(piece, "…")
    return said

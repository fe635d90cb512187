"""Notifications as objects: Alertmanager's webhook payload, one file a notification."""

from __future__ import annotations

from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.incidents import Delivery, Notification, Outlet
from watchkeeper.core.ports import Store
from watchkeeper.render.alertmanager import webhook_payload


def send(store: Store, outlet: Outlet, notification: Notification) -> Delivery:
    """Put the notification under the option `path`."""
    name = f"{notification.time:%Y%m%dT%H%M%SZ}-{notification.id}-{notification.status}.json"
    try:
        store.write(
            f"{outlet.options['path']}/{name}",
            encode(webhook_payload(notification, outlet.links)),
        )
    except PlatformError as error:
        return Delivery(delivered=False, reason=str(error))
    return Delivery(delivered=True)

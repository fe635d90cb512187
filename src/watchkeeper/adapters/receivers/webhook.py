"""Notifications over HTTP: Alertmanager's webhook payload, posted to a URL."""

from __future__ import annotations

import httpx

from watchkeeper.adapters.receivers.answers import FAILURES, TIMEOUT, delivery_of, failure_of
from watchkeeper.adapters.secrets import resolve, resolved
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import InputError
from watchkeeper.core.incidents import Delivery, Notification, Outlet
from watchkeeper.core.ports import Store
from watchkeeper.render.alertmanager import webhook_payload


def send(_: Store, outlet: Outlet, notification: Notification) -> Delivery:
    """Post the notification to the option `url`, with `token` as a bearer token where there is one.

    The id goes along as `Idempotency-Key`, so that who receives it twice can tell.
    Source: datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header.
    """
    headers = {"content-type": "application/json", "idempotency-key": notification.id}
    try:
        if token := outlet.options.get("token"):
            headers["authorization"] = f"Bearer {resolve(token)}"
        answer = httpx.post(
            resolved(outlet.options["url"]),
            content=encode(webhook_payload(notification, outlet.links)),
            headers=headers,
            timeout=float(outlet.options.get("timeout", TIMEOUT)),
            trust_env=False,
        )
    except InputError as error:
        return Delivery(delivered=False, reason=str(error))
    except FAILURES as error:
        return failure_of(error)
    return delivery_of(answer)

"""Notifications over HTTP: Alertmanager's webhook payload, posted to a URL."""

from __future__ import annotations

import math

import httpx

from watchkeeper.adapters.secrets import resolve
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import InputError
from watchkeeper.core.incidents import Delivery, Notification, Outlet
from watchkeeper.core.ports import Store
from watchkeeper.render.alertmanager import webhook_payload

TIMEOUT = 10.0  # seconds for each of connecting, sending and waiting for the answer
_TRY_AGAIN = frozenset({408, 425, 429})  # of the 4xx, those that say nothing against the notification itself


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
            outlet.options["url"],
            content=encode(webhook_payload(notification, outlet.options.get("external_url", ""))),
            headers=headers,
            timeout=float(outlet.options.get("timeout", TIMEOUT)),
            trust_env=False,
        )
    except InputError as error:
        return Delivery(delivered=False, reason=str(error))
    except httpx.HTTPError as error:
        return Delivery(delivered=False, reason=f"{type(error).__name__}: {error}")
    if answer.is_success:
        return Delivery(delivered=True)
    refused = answer.is_client_error and answer.status_code not in _TRY_AGAIN
    return Delivery(False, f"it answered {answer.status_code}", refused, _retry_after(answer))


def _retry_after(answer: httpx.Response) -> float | None:
    """The header's seconds; None without one, and for a date, which needs a clock that both share."""
    try:
        seconds = float(answer.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None

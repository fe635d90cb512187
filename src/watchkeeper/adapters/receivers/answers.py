"""What an HTTP answer says of a delivery."""

from __future__ import annotations

import math

import httpx

from watchkeeper.core.incidents import Delivery

TIMEOUT = 10.0  # seconds for each of connecting, sending and waiting for the answer
_TRY_AGAIN = frozenset({408, 425, 429})  # of the 4xx, those that say nothing against the notification itself


def delivery_of(answer: httpx.Response) -> Delivery:
    """Delivered, refused, or to be tried again, by the status."""
    if answer.is_success:
        return Delivery(delivered=True)
    refused = answer.is_client_error and answer.status_code not in _TRY_AGAIN
    return Delivery(False, f"it answered {answer.status_code}", refused, _retry_after(answer))


FAILURES = (httpx.HTTPError, httpx.InvalidURL)  # the second is none of the first


def failure_of(error: httpx.HTTPError | httpx.InvalidURL) -> Delivery:
    """What came of a request that had no answer, or one that `raise_for_status` has raised.

    Of a URL that cannot be read nothing is repeated: it may be a secret.
    """
    if isinstance(error, httpx.InvalidURL):
        return Delivery(delivered=False, reason="its URL cannot be read")
    if isinstance(error, httpx.HTTPStatusError):
        return delivery_of(error.response)
    return Delivery(delivered=False, reason=f"{type(error).__name__}: {error}")


def _retry_after(answer: httpx.Response) -> float | None:
    """The header's seconds; None without one, and for a date, which needs a clock that both share."""
    try:
        seconds = float(answer.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None

"""Pages over HTTP: `PUT URL/PAGE` with Markdown."""

from __future__ import annotations

import httpx

from watchkeeper.adapters.knowledge import Shelf
from watchkeeper.adapters.receivers.answers import FAILURES, TIMEOUT, delivery_of, failure_of
from watchkeeper.adapters.secrets import resolve
from watchkeeper.core.errors import InputError
from watchkeeper.core.incidents import Delivery


def put(shelf: Shelf, page: str, text: str) -> Delivery:
    """Put the page below the option `url`, with `token` as a bearer token where there is one."""
    headers = {"content-type": "text/markdown; charset=utf-8"}
    try:
        if token := shelf.options.get("token"):
            headers["authorization"] = f"Bearer {resolve(token)}"
        url = f"{shelf.options['url'].rstrip('/')}/{page}"
        answer = httpx.put(url, content=text.encode(), headers=headers, timeout=TIMEOUT, trust_env=False)
    except InputError as error:
        return Delivery(delivered=False, reason=str(error))
    except FAILURES as error:
        return failure_of(error)
    return delivery_of(answer)

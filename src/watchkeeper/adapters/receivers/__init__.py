"""Who is told, one module per kind; `RECEIVERS` maps a kind of the project file to what tells.

A sender hands a notification to an outlet and says what became of it. Handing it over again, under the
same id, does no harm.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

from watchkeeper.core.incidents import Delivery, Notification, Outlet
from watchkeeper.core.ports import Store

Sender = Callable[[Store, Outlet, Notification], Delivery]

DIGEST = "digest"  # the kind that is told of no incident, and of everything once a day or a week
LIBRARY = "apprise"  # of the extra notify
ALERTMANAGERS = frozenset({"webhook"})  # kinds that Alertmanager reaches itself, where one runs

RECEIVERS: Mapping[str, str] = MappingProxyType(
    {
        "apprise": "watchkeeper.adapters.receivers.apprise:send",
        DIGEST: "watchkeeper.adapters.receivers.apprise:send",
        "file": "watchkeeper.adapters.receivers.file:send",
        "ticket": "watchkeeper.adapters.receivers.ticket:send",
        "webhook": "watchkeeper.adapters.receivers.webhook:send",
    }
)


def sender(kind: str) -> Sender:
    """What tells over outlets of this kind, imported now; without its library, what says that it lacks."""
    module, _, function = RECEIVERS[kind].partition(":")
    try:
        return cast(Sender, getattr(importlib.import_module(module), function))
    except ModuleNotFoundError as error:
        if error.name != LIBRARY:
            raise
        return _lacking


def _lacking(_: Store, outlet: Outlet, __: Notification) -> Delivery:
    wanted = f"kind {outlet.kind} needs {LIBRARY}: pip install 'watchkeeper[notify]'"
    return Delivery(delivered=False, reason=wanted)

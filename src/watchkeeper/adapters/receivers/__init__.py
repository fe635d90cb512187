"""Who is told, one module per kind; `RECEIVERS` maps a kind of the project file to what tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from watchkeeper.adapters.receivers import file
from watchkeeper.core.ports import Store
from watchkeeper.core.rules import Alert

RECEIVERS: Mapping[str, Callable[[Store, str, str, Alert], None]] = MappingProxyType({"file": file.send})

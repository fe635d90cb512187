"""Where the work is done: engines by name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import cast

from watchkeeper.app.files.profiling import Engine
from watchkeeper.core.errors import InputError

ENGINES: Mapping[str, str] = MappingProxyType(
    {"local": "watchkeeper.engines.local:run", "spark": "watchkeeper.engines.spark:run"}
)


def open_engine(name: str, workers: int | None = None) -> Engine:
    """The engine `name`; `workers` None is as many as it has cores. Raises InputError for another name."""
    if name not in ENGINES:
        raise InputError(f'open engine "{name}": want one of {", ".join(ENGINES)}')
    module, _, function = ENGINES[name].partition(":")
    return cast(Engine, partial(getattr(importlib.import_module(module), function), workers=workers))

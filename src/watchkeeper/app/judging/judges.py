"""What each monitor makes of a window's rows: one `Judge` a monitor, found by name in `JUDGES`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from watchkeeper.app.judging.judgement import Judge
from watchkeeper.app.setup.monitors import MONITORS


def _loaded(place: str) -> Judge:
    module, _, name = place.partition(":")
    found: Judge = getattr(import_module(module), name)
    return found


JUDGES: Mapping[str, Judge] = MappingProxyType({name: _loaded(place) for name, place in MONITORS.items()})

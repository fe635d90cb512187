"""Where pages are mirrored to, one module per kind; `SHELVES` maps a kind of the project file to what puts.

Putting the same page again does no harm.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import cast

from watchkeeper.core.incidents import Delivery


@dataclass(frozen=True, slots=True)
class Shelf:
    """One place for pages; `place` counts a project's from 0, `folder` is the workspace."""

    place: int
    kind: str
    options: Mapping[str, str]
    folder: Path

    def __str__(self) -> str:
        return f"{self.place}-{self.kind}"


Puts = Callable[[Shelf, str, str], Delivery]

SHELVES: Mapping[str, str] = MappingProxyType(
    {
        "folder": "watchkeeper.adapters.knowledge.folder:put",
        "git": "watchkeeper.adapters.knowledge.git:put",
        "http": "watchkeeper.adapters.knowledge.http:put",
        "s3": "watchkeeper.adapters.knowledge.s3:put",
    }
)


def puts(kind: str) -> Puts:
    """What puts a page, by its path and text, on shelves of this kind."""
    module, _, function = SHELVES[kind].partition(":")
    return cast(Puts, getattr(importlib.import_module(module), function))

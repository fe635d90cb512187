"""What a function is told: its plan lies beside its code, so that code and plan change together."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from watchkeeper.core.encoding import decode

PLAN = "plan.json"
T = TypeVar("T")


def plan(kind: type[T], root: Path | None = None) -> T:
    """The plan of this zip; `root` is the folder that it was unpacked into."""
    here = root or Path(__file__).resolve().parents[4]
    return decode(kind, (here / PLAN).read_bytes())

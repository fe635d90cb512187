"""One thing that was looked at, and how it came out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Finding(StrEnum):
    """How a check came out; only `wrong` keeps something from working."""

    FINE = "fine"
    MISSING = "missing"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, what was found, and how to mend it."""

    what: str
    finding: Finding
    found: str
    mend: str = ""

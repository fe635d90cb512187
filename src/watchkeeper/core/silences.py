"""Alertmanager's silences, beside our mutes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SilenceMatcher:
    """What a label must be, or with `is_equal` false must not; `is_regex`: a pattern of the whole."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def __str__(self) -> str:
        sign = ("=~" if self.is_regex else "=") if self.is_equal else ("!~" if self.is_regex else "!=")
        return f"{self.name}{sign}{self.value}"


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence. `created_by` and `comment` are what somebody typed, and nobody has checked."""

    id: str
    matchers: tuple[SilenceMatcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    over: bool = False

    def may_touch(self, labels: Mapping[str, str]) -> bool:
        """Whether it can silence alerts that have these labels; a pattern is taken to fit."""
        return all(
            (labels[each.name] == each.value) is each.is_equal
            for each in self.matchers
            if each.name in labels and not each.is_regex
        )

"""What two versions of a schema do not agree on."""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from watchkeeper.core.values import Column, Schema

ALIKE = 0.6  # least likeness of two names, difflib's ratio, for one to be guessed the other's new name


class SchemaChangeKind(StrEnum):
    """How a column differs."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    REORDERED = "reordered"
    RETYPED = "retyped"
    ROLE_CHANGED = "role changed"


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One difference of one column, in words; `guess` when nothing but likeness says so."""

    kind: SchemaChangeKind
    column: str  # its name in the newer version, or in the older one when it was removed
    words: str
    guess: bool = False


def schema_changes(before: Schema, after: Schema) -> tuple[SchemaChange, ...]:
    """What became of the columns, in the newer version's order, removed ones last.

    A column is the same when its name is. A removed and an added column of the same type and role are
    guessed to be one that was renamed when they stand in the same place, or when their names are alike.
    Columns that both versions have are reordered when they do not come in the same order: those are
    named that have to move, the fewest that do.
    """
    old = {column.name: column for column in before.columns}
    new = {column.name: column for column in after.columns}
    renamed = _renamed(before, after)
    moved = _moved([name for name in old if name in new], [name for name in new if name in old])
    found: list[SchemaChange] = []
    for name, column in new.items():
        if name in renamed:
            was = renamed[name]
            words = f"{was} may be called {name} now: same type and role"
            found.append(SchemaChange(SchemaChangeKind.RENAMED, name, words, guess=True))
        elif name not in old:
            words = f"{name} was added: {column.type}, {column.role}"
            found.append(SchemaChange(SchemaChangeKind.ADDED, name, words))
        else:
            found += _of_column(old[name], column)
        if name in moved:
            places = (list(old).index(name) + 1, list(new).index(name) + 1)
            words = f"{name} moved from place {places[0]} to {places[1]}"
            found.append(SchemaChange(SchemaChangeKind.REORDERED, name, words))
    gone = [name for name in old if name not in new and name not in renamed.values()]
    return (
        *found,
        *(
            SchemaChange(
                SchemaChangeKind.REMOVED, name, f"{name} was removed: {old[name].type}, {old[name].role}"
            )
            for name in gone
        ),
    )


def _of_column(before: Column, after: Column) -> list[SchemaChange]:
    found = []
    if before.type is not after.type:
        words = f"{after.name} was {before.type}, is {after.type}"
        found.append(SchemaChange(SchemaChangeKind.RETYPED, after.name, words))
    if before.role is not after.role:
        words = f"{after.name} was {before.role}, is {after.role}"
        found.append(SchemaChange(SchemaChangeKind.ROLE_CHANGED, after.name, words))
    return found


def _renamed(before: Schema, after: Schema) -> dict[str, str]:
    """New name to the old one it may stand for; each old name once, the likest first."""
    names = {column.name for column in before.columns} & {column.name for column in after.columns}
    gone = [(place, c) for place, c in enumerate(before.columns) if c.name not in names]
    come = [(place, c) for place, c in enumerate(after.columns) if c.name not in names]
    pairs = sorted(
        (
            (was == is_, _likeness(old.name, new.name), old.name, new.name)
            for was, old in gone
            for is_, new in come
            if (old.type, old.role) == (new.type, new.role)
        ),
        key=lambda pair: (-pair[0], -pair[1], pair[2], pair[3]),
    )
    found: dict[str, str] = {}
    for same_place, likeness, old_name, new_name in pairs:
        free = new_name not in found and old_name not in found.values()
        if free and (same_place or likeness >= ALIKE):
            found[new_name] = old_name
    return found


def _likeness(left: str, right: str) -> float:
    return difflib.SequenceMatcher(None, left, right).ratio()


def _moved(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """Names outside the longest run of names that keep their order (both hold the same names)."""
    place = {name: at for at, name in enumerate(before)}
    ends: list[int] = []  # for each length, the least place that ends a kept order of it
    last: list[str] = []  # and its name
    earlier: dict[str, str | None] = {}
    for name in after:
        at = bisect_left(ends, place[name])
        earlier[name] = last[at - 1] if at else None
        ends[at : at + 1], last[at : at + 1] = [place[name]], [name]
    kept, step = set(), last[-1] if last else None
    while step is not None:
        kept.add(step)
        step = earlier[step]
    return set(after) - kept

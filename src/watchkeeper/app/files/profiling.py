"""A data set as states: each chunk read and profiled by a worker, the parts put together in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, TypeVar

import polars as pl

from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.statistics.profiles import ColumnProfile, RowsProfile, assumed, settled
from watchkeeper.core.values import Column, ColumnType, Progress, Role
from watchkeeper.readers.blobs import Blob
from watchkeeper.readers.parts import (
    Chunk,
    ColumnMatch,
    Layout,
    Limits,
    Part,
    batches,
    cut,
    data_columns,
    load,
    load_batch,
)
from watchkeeper.readers.records import BadLine

SAMPLED = 100  # bad lines kept to be shown; all of them are counted
VERSION, TIME = "_model_version", "_time"

T = TypeVar("T")
R = TypeVar("R")


class Engine(Protocol):
    """Maps a function over items and gives the results in their order."""

    def __call__(self, work: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]: ...


@dataclass(frozen=True, slots=True)
class DataSet:
    """Files that are read as one, in this order, so much at once."""

    name: str
    blobs: tuple[Blob, ...]
    layout: Layout
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which columns are profiled, as which type, and in whose arithmetic.

    Columns beside `declared` ones are counted as there, and nothing more is kept of them; without any
    declared column each is taken for what its first rows look like. When the other rows say otherwise,
    everything is profiled again with the right type. Columns that came without a name get `names`, by
    position. `by_version` keeps the rows of each model version apart.
    """

    declared: tuple[Column, ...]
    mode: Mode = Mode.CORRECT
    taken: tuple[Column, ...] = ()
    names: tuple[str, ...] = ()
    by_version: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns with the types that they are profiled as."""
        return self.taken or self.declared


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one model version, None where they name none; `seen` are the columns that some part had."""

    version: int | None
    rows: int
    profiles: tuple[ColumnProfile, ...]
    seen: frozenset[str]
    whole: RowsProfile | None

    def merge(self, other: Group) -> Group:
        """This part's rows followed by the other's; a column that one lacks is missing in its rows."""
        ours, theirs = ({p.name: p for p in group.profiles} for group in (self, other))
        merged = []
        for name in dict.fromkeys([*ours, *theirs]):
            left = ours.get(name) or _nothing(theirs[name], self.rows)
            right = theirs.get(name) or _nothing(ours[name], other.rows)
            merged.append(left.merge(right))
        whole = self.whole.merge(other.whole) if self.whole and other.whole else None
        return Group(self.version, self.rows + other.rows, tuple(merged), self.seen | other.seen, whole)


@dataclass(frozen=True, slots=True)
class Profiled:
    """What was read, as states by model version, and what could not be read or was left out.

    `bad` are the first lines that could not be used, `bad_count` all of them; `left_out` counts rows and
    records by reason; `requests` are the records that the rows came in, 0 where they came in none.
    """

    rows: int = 0
    requests: int = 0
    groups: tuple[Group, ...] = ()
    bad: tuple[BadLine, ...] = ()
    bad_count: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    match: ColumnMatch = field(default_factory=ColumnMatch)
    quarantine: bytes = b""

    def merge(self, other: Profiled) -> Profiled:
        """This part followed by the other; lines for quarantine are not gathered, the caller writes them."""
        held = {group.version: group for group in self.groups}
        for group in other.groups:
            held[group.version] = held[group.version].merge(group) if group.version in held else group
        reasons = dict.fromkeys([*self.left_out, *other.left_out])
        return Profiled(
            rows=self.rows + other.rows,
            requests=self.requests + other.requests,
            groups=tuple(held[version] for version in sorted(held, key=lambda v: (v is None, v))),
            bad=(*self.bad, *other.bad)[:SAMPLED],
            bad_count=self.bad_count + other.bad_count,
            left_out={why: self.left_out.get(why, 0) + other.left_out.get(why, 0) for why in reasons},
            match=self.match.merge(other.match),
        )


Quarantine = Callable[[bytes], None]


def profile_data(
    data: DataSet, plan: Plan, engine: Engine, report: Callable[[Progress], None], quarantine: Quarantine
) -> tuple[Profiled, Plan]:
    """Profile every row of the data set; also the plan with the types its columns turned out to have.

    States are merged from the left, part by part, so neither the engine nor its workers can change a bit.
    `quarantine` is given each run of lines that could not be used, once, as they were.
    """
    known = plan if plan.declared else first_plan(data, plan)
    found = _fold(data, known, engine, report, quarantine)
    if not plan.declared and (again := _settled(known, found)) is not None:
        known = again
        found = _fold(data, known, engine, report, lambda _: None)
    report(Progress("profile", found.rows, found.rows, f"{data.name}: {found.rows:,} rows"))
    return found, known


def _fold(
    data: DataSet, plan: Plan, engine: Engine, report: Callable[[Progress], None], quarantine: Quarantine
) -> Profiled:
    found = Profiled()
    for parts in engine(partial(profile_batch, plan), batches(chunks_of(data))):
        for part in parts:
            if part.quarantine:
                quarantine(part.quarantine)
            found = found.merge(part)
        report(Progress("profile", found.rows, None, f"{data.name}: {found.rows:,} rows"))
    return found


def chunks_of(data: DataSet) -> Iterator[Chunk]:
    """Every chunk of every file, in order."""
    for blob in data.blobs:
        yield from cut(blob, data.layout, data.limits)


def first_plan(data: DataSet, plan: Plan) -> Plan:
    """For data that nobody has declared: each column a feature, taken for what its first rows look like."""
    for chunk in chunks_of(data):
        for part in load(chunk):
            if part.frame.height:
                frame = named(part.frame, plan.names)
                unknown = tuple(Column(n, ColumnType.UNKNOWN, Role.FEATURE) for n in data_columns(frame))
                plain, names = _plainly_named(frame, data_columns(frame))
                looks = assumed([replace(c, name=n) for c, n in zip(unknown, names, strict=True)], plain)
                taken = tuple(replace(c, name=u.name) for c, u in zip(looks, unknown, strict=True))
                return replace(plan, declared=unknown, taken=taken)
    return plan


def profile_batch(plan: Plan, batch: Sequence[Chunk]) -> tuple[Profiled, ...]:
    """What a worker does: read some chunks, profile each of their parts."""
    return tuple(_part(plan, part) for part in load_batch(batch))


def _part(plan: Plan, part: Part) -> Profiled:
    frame = named(part.frame, plan.names)
    return Profiled(
        rows=frame.height,
        requests=part.requests,
        groups=tuple(_group(plan, version, rows) for version, rows in _groups(plan, frame)),
        bad=part.bad,
        bad_count=part.bad_count,
        left_out={why: count for count, why in part.left_out},
        match=part.columns,
        quarantine=part.quarantine,
    )


def named(frame: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """The frame, its columns named by position when none of them came with a name (contract 3.2)."""
    held = data_columns(frame)
    if not names or held != [f"_c{place}" for place in range(len(held))]:
        return frame
    return frame.rename(dict(zip(held, names, strict=False)))


def _groups(plan: Plan, frame: pl.DataFrame) -> list[tuple[int | None, pl.DataFrame]]:
    if not frame.height:
        return []
    if not plan.by_version or VERSION not in frame.columns:
        return [(None, frame)]
    versions = frame[VERSION].unique().sort().to_list()
    if len(versions) == 1:
        return [(versions[0], frame)]
    return [(version, frame.filter(pl.col(VERSION).eq_missing(version))) for version in versions]


def _group(plan: Plan, version: int | None, frame: pl.DataFrame) -> Group:
    known, held = {column.name for column in plan.columns}, data_columns(frame)
    extra = tuple(Column(n, ColumnType.UNKNOWN, Role.FEATURE) for n in held if n not in known)
    absent = pl.Series("absent", [None], dtype=pl.String).new_from_index(0, frame.height)
    cells = {name: frame[name].alias("cells") for name in held}
    profiles = tuple(
        ColumnProfile.of(column, cells.get(column.name, absent), plan.mode)
        for column in (*plan.columns, *extra)
    )
    whole = RowsProfile.of(*_plainly_named(frame, held), TIME) if plan.mode is Mode.CORRECT else None
    return Group(version, frame.height, profiles, frozenset(held), whole)


def _plainly_named(frame: pl.DataFrame, held: list[str]) -> tuple[pl.DataFrame, list[str]]:
    """The frame and its data columns' names, others where Polars takes one for a pattern, as `*`."""
    if not any(name == "*" or name.startswith("^") for name in held):
        return frame, held
    plain = {name: f"_c{place}" for place, name in enumerate(held)}
    return frame.rename(plain), list(plain.values())


def _nothing(like: ColumnProfile, rows: int) -> ColumnProfile:
    """The profile of a column that is not there in so many rows."""
    absent = pl.Series(like.name, [None], dtype=pl.String).new_from_index(0, rows)
    return replace(like, states=tuple(type(state).of(absent) for state in like.states))


def _settled(plan: Plan, found: Profiled) -> Plan | None:
    """The plan with the types that all rows say; None when those it has will do."""
    profiles = {p.name: p for group in found.groups for p in group.profiles}
    later = [Column(name, ColumnType.UNKNOWN, Role.FEATURE) for name in profiles]
    known = {column.name for column in plan.declared}
    declared = (*plan.declared, *(column for column in later if column.name not in known))
    taken = {column.name: column for column in plan.taken}
    said = settled(
        declared,
        tuple(taken.get(c.name, c) for c in declared),
        [profiles[c.name] for c in declared],
        plan.mode,
    )
    return replace(plan, declared=declared, taken=said.columns) if said.again else None

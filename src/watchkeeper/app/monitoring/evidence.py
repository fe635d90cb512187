"""Example rows of a window's violations: picked from the rows that were judged, then placed in their files.

The rows are in memory when they are judged, but for the file and line they came from. These are looked up in
the capture files that the picked rows' own hours name, so the window is not read a second time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from watchkeeper.app.captures.pseudonyms import Pseudonym
from watchkeeper.app.judging.judgement import Judged
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Evidence, ExampleRow, Violation
from watchkeeper.core.windows import hour_folder
from watchkeeper.monitors.evidence import MASK, NoRows, OffendingRows
from watchkeeper.readers.lines import batches

EXAMPLES = 5  # rows of each violation
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Named:
    """Columns whose values are shown under other names, and what names them."""

    columns: frozenset[str]
    name: Pseudonym


@dataclass(frozen=True, slots=True)
class _Pick:
    """One row of a violation, not yet placed."""

    event_id: str
    inference_id: str
    time: datetime
    value: str | None


def window_evidence(
    store: Store, judged: Judged, frame: pl.DataFrame, keys: Sequence[str], named: Named | None = None
) -> tuple[Evidence, ...]:
    """The evidence of each violation, in their order, from the rows they were found in.

    `keys` are the objects that the window was read from. Cells of the columns of `named` are shown under
    another name, and masked without it.
    """
    picked = [_picked(frame, each, named) for each in judged.rows]
    places = _places(store, keys, {pick.event_id: pick.time for picks in picked for pick in picks})
    found = zip(judged.violations, judged.rows, picked, strict=True)
    return tuple(_evidence(violation, rows, picks, places) for violation, rows, picks in found)


def _picked(frame: pl.DataFrame, wanted: OffendingRows | NoRows, named: Named | None) -> list[_Pick]:
    if isinstance(wanted, NoRows) or (wanted.shown is not None and wanted.shown not in frame.columns):
        return []
    hits = frame.filter(wanted.predicate).head(EXAMPLES)
    cells = hits[wanted.shown].to_list() if wanted.shown else [None] * hits.height
    known = hits.select("_event_id", "_join_id", "_time").iter_rows()
    return [
        _Pick(event, identity, time, _shown(wanted, cell, named))
        for (event, identity, time), cell in zip(known, cells, strict=True)
    ]


def _shown(wanted: OffendingRows, cell: object, named: Named | None) -> str | None:
    plain = wanted.value(cell)
    if plain != MASK or named is None or wanted.shown not in named.columns:
        return plain
    return named.name(wanted.shown, cell)


def _evidence(
    violation: Violation, wanted: OffendingRows | NoRows, picks: Sequence[_Pick], places: Mapping[str, Place]
) -> Evidence:
    rows = tuple(
        ExampleRow(*places[pick.event_id], pick.inference_id, pick.value)
        for pick in picks
        if pick.event_id in places
    )
    nothing = "" if rows else "no single row was found"
    reason = wanted.reason if isinstance(wanted, NoRows) else nothing
    return Evidence(violation.subject, violation.check, rows, reason)


def _places(store: Store, keys: Sequence[str], times: Mapping[str, datetime]) -> dict[str, Place]:
    """File and line of each event; of an event that is there twice, those of its first line."""
    hours = {hour_folder(time) for time in times.values()}
    likely = [key for key in keys if "/".join(key.split("/")[-5:-1]) in hours]
    others = [key for key in keys if key not in set(likely)]
    found: dict[str, Place] = {}
    for key in (*likely, *others):
        if len(found) == len(times):
            break
        for event, place in _events(key, store.read(key), times.keys() - found.keys()):
            found.setdefault(event, place)
    return found


def _events(key: str, data: bytes, wanted: Iterable[str]) -> Iterator[tuple[str, Place]]:
    """Those of the wanted events that are in an object. Bytes that are no UTF-8 cost their line alone."""
    ids = set(wanted)
    readable = data.decode(errors="replace").encode()
    for lines in batches([(key, readable)]):
        few = lines.mentioning(pl.Series(sorted(ids), dtype=pl.String)).frame
        for number, line in few.select("_line", "line").iter_rows():
            event = _event_of(line)
            if event in ids:
                yield event, (key, number)


def _event_of(line: str) -> str:
    try:
        return str(json.loads(line)["eventMetadata"]["eventId"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""

"""Capture lines that differ only in what was asked, answered, by which id and when, read all at once.

One line is read with care, which shows where these texts stand in it: its skeleton. A line with the same
skeleton and with no quote or control character in those texts, and no escape but `\\n`, is the same JSON
with other texts, so that it can be read by cutting it at its quotes. Every other line is left for the
careful way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import polars as pl

from watchkeeper.readers.blocks import IN_CACHE
from watchkeeper.readers.records import Sides, read_sides

FIELDS = {
    "input": ("captureData", "endpointInput", "data"),
    "output": ("captureData", "endpointOutput", "data"),
    "event_id": ("eventMetadata", "eventId"),
    "inference_id": ("eventMetadata", "inferenceId"),
    "time": ("eventMetadata", "inferenceTime"),
}
_NEEDED = frozenset(FIELDS) - {"inference_id"}
_KEYS = frozenset(path[-1] for path in FIELDS.values())
_TIME = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]Z$"
_SPACE = 0x20  # the first character that is no control character
PLAIN = "_plain"
_TRIES = 8
_WORTH_IT = 100  # lines; fewer are read one by one as fast


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The constant texts around the `fields`, one more than these, and a line that has it."""

    texts: tuple[str, ...]
    fields: tuple[str, ...]
    example: Sides


@dataclass(frozen=True, slots=True)
class Alike:
    """Lines of one skeleton: what its example says of all of them, and a frame of its fields.

    The frame has `_object`, `_line`, `line`, `input`, `output`, `_event_id`, `_join_id` and `_time`; line
    ends in `input` and `output` are still escaped, and nothing else is.
    """

    example: Sides
    frame: pl.DataFrame


def alike(lines: pl.DataFrame, schema_version: int) -> tuple[list[Alike], pl.DataFrame]:
    """Groups of lines with a skeleton in common, and the lines that are left; `lines` has `PLAIN`."""
    groups: list[Alike] = []
    if lines.height < _WORTH_IT:
        return groups, lines.drop(PLAIN)
    plain = lines[PLAIN]
    lines = lines.drop(PLAIN)
    rest, left = (lines, []) if plain.all() else (lines.filter(plain), [lines.filter(~plain)])
    for _ in range(_TRIES):
        if rest.height < _WORTH_IT:
            break
        skeleton = learn(rest["line"][0], schema_version)
        if skeleton is None:
            left.append(rest.head(1))
            rest = rest.slice(1)
            continue
        found, rest = _match(skeleton, rest)
        groups.append(Alike(skeleton.example, found))
    return groups, pl.concat([*left, rest])


def plain_lines(lines: pl.Series, data: bytes) -> pl.Series:
    """Which lines of `data` have no control character, and no backslash but in `\\n`, the end of a CSV row.

    Every quote in them is JSON's own then.
    """
    plain = _unescaped(lines)
    if _has_control(data, ends=len(lines) - (not data.endswith(b"\n"))):
        plain &= ~lines.str.contains(r"[\x00-\x1f]")
    return plain


def _has_control(data: bytes, ends: int) -> bool:
    found = np.frombuffer(data, np.uint8)
    steps = range(0, len(found), IN_CACHE)
    return sum(np.count_nonzero(found[at : at + IN_CACHE] < _SPACE) for at in steps) != ends


def _unescaped(lines: pl.Series) -> pl.Series:
    escaped = lines.str.contains("\\", literal=True)
    if not escaped.any():
        return ~escaped
    doubtful = lines.filter(escaped)
    ends = doubtful.str.count_matches("\\n", literal=True)
    plain = ~escaped.to_numpy()
    plain[~plain] = (doubtful.str.count_matches("\\", literal=True) == ends).to_numpy()
    return pl.Series(plain)


def learn(line: str, schema_version: int) -> Skeleton | None:
    """The skeleton of a line without backslashes; None unless both sides are CSV and all fields are there."""
    try:
        example = read_sides(line.encode(), schema_version)
    except ValueError:
        return None
    if example.input is None or example.output is None or example.both or example.truth is not None:
        return None
    if not example.input.encoding == example.output.encoding == "CSV":
        return None
    pieces = line.split('"')
    places = _places(pieces)
    if not places.keys() >= _NEEDED:
        return None
    texts, start = [], 0
    for place in sorted(places.values()):
        texts.append('"'.join(pieces[start:place]) + '"')
        start = place + 1
    texts.append('"'.join(pieces[start:]))
    return Skeleton(tuple(texts), tuple(sorted(places, key=places.__getitem__)), example)


def _places(pieces: list[str]) -> dict[str, int]:
    """Which pieces of a line cut at its quotes are the fields: seen by putting marks in their place."""
    marked = list(pieces)
    for place in range(3, len(pieces), 2):
        if pieces[place - 2] in _KEYS and pieces[place - 1].strip() == ":":
            marked[place] = f"@{place}"
    record = orjson.loads('"'.join(marked))
    found = {}
    for name, path in FIELDS.items():
        value = _at(record, path)
        place = int(value[1:]) if isinstance(value, str) and value[:1] == "@" and value[1:].isdecimal() else 0
        if 0 < place < len(pieces) and marked[place] == value != pieces[place]:
            found[name] = place
    return found


def _at(record: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def _match(skeleton: Skeleton, lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines of the skeleton with its fields, and the others."""
    first, *between = skeleton.texts
    rest = lines["line"]
    fits = rest.str.starts_with(first)
    rest = rest.str.strip_prefix(first)
    fields: dict[str, pl.Series] = {}
    for name, text in zip(skeleton.fields, between, strict=True):
        cut = rest.str.splitn('"', 2).struct
        fields[name], rest = cut.field("field_0"), cut.field("field_1")
        if name != skeleton.fields[-1]:
            fits &= rest.str.starts_with(text)
            rest = rest.str.strip_prefix(text)
        else:
            fits &= rest == text
    times = fields["time"].str.contains(_TIME)
    stamps = pl.select(
        pl.when(times)
        .then(
            fields["time"].str.to_datetime(
                "%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC", strict=False
            )
        )
        .otherwise(None)
    ).to_series()
    fits &= stamps.is_not_null() & (fields["event_id"] != "")
    joins = fields.get("inference_id", fields["event_id"])
    for name in fields.keys() & {"event_id", "inference_id"}:
        fits &= ~fields[name].str.contains("\\", literal=True)
    fits = (fits & (joins != "")).fill_null(value=False)
    frame = lines.with_columns(
        fields["input"].alias("input"),
        fields["output"].alias("output"),
        fields["event_id"].alias("_event_id"),
        joins.alias("_join_id"),
        stamps.alias("_time"),
    )
    return (frame, lines.clear()) if fits.all() else (frame.filter(fits), lines.filter(~fits))

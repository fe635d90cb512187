"""JSON Lines objects as frames of lines: many small ones together, a bounded number of bytes at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import polars as pl

_BATCH = 32 * 1024 * 1024  # bytes of objects that are looked at together, which bounds the memory that takes
_FEW = 1000  # ids that are looked for at a glance
_ESCAPES = (r"\u",)  # no other escape is of a character that such an id holds


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of some objects: `_object` (its place in `keys`), `_line` from 1, `line`; blank ones left out.

    `unreadable` are the objects that are not UTF-8, by their place, whole. `firsts` are the numbers of the
    objects' first lines, which are not 1 where an object is a piece of a file.
    """

    keys: tuple[str, ...]
    frame: pl.DataFrame
    unreadable: tuple[tuple[int, bytes], ...]
    firsts: tuple[int, ...]

    def unread(self) -> Iterator[tuple[int, int, bytes]]:
        """Lines of the unreadable objects: place, number, and the bytes; blank ones left out."""
        for place, data in self.unreadable:
            for number, line in enumerate(data.split(b"\n"), start=self.firsts[place]):
                if line.strip():
                    yield place, number, line

    def mentioning(self, ids: pl.Series | None) -> Lines:
        """Without the lines in which, at a glance, none of the ids can stand; every line for many ids.

        An id stands in JSON as it is or, partly, as escapes that begin with one of `_ESCAPES`.
        """
        if ids is None or len(ids) > _FEW or ids.str.contains(r'["\\/\x00-\x1f]').any():
            return self
        looked_for = [*ids, *_ESCAPES]
        return replace(self, frame=self.frame.filter(pl.col("line").str.contains_any(looked_for)))


def batches(objects: Iterable[tuple[str, bytes]]) -> Iterator[Lines]:
    """The lines of objects, given as keys with their bytes, in their order."""
    return batches_of_pieces((key, data, 1) for key, data in objects)


def batches_of_pieces(pieces: Iterable[tuple[str, bytes, int]]) -> Iterator[Lines]:
    """As `batches`; of each piece of a file also the number of its first line is given."""
    held: list[tuple[str, bytes, int]] = []
    size = 0
    for key, data, first in pieces:
        held.append((key, data, first))
        size += len(data)
        if size >= _BATCH:
            yield _lines(held)
            held, size = [], 0
    if held:
        yield _lines(held)


def _lines(objects: list[tuple[str, bytes, int]]) -> Lines:
    frames, unreadable = [], []
    for place, (_, data, first) in enumerate(objects):
        try:
            lines = data.decode().split("\n")
        except UnicodeDecodeError:
            unreadable.append((place, data))
            continue
        frames.append((place, first, lines))
    frame = pl.DataFrame(
        {
            "_object": pl.Series([p for p, _, lines in frames for _ in lines], dtype=pl.Int64),
            "_line": pl.Series(
                [n for _, first, lines in frames for n in range(first, len(lines) + first)], dtype=pl.Int64
            ),
            "line": pl.Series([line for _, _, lines in frames for line in lines], dtype=pl.String),
        }
    )
    filled = frame.filter(pl.col("line").str.contains(r"\S"))
    keys, _, firsts = zip(*objects, strict=True)
    return Lines(keys, filled, tuple(unreadable), firsts)

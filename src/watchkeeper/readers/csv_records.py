"""CSV records that hold quotes, told apart by Python's csv module itself."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# The module would refuse a field over 128 KiB, which a text may be; a record's length is limited here.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Quoted:
    """`count` lines from the line at index `first` on, and the record's fields, or what is wrong with it.

    `open` is a quote that has not closed yet and may do so in lines still to come.
    """

    first: int
    count: int
    fields: Sequence[str] | str
    open: bool = False


@dataclass(slots=True)
class _Feed:
    """Lines for a CSV reader, from any of them on; `dry` once it asked for more than there are."""

    lines: Sequence[str]
    at: int = 0
    dry: bool = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.at >= len(self.lines):
            self.dry = True
            raise StopIteration
        self.at += 1
        return self.lines[self.at - 1]


def quoted_records(lines: Sequence[str], limit: int, after: int | None = None) -> Iterator[Quoted]:
    """The records that begin on a line with a quote, as Python's csv module reads them in strict mode.

    Lines have their ends. A quote that does not close, or only after `limit` bytes, spoils the line it
    stands on and no other; any other faulty record is all the lines that it takes up. With `after`, so
    many bytes of a further line are there and more may come: an open record is the last one given then.
    """
    feed = _Feed(lines)
    reader = csv.reader(feed, strict=True)
    for first, line in enumerate(lines):
        if first < feed.at or '"' not in line:
            continue
        feed.at = first
        fields = _next(reader)
        length = byte_length("".join(lines[first : feed.at]))
        if feed.dry and after is not None and length + after <= limit:
            yield Quoted(first, feed.at - first, "", open=True)
            return
        if feed.dry or length > limit:
            fields = "a quote that does not close" if feed.dry or feed.at > first + 1 else fields
            feed.dry, feed.at = False, first + 1
            reader = csv.reader(feed, strict=True)
        yield Quoted(first, feed.at - first, fields)


def byte_length(text: str) -> int:
    """The length in UTF-8, bytes that are none counted as they were.

    >>> byte_length("é")
    2
    """
    return len(text) if text.isascii() else len(text.encode(errors="surrogateescape"))


def _next(reader: Iterator[list[str]]) -> Sequence[str] | str:
    try:
        return next(reader)
    except csv.Error as error:
        return str(error)

"""Example rows of what does not hold: the data read once more, until enough are found."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice

import polars as pl

from watchkeeper.app.files.profiling import DataSet, Engine, Plan, chunks_of, named
from watchkeeper.core.statistics import Duplicates
from watchkeeper.core.values import Evidence, ExampleRow, Violation
from watchkeeper.monitors.data_quality_values import DataQualityConstraints, DataQualityStatistics
from watchkeeper.monitors.evidence import NoRows, OffendingRows, offending_rows
from watchkeeper.readers.parts import LINE, Chunk, load

INFERENCE_ID = "_join_id"
Rows = list[ExampleRow]


@dataclass(frozen=True, slots=True)
class EvidenceOrder:
    """The violations that rows are looked for, by what, whose values must not be shown, how many are enough.

    `repeats` knows which rows are there more than once.
    """

    violations: tuple[Violation, ...]
    baseline: DataQualityStatistics
    constraints: DataQualityConstraints
    sensitive: frozenset[str]
    enough: int
    repeats: Duplicates | None = None

    def wanted(self) -> tuple[OffendingRows | NoRows, ...]:
        """Of each violation the rows to look for."""
        return tuple(
            offending_rows(each, self.baseline, self.constraints, self.sensitive, self.repeats)
            for each in self.violations
        )


def find_rows(data: DataSet, plan: Plan, order: EvidenceOrder, engine: Engine) -> tuple[Evidence, ...]:
    """The evidence of each violation, in their order: the first rows, whatever the engine and its workers.

    Reads no further than it has to.
    """
    wanted = order.wanted()
    found: list[Rows] = [[] for _ in wanted]
    sought = [rows for rows, each in zip(found, wanted, strict=True) if isinstance(each, OffendingRows)]
    if sought and order.enough:
        with closing(_looked_through(data, partial(_of_chunk, plan, order), engine)) as chunks:
            for more in chunks:
                for rows, those in zip(found, more, strict=True):
                    rows += those[: order.enough - len(rows)]
                if all(len(rows) == order.enough for rows in sought):
                    break
    return tuple(map(_evidence, order.violations, wanted, found))


def _looked_through(
    data: DataSet, look: partial[tuple[Rows, ...]], engine: Engine
) -> Generator[tuple[Rows, ...], None, None]:
    """What each chunk has. The first is mostly enough, so that no worker begins others before it is known."""
    chunks = chunks_of(data)
    yield from map(look, islice(chunks, 1))
    yield from engine(look, chunks)


def _of_chunk(plan: Plan, order: EvidenceOrder, chunk: Chunk) -> tuple[Rows, ...]:
    """What a worker does: the first rows of each violation in a chunk."""
    wanted = order.wanted()
    found: tuple[Rows, ...] = tuple([] for _ in wanted)
    for part in load(chunk):
        frame = named(part.frame, plan.names)
        for each, rows in zip(wanted, found, strict=True):
            rows.extend(_rows(each, frame, part.name, order.enough - len(rows)))
    return found


def _rows(wanted: OffendingRows | NoRows, frame: pl.DataFrame, file: str, most: int) -> Iterator[ExampleRow]:
    if (
        most < 1
        or isinstance(wanted, NoRows)
        or (wanted.shown is not None and wanted.shown not in frame.columns)
    ):
        return
    hits = frame.filter(wanted.predicate).head(most)
    ids: Sequence[str | None] = (
        hits[INFERENCE_ID].to_list() if INFERENCE_ID in hits.columns else [None] * hits.height
    )
    cells = hits[wanted.shown].to_list() if wanted.shown else [None] * hits.height
    for line, identity, cell in zip(hits[LINE].to_list(), ids, cells, strict=True):
        yield ExampleRow(file, line, identity, wanted.value(cell))


def _evidence(violation: Violation, wanted: OffendingRows | NoRows, rows: Rows) -> Evidence:
    nothing = "" if rows else "no single row was found"
    reason = wanted.reason if isinstance(wanted, NoRows) else nothing
    return Evidence(violation.subject, violation.check, tuple(rows), reason)

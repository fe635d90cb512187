"""Example rows of what does not hold: the data read once more, until enough are found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from watchkeeper.app.profiling import DataSet, Plan, chunks_of, named
from watchkeeper.core.values import Evidence, ExampleRow, Violation
from watchkeeper.monitors.data_quality_values import DataQualityConstraints, DataQualityStatistics
from watchkeeper.monitors.evidence import NoRows, OffendingRows, offending_rows
from watchkeeper.readers.parts import LINE, load

INFERENCE_ID = "_join_id"


@dataclass(frozen=True, slots=True)
class EvidenceOrder:
    """What rows are looked for by, whose values must not be shown, and how many of each are enough."""

    baseline: DataQualityStatistics
    constraints: DataQualityConstraints
    sensitive: frozenset[str]
    enough: int


@dataclass(slots=True)
class _Search:
    violation: Violation
    wanted: OffendingRows | NoRows
    rows: list[ExampleRow]

    def evidence(self) -> Evidence:
        nothing = "" if self.rows else "no single row was found"
        reason = self.wanted.reason if isinstance(self.wanted, NoRows) else nothing
        return Evidence(self.violation.subject, self.violation.check, tuple(self.rows), reason)


def find_rows(
    data: DataSet, plan: Plan, violations: Iterable[Violation], order: EvidenceOrder
) -> tuple[Evidence, ...]:
    """The evidence of each violation, in their order. Reads no further than it has to."""
    searches = [
        _Search(each, offending_rows(each, order.baseline, order.constraints, order.sensitive), [])
        for each in violations
    ]
    open_ = [search for search in searches if isinstance(search.wanted, OffendingRows) and order.enough]
    for part in (part for chunk in chunks_of(data) for part in load(chunk)) if open_ else ():
        frame = named(part.frame, plan.names)
        for search in open_:
            _look(search, frame, part.name, order.enough)
        open_ = [search for search in open_ if len(search.rows) < order.enough]
        if not open_:
            break
    return tuple(search.evidence() for search in searches)


def _look(search: _Search, frame: pl.DataFrame, file: str, enough: int) -> None:
    wanted = search.wanted
    if isinstance(wanted, NoRows) or (wanted.shown is not None and wanted.shown not in frame.columns):
        return
    hits = frame.filter(wanted.predicate).head(enough - len(search.rows))
    ids = hits[INFERENCE_ID].to_list() if INFERENCE_ID in hits.columns else [None] * hits.height
    cells = hits[wanted.shown].to_list() if wanted.shown else [None] * hits.height
    search.rows += [
        ExampleRow(file, line, identity, wanted.value(cell))
        for line, identity, cell in zip(hits[LINE].to_list(), ids, cells, strict=True)
    ]

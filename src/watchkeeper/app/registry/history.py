"""Metrics of every execution in Parquet, by month of window: what outlives captures and executions.

A part has one row a sample. It is written once; a month that is over is put together into one part when
old records are swept. Sources: parquet.apache.org, and Hive's `name=value` folders, which Polars, DuckDB,
Spark and pandas read as a column.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import polars as pl

from watchkeeper.app.registry.executions import Recorded, revision_of
from watchkeeper.app.registry.history_keys import HISTORY, PartKeys, parts
from watchkeeper.app.registry.records import create_record, read_record
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import ExistsError
from watchkeeper.core.ports import Store, SweptStore
from watchkeeper.core.values import Execution
from watchkeeper.core.windows import month_of

_TIME = pl.Datetime("us", "UTC")
COLUMNS = {
    "execution": pl.String(),  # its record's key
    "schedule": pl.String(),
    "monitor": pl.String(),
    "environment": pl.String(),
    "endpoint": pl.String(),
    "window_start": _TIME,
    "window_end": _TIME,
    "scheduled_at": _TIME,
    "revision": pl.Int32(),
    "status": pl.String(),
    "metric": pl.String(),
    "labels": pl.String(),  # JSON, names sorted
    "value": pl.Float64(),
    "time": _TIME,  # of the verdict
}


def extend_history(store: Store) -> int:
    """Put in the metrics of every execution that is on record and not in it; how many there were."""
    held = {key for part in parts(store).values() for key in part.executions}
    keys = [key for key in store.list("executions/") if key.endswith("/execution.json") and key not in held]
    by_month: dict[str, list[Recorded]] = {}
    for key in keys:
        execution = read_record(store, key, Execution)
        found = Recorded(execution, revision_of(key), key)
        by_month.setdefault(month_of(execution.window.end), []).append(found)
    for month, together in by_month.items():
        rows = [row for each in together for row in _rows(each)]
        frame = pl.DataFrame(rows, schema=COLUMNS, orient="row")
        _add(store, month, frame, [each.folder for each in together])
    return len(keys)


def history(store: Store, executions: frozenset[str] | None = None) -> pl.DataFrame:
    """The rows of these executions, of all without; each once, though two parts may have it."""
    frames = [
        pl.read_parquet(io.BytesIO(store.read(key)))
        for key, part in parts(store).items()
        if executions is None or not executions.isdisjoint(part.executions)
    ]
    whole = pl.concat(frames) if frames else pl.DataFrame(schema=COLUMNS)
    wanted = whole if executions is None else whole.filter(pl.col("execution").is_in(list(executions)))
    return wanted.unique(("execution", "metric", "labels"), maintain_order=True)


def samples_of_past(store: Store, executions: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each sample of these executions with its execution's key, as a row of the history."""
    for row in history(store, frozenset(executions)).iter_rows(named=True):
        yield row["execution"], row


def put_together(store: SweptStore, before: str) -> int:
    """Make one part of each month before this one that has several; how many parts are gone."""
    by_month: dict[str, list[str]] = {}
    for key in parts(store):
        by_month.setdefault(key.split("month=")[1].split("/")[0], []).append(key)
    gone = 0
    for month, keys in by_month.items():
        if month >= before or len(keys) < 2:
            continue
        known = parts(store)
        together = sorted({name for key in keys for name in known[key].executions})
        added = _add(store, month, history(store, frozenset(together)).sort("execution"), together)
        for key in keys:
            if key != added:
                remove_part(store, key)
                gone += 1
    return gone


def remove_part(store: SweptStore, key: str) -> None:
    """Take a part away; the list of what it holds goes first, so that nobody looks for what is gone."""
    store.remove(key.removesuffix(".parquet") + ".json")
    store.remove(key)


def _add(store: Store, month: str, frame: pl.DataFrame, executions: Sequence[str]) -> str:
    held = io.BytesIO()
    frame.write_parquet(held, compression="zstd")
    base = f"{HISTORY}month={month}/part-{digest(list(executions))[:16]}"
    store.write(f"{base}.parquet", held.getvalue())
    with contextlib.suppress(ExistsError):  # another process has put in the same
        create_record(store, f"{base}.json", PartKeys(tuple(executions)))
    return f"{base}.parquet"


def _rows(each: Recorded) -> Iterator[tuple[object, ...]]:
    found = each.execution
    for sample in found.samples:
        yield (
            each.folder,
            found.schedule,
            found.monitor,
            found.environment,
            found.endpoint,
            found.window.start,
            found.window.end,
            found.scheduled_at,
            each.revision,
            found.status.value,
            sample.metric,
            json.dumps(dict(sample.labels), sort_keys=True),
            sample.value,
            sample.time,
        )

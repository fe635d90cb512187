"""Workspaces on disk for the commands to read, and small data in HDB's form."""

from __future__ import annotations

import functools
import gzip
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tests.app.loop import Loop, bring_to_prod, model_of, new_loop, train_in
from watchkeeper.adapters.chained import HEAD, LOG
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.sources.lookalike import sales
from watchkeeper.app.alerts.alerting import evaluate_rules
from watchkeeper.app.alerts.deciding import decide_on
from watchkeeper.app.captures.labels import record_labels
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.registry.executions import exposed
from watchkeeper.app.setup.init import init
from watchkeeper.core.encoding import encode
from watchkeeper.core.values import Actor, GroundTruth
from watchkeeper.core.windows import month_start

SCHEDULER = Actor("scheduler", "service")


def after_a_bad_month(folder: Path) -> None:
    """A loop that went round in memory, ending in an alert and a decision, put down as a workspace."""
    loop = new_loop(folder)
    train_in(loop)
    bring_to_prod(loop)
    requests = loop.plan()
    loop.send(requests, model_of(loop))
    truths = [
        GroundTruth(each.inference_id, tuple(1.5 * float(x) for x in each.truth.labels)) for each in requests
    ]
    record_labels(loop.target, "prod", truths, month_start("2020-06"))
    for monitor, month in (("data-quality", "2020-06"), ("model-quality", "2020-07")):
        loop.clock.move_to(month_start(month))
        run_monitor(loop.target, MonitorRun(monitor, "prod", loop.clock.now()), SCHEDULER)
    evaluation = evaluate_rules(loop.target, "prod", exposed(loop.store, "prod"))
    decide_on(loop.target, "prod", evaluation.open)
    put_down(loop, folder)


def put_down(loop: Loop, folder: Path) -> None:
    """A workspace of memory as files."""
    store = FolderStore(folder)
    for key, data in loop.store.objects.items():
        store.write(key, data)
    for number, line in enumerate(loop.target.trail.entries(), start=1):
        store.write(f"{LOG}{number:010d}.json", line)
    store.write(HEAD, encode(loop.target.trail.head()))


def small_project(folder: Path, *changes: tuple[str, str]) -> Path:
    """The worked example, made by `init`, for the small data below."""
    init(folder, "resale-price")
    file = folder / "watchkeeper.yaml"
    text = file.read_text(encoding="utf-8")
    small = (
        ("trials: 25", "trials: 1"),
        ("window: 36 months", "window: 12 months"),
        ('r2: ">= 0.90", mape: "<= 0.08"', 'r2: ">= 0.50"'),
        ("min_rows: 300", "min_rows: 50"),
    )
    for old, new in (*small, *changes):
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    return folder


@functools.cache
def small_rows() -> pl.DataFrame:
    """Some ninety look-alike sales a month, 2018-12 to 2020-02."""
    months = pl.col("month").is_between(pl.lit("2018-12"), pl.lit("2020-02"))
    return sales(0).filter(months).gather_every(20)


def small_data(path: Path, frame: pl.DataFrame | None = None) -> Path:
    """Rows as a CSV file, or a gzipped one by the name's end."""
    data = (small_rows() if frame is None else frame).write_csv().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def with_text(column: str, month: str, text: str) -> pl.DataFrame:
    """The small rows with one text of a column changed, in the month's first row."""
    frame = small_rows().with_row_index("_at")
    (at, *_) = frame.filter(pl.col("month") == month)["_at"].to_list()
    changed = pl.when(pl.col("_at") == at).then(pl.lit(text)).otherwise(pl.col(column))
    return frame.with_columns(changed.alias(column)).drop("_at")


def tree(folder: Path) -> Sequence[tuple[str, bytes]]:
    """Every file below a folder with its content, to see that nothing changed."""
    return [
        (path.relative_to(folder).as_posix(), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]

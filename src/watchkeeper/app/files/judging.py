"""Judge the data quality of files against a baseline, and leave the answer in a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from watchkeeper.app.files.analysis import (
    Analysis,
    AnalysisRequest,
    Judged,
    Tools,
    Yardstick,
    analyse,
    ignore,
)
from watchkeeper.app.files.answers import check_folder, quarantine, write_files
from watchkeeper.app.files.inputs import Reading, data_set, yardstick
from watchkeeper.app.files.profiling import Engine
from watchkeeper.app.files.view import analysis_view
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.values import Progress
from watchkeeper.readers.blobs import ahead_of_clock
from watchkeeper.render.analysis_page import analysis_page


@dataclass(frozen=True, slots=True)
class FileJudgement:
    """Which files are judged by which baseline (None: none), how, and where the answer goes."""

    inputs: tuple[str, ...]
    baseline: str | None
    out: Path
    reading: Reading = field(default_factory=Reading)
    mode: Mode = Mode.CORRECT
    min_rows: int = 1
    sensitive: frozenset[str] = frozenset()
    shown: int = 5


def judge_files(
    wanted: FileJudgement, engine: Engine, report: Callable[[Progress], None], now: datetime
) -> tuple[Analysis, tuple[str, ...]]:
    """The analysis, and the names of the files that were written into `wanted.out`.

    Raises InputError for what cannot be read, and PlatformError when the folder cannot be written to.
    """
    check_folder(wanted.out, wanted.inputs)
    data = data_set(wanted.inputs, wanted.reading)
    baseline, notes = _baseline(wanted, engine, report)
    with quarantine(wanted.out) as bad_lines:
        keep = ignore if wanted.sensitive else bad_lines.add
        request = AnalysisRequest(
            data=data,
            baseline=baseline,
            schema=wanted.reading.schema,
            mode=wanted.mode,
            window=wanted.reading.window,
            min_rows=wanted.min_rows,
            sensitive=wanted.sensitive,
            shown=wanted.shown,
        )
        judged = analyse(request, Tools(engine, _as_step(report, "input"), keep))
        judged = _with_notes(judged, (*notes, *ahead_of_clock([blob.name for blob in data.blobs], now)))
        if wanted.sensitive and judged.analysis.bad_lines:
            judged = _with_notes(judged, ("no bad line was kept, as columns are sensitive",))
        page = analysis_page(analysis_view(judged, wanted.sensitive))
        written = write_files(wanted.out, judged, bad_lines, page)
    return judged.analysis, written


def _baseline(
    wanted: FileJudgement, engine: Engine, report: Callable[[Progress], None]
) -> tuple[Yardstick | None, tuple[str, ...]]:
    if wanted.baseline is None:
        return None, ()
    tools = Tools(engine, _as_step(report, "baseline"))
    found, read = yardstick(wanted.baseline, wanted.reading, wanted.mode, tools)
    return found, tuple(f"baseline: {note}" for note in read.notes) if read else ()


def _with_notes(judged: Judged, notes: tuple[str, ...]) -> Judged:
    return replace(judged, analysis=replace(judged.analysis, notes=(*judged.analysis.notes, *notes)))


def _as_step(report: Callable[[Progress], None], name: str) -> Callable[[Progress], None]:
    """Reports under one name, its time counted from now."""
    report(Progress(name, 0, None))
    return lambda progress: report(replace(progress, step=name))

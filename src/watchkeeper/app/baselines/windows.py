"""Rows of windows in production that a baseline can be made of, and which windows were left out and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from watchkeeper.app.baselines.making import BaselineFor, BaselineRows
from watchkeeper.app.captures.rows import WindowRows, read_labelled_rows, read_rows, source_of
from watchkeeper.app.judging.judgement import LABEL
from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.registry.baselines import ChosenWindow, Origin, OriginKind
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.executions import executions
from watchkeeper.app.registry.schemas import schema
from watchkeeper.app.setup.sections import MonitorSection
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import VERDICTS, Execution, Judgement
from watchkeeper.core.windows import Window
from watchkeeper.readers.table_files import as_text


@dataclass(frozen=True, slots=True)
class WindowChoice:
    """Which windows of an environment are wanted, and whether those with violations stay out."""

    environment: str
    within: Window
    leave_out_violations: bool = True


def rows_of_windows(target: Target, wanted: BaselineFor, choice: WindowChoice) -> BaselineRows:
    """The model version's rows in the windows of a range, as the monitor's schedule cuts it.

    Left out are windows that hold no row of the version, too few labels or, unless they are wanted,
    violations of this monitor on the version's rows; the origin names each window with the reason.
    Windows whose time has not come are not looked at. Raises InputError for a range without a window.
    """
    known = schema(target.store, catalogue(target.store).version(wanted.model_version).schema_version)
    search = _search(target, wanted, choice)
    found = [_look(search, window) for window in _windows(search)]
    if not found:
        raise InputError(
            f"suggest a {wanted.monitor} baseline: want a range with a window of the schedule "
            f"{search.section.schedule} whose time has come, got {choice.within}"
        )
    used = [each for each in found if each.chosen.used]
    names = [column.name for column in (*known.inputs, known.prediction)]
    names += [LABEL] if search.needs_labels else []
    empty = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    return BaselineRows(
        frame=pl.concat([empty, *(as_text(each.rows.frame.select(names)) for each in used)]),
        schema=known,
        source=f"rows of model v{wanted.model_version} in {len(used)} of {len(found)} windows of "
        f"{choice.environment}, {choice.within}",
        origin=Origin(
            kind=OriginKind.WINDOWS,
            name=f"{target.project.endpoint(choice.environment)}, {choice.within}",
            digest=digest([each.rows.inputs for each in used]),
            windows=tuple(each.chosen for each in found),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Search:
    target: Target
    wanted: BaselineFor
    choice: WindowChoice
    section: MonitorSection
    executions: Sequence[Execution]  # of the monitor in the environment

    @property
    def needs_labels(self) -> bool:
        return JUDGES[self.wanted.monitor].needs_labels


@dataclass(frozen=True, slots=True)
class _Found:
    chosen: ChosenWindow
    rows: WindowRows


_NO_ROWS = WindowRows(pl.DataFrame(), 0, 0, (), ())


def _search(target: Target, wanted: BaselineFor, choice: WindowChoice) -> _Search:
    monitors = target.project.environment(choice.environment).monitors
    section = next(each for name, each in monitors.items() if name == wanted.monitor)
    own = [
        execution
        for execution in executions(target.store)
        if (execution.monitor, execution.environment) == (wanted.monitor, choice.environment)
    ]
    return _Search(target, wanted, choice, section, own)


def _windows(search: _Search) -> Iterator[Window]:
    """The schedule's windows that lie wholly in the range, as far as their time has come."""
    within, schedule = search.choice.within, search.section.schedule
    now, at = search.target.clock.now(), within.start - timedelta(minutes=1)
    while (at := schedule.next(at)) <= now:
        window = search.section.window(at)
        if window.end > within.end:
            return
        if window.start >= within.start:
            yield window


def _look(search: _Search, window: Window) -> _Found:
    judged = _newest_verdict(search, window)
    if judged is not None and judged.violations and search.choice.leave_out_violations:
        return _left_out(window, judged.reason)
    rows = _read(search, window)
    version = search.wanted.model_version
    own = rows.frame.filter(pl.col("_model_version") == version)
    if search.needs_labels and rows.frame.height < search.section.labels.coverage * rows.captured:
        coverage = f"{rows.frame.height:,} of {rows.captured:,} rows have a label"
        return _left_out(window, f"{coverage}, want {search.section.labels.coverage:.0%}")
    if not own.height:
        return _left_out(window, f"no row of model v{version}")
    note = "not judged" if judged is None else judged.reason
    rows = WindowRows(own, rows.requests, rows.captured, rows.notes, rows.inputs)
    return _Found(ChosenWindow(window, own.height, True, note), rows)


def _left_out(window: Window, reason: str) -> _Found:
    return _Found(ChosenWindow(window, 0, False, reason), _NO_ROWS)


def _read(search: _Search, window: Window) -> WindowRows:
    """With the labels that are known by now, which may be more than the monitor had."""
    source = source_of(search.target.project, search.choice.environment, window)
    if not search.needs_labels:
        return read_rows(search.target.store, source)
    known_by = Window(window.start, search.target.clock.now())
    return read_labelled_rows(search.target.store, source, known_by)


def _newest_verdict(search: _Search, window: Window) -> Judgement | None:
    """What the newest execution of a window said of the version's rows; None when none judged them."""
    found = [
        (max(sample.time for sample in execution.samples), judgement)
        for execution in search.executions
        if execution.window == window
        for judgement in execution.judgements
        if judgement.model_version == search.wanted.model_version and judgement.status in VERDICTS
    ]
    return sorted(found, key=lambda each: each[0])[-1][1] if found else None

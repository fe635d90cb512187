"""Progress of long work as bars on a terminal, as lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from watchkeeper.core.values import Progress as Step


class _Rows(ProgressColumn):
    """Rows so far, and how many a second."""

    def render(self, task: Task) -> Text:
        seconds = task.finished_time if task.finished else task.elapsed
        rate = f", {task.completed / seconds:,.0f} rows/s" if seconds and task.completed else ""
        return Text(f"{task.completed:,.0f} rows{rate}", no_wrap=True)


@contextmanager
def row_counts(quiet: bool = False) -> Iterator[Callable[[Step], None]]:
    """A function to report rows to as they are read; one bar a data set, on stderr."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<10}"),
        BarColumn(),
        _Rows(),
        TimeElapsedColumn(),
    )
    with _bars(columns, quiet) as report:
        yield report


@contextmanager
def progress_bars(quiet: bool = False) -> Iterator[Callable[[Step], None]]:
    """A function to report steps to; one bar a step, on stderr."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with _bars(columns, quiet) as report:
        yield report


@contextmanager
def _bars(columns: tuple[ProgressColumn, ...], quiet: bool) -> Iterator[Callable[[Step], None]]:
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True, quiet=quiet)) as bars:

        def report(step: Step) -> None:
            if step.step not in tasks:
                tasks[step.step] = bars.add_task(step.step, total=step.total, note="")
            bars.update(tasks[step.step], completed=step.done, total=step.total, note=step.note)

        yield report

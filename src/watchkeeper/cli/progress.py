"""Progress of long work as bars on a terminal, as lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from watchkeeper.core.values import Progress as Step


@contextmanager
def progress_bars(quiet: bool = False) -> Iterator[Callable[[Step], None]]:
    """A function to report steps to; one bar a step, on stderr."""
    console = Console(stderr=True, quiet=quiet)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console) as bars:

        def report(step: Step) -> None:
            if step.step not in tasks:
                tasks[step.step] = bars.add_task(step.step, total=step.total, note="")
            bars.update(tasks[step.step], completed=step.done, total=step.total, note=step.note)

        yield report

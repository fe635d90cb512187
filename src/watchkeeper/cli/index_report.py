"""How far reading records into the index has come, as one line on a terminal; bars would load too much."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from watchkeeper.core.values import Progress


@contextmanager
def line_of_progress() -> Iterator[Callable[[Progress], None]]:
    """A function to report to; nothing is said where nobody sits at a terminal."""
    shown = sys.stderr.isatty()
    said = False

    def report(step: Progress) -> None:
        nonlocal said
        if shown:
            click.echo(f"\rindexing: {step.done:,} records read", nl=False, err=True)
            said = True

    yield report
    if said:
        click.echo(err=True)

"""A rehearsal as it happens: the loop's steps and a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from watchkeeper.core.values import Progress

# What each reported step is called in the loop's own words, in its order.
LOOP = {
    "prepare": "prepare",
    "ingest": "ingest",
    "validate": "validate",
    "split": "split by time",
    "search": "search",
    "evaluate": "evaluate",
    "register": "register",
    "promote": "approve and deploy",
    "live": "serve, capture, label",
    "monitor": "monitor",
    "alert": "alert",
    "decide": "decide",
    "retrain": "retrain",
}
_EVENTS = 8
_NAME_WIDTH = max(map(len, LOOP.values()))
_BAR_WIDTH = 30
_LINES = frozenset(LOOP) - {"search", "live"}  # steps of which every report is worth a line


@dataclass(slots=True)
class _View:
    title: str
    steps: dict[str, Progress] = field(default_factory=dict)
    events: deque[str] = field(default_factory=lambda: deque(maxlen=_EVENTS))

    def take(self, step: Progress) -> None:
        self.steps[step.step] = step
        if step.step in _LINES and step.note and step.note != "done":
            self.events.append(f"{LOOP[step.step]}: {step.note}")

    def __rich__(self) -> RenderableType:
        rows = Table.grid(padding=(0, 2))
        for width in (1, _NAME_WIDTH, _BAR_WIDTH, None):
            rows.add_column(min_width=width, overflow="ellipsis", no_wrap=True)
        for name, said in LOOP.items():
            rows.add_row(*_row(said, self.steps.get(name)))
        events = Text("\n".join(self.events), style="dim")
        return Panel(Group(rows, Text(), events), title=f"Watchkeeper · {self.title}", border_style="cyan")


def _row(said: str, step: Progress | None) -> tuple[RenderableType, ...]:
    if step is None:
        return Text("·", style="dim"), Text(said, style="dim"), Text(), Text()
    over = step.total is None or step.done >= step.total
    mark = Text("✓", style="green") if over else Text("▸", style="cyan")
    counted = step.total is not None and step.total > 1
    bar = ProgressBar(total=step.total, completed=step.done, width=_BAR_WIDTH) if counted else Text()
    seconds = step.figures.get("seconds")
    note = f"{seconds:.1f} s" if seconds is not None else step.note
    return mark, Text(said), bar, Text(note, style="dim")


@contextmanager
def live_view(title: str, quiet: bool = False) -> Iterator[Callable[[Progress], None]]:
    """A function to report progress to: drawn in place on a terminal, printed line by line elsewhere."""
    console = Console(stderr=True, quiet=quiet)
    view = _View(title)
    if not sys.stderr.isatty():
        yield lambda step: _print(console, step)
        return
    with Live(view, console=console, refresh_per_second=8):
        yield view.take


def _print(console: Console, step: Progress) -> None:
    if step.step in _LINES:
        seconds = step.figures.get("seconds")
        note = f"{seconds:.1f} s" if seconds is not None else step.note
        console.print(f"{LOOP[step.step]}: {note}", highlight=False, soft_wrap=True)
    elif step.total and step.done == step.total:
        console.print(
            f"{LOOP[step.step]}: {step.done:,} of {step.total:,} {step.note}", highlight=False, soft_wrap=True
        )

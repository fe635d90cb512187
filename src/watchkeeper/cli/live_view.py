"""A rehearsal as it happens: drawn in place on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from watchkeeper.cli.months_view import Canvas, months_view
from watchkeeper.cli.rehearsal_state import DONE, LOOP, RehearsalState, verdict
from watchkeeper.core.values import Progress

_LINES = frozenset(LOOP) - {"search", "live"}  # steps of which every report is worth a line
_BAR_WIDTH = 24
_MOST_LINES = 44


@dataclass(slots=True)
class LiveView:
    """Takes a rehearsal's reports and puts its questions, without the one drawing over the other."""

    title: str
    months: tuple[str, ...]
    console: Console
    live: Live | None = None
    state: RehearsalState = field(default_factory=RehearsalState)
    started: float = field(default_factory=time.monotonic)

    def report(self, step: Progress) -> None:
        """Take one report: the next picture shows it, or a line says it."""
        self.state = self.state.take(step)
        if self.live is None and (said := plain_line(self.state, step)):
            self.console.print(said, highlight=False, soft_wrap=True, markup=False)

    def ask(self, question: str) -> bool:
        """Put a question, with the drawing at rest until it is answered."""
        if self.live is None:
            return click.confirm(question, err=True)
        self.live.stop()
        try:
            return click.confirm(question, err=True)
        finally:
            self.live.start(refresh=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, min(console.size.height - 1, _MOST_LINES)
        elapsed = time.monotonic() - self.started
        yield picture(self.state, self.title, Canvas(self.months, elapsed, width - 4, height - 2))


def picture(state: RehearsalState, title: str, canvas: Canvas) -> RenderableType:
    """The frame with what happens in it: the months, or the loop's steps where there is one month."""
    drawn = months_view(state, canvas) if len(canvas.months) > 1 else _loop(state, canvas)
    heading = Text(f"Watchkeeper · {title}")
    return Panel(
        Group(*drawn), title=heading, border_style="cyan", width=canvas.width + 4, height=canvas.height + 2
    )


def plain_line(state: RehearsalState, step: Progress) -> str:
    """A report as a line of text; empty for one that is not worth it."""
    if step.step == "month":
        alerts = ", ".join(state.alerts_about(step.labels["month"])) or "no alert"
        return f"{step.labels['month']}: {verdict(step)}, {alerts}"
    if step.step in LOOP and "seconds" in step.figures:
        return f"{LOOP[step.step]}: {step.figures['seconds']:.1f} s"
    if step.step in _LINES:
        return f"{LOOP[step.step]}: {step.note}"
    if step.step in LOOP and step.total and step.done == step.total:
        return f"{LOOP[step.step]}: {step.done:,} of {step.total:,} {step.note}"
    return ""


@contextmanager
def live_view(title: str, months: tuple[str, ...], quiet: bool = False) -> Iterator[LiveView]:
    """A view to report progress to: drawn in place on a terminal, printed line by line elsewhere."""
    console = Console(stderr=True, quiet=quiet)
    view = LiveView(title, months, console)
    if quiet or not console.is_terminal or console.is_dumb_terminal:
        yield view
        return
    view.live = Live(view, console=console, refresh_per_second=8)
    with view.live:
        yield view
        view.report(Progress(DONE, 1, 1))


def _loop(state: RehearsalState, canvas: Canvas) -> list[RenderableType]:
    """The loop's steps with their bars, and beneath them as many events as there is room for."""
    rows = Table.grid(padding=(0, 2))
    for width in (1, max(map(len, LOOP.values())), _BAR_WIDTH, None):
        rows.add_column(min_width=width, overflow="ellipsis", no_wrap=True)
    for name, said in LOOP.items():
        rows.add_row(*_step_row(said, state.steps.get(name)))
    room = max(canvas.height - len(LOOP) - 1, 0)
    events = [
        Text(event.said, style="dim")
        for event in state.events[len(state.events) - min(room, len(state.events)) :]
    ]
    for event in events:
        event.truncate(canvas.width, overflow="ellipsis")
    return [rows, Text(), *events]


def _step_row(said: str, step: Progress | None) -> tuple[RenderableType, ...]:
    if step is None:
        return Text("·", style="dim"), Text(said, style="dim"), Text(), Text()
    over = step.total is None or step.done >= step.total
    mark = Text("✓", style="green") if over else Text("▸", style="cyan")
    bar = Text()
    if step.total is not None and step.total > 1:
        full = _BAR_WIDTH * step.done // step.total
        bar = Text.assemble(("█" * full, "cyan"), ("░" * (_BAR_WIDTH - full), "dim"))
    seconds = step.figures.get("seconds")
    note = f"{seconds:.1f} s" if seconds is not None else step.note
    return mark, Text(said), bar, Text(note, style="dim")

"""A rehearsal under way: what was asked for, what it runs on, who plays in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.sources.dataset import Dataset, SourceRequest
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.values import Actor, Progress
from watchkeeper.core.windows import Window, add_months, month_start, months_between

ENGINEER = Actor("ml-engineer", "rehearsal")
OWNER = Actor("model-owner", "rehearsal")
SCHEDULER = Actor("scheduler", "service")

Report = Callable[[Progress], None]
Asked = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class RehearsalRequest:
    """Which months, on which data, into which folder.

    `approves` is asked before a version goes to prod, and before a retrain. `seed` shifts the seed of the
    search and draws the traffic, so that chance in both can be told from the design. With a `compression`,
    by which durations of rules and notifications are divided, Prometheus and Alertmanager take part.
    """

    out: Path
    source: SourceRequest
    first: str
    until: str
    approves: Asked
    seed: int = 0
    compression: float | None = None

    @property
    def months(self) -> tuple[str, ...]:
        """The months of requests; empty when `until` comes before `first`."""
        return months_between(self.first, self.until)

    @property
    def span(self) -> Window:
        """From the beginning of the first month to the end of the last."""
        return Window(month_start(self.first), add_months(month_start(self.until), 1))


@dataclass(slots=True)
class Rehearsal:
    """What it runs on, and the wall seconds of its stages so far.

    `search_seconds` are those of the searches alone, which the stages train and retrain hold too.
    """

    request: RehearsalRequest
    target: Target
    clock: MovedClock
    report: Report
    rows: Dataset
    seconds: dict[str, float] = field(default_factory=dict)
    search_seconds: float = 0.0

    @property
    def environment(self) -> str:
        """The watched environment: the last one, where the callers are."""
        return self.target.project.environments[-1]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the wall seconds of a block to a stage."""
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started

    def report_training(self, step: Progress) -> None:
        """Pass on what a training run reports, and add up the seconds of its search."""
        if step.step == "search":
            self.search_seconds += step.figures.get("seconds", 0.0)
        self.report(step)

"""What a schedule's windows before one came to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from watchkeeper.app.judging.judgement import Figure
from watchkeeper.app.registry.executions import newest_at
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.values import VERDICTS, Execution, Status

WINDOWS = 3  # that a persisting violation is looked for in
_MOST = 10  # windows without a verdict that are counted


def recent_figures(books: Books, execution: Execution) -> tuple[Figure, ...]:
    """How many of the newest windows broke a check, and how many in a row ended without a verdict."""
    if execution.status not in VERDICTS:
        silent = 1
        for before in islice(_before(books, execution), _MOST - 1):
            if before.status in VERDICTS:
                break
            silent += 1
        return (Figure("monitor_windows_without_verdict", float(silent)),)
    earlier = islice((each for each in _before(books, execution) if each.status in VERDICTS), WINDOWS - 1)
    violated = sum(each.status is Status.VIOLATIONS for each in (execution, *earlier))
    return (
        Figure("monitor_windows_without_verdict", 0.0),
        Figure(f"{execution.monitor.replace('-', '_')}_violated_windows", float(violated)),
    )


def _before(books: Books, execution: Execution) -> Iterator[Execution]:
    """The newest revision of each window before this one, the latest first, as far as there is a record."""
    schedule = books.project.environment(execution.environment).monitors[execution.monitor].schedule
    time = execution.scheduled_at
    for _ in range(_MOST):
        time = schedule.previous(time)
        found = newest_at(books.store, execution.schedule, time)
        if found is None:
            return
        yield found

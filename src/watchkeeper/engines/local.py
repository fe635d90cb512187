"""The engine of one machine: threads, since Polars and NumPy do their work outside the interpreter's lock.

Processes were measured beside them, on two cores and two million rows: as fast at best on an idle machine
and two to four times slower on a busy one. Threads need no start, share what is read, do not pickle what
comes back, and leave nothing behind when they are interrupted.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def run(work: Callable[[T], R], items: Iterable[T], workers: int | None = None) -> Generator[R, None, None]:
    """The result of `work` for each item, in item order.

    `workers` is the number of threads, by default one for each core this process may use; with 1 the work
    is done here, item by item, as results are asked for. Otherwise at most `workers` + 1 items are begun
    beyond the one whose result is waited for, so that room is bounded and no worker idles while a result
    is used. The first error of the work in item order is raised as it was, one of `items` when it is met.
    Then, and when the iterator is closed or interrupted, nothing new is begun, and what runs already is
    waited for: after `run` has ended nothing of it runs any more. Raises ValueError for fewer workers
    than one.
    """
    number = cores() if workers is None else workers
    if number < 1:
        raise ValueError(f"run an engine: want at least 1 worker, got {number}")
    return _here(work, items) if number == 1 else _threaded(work, iter(items), number)


def cores() -> int:
    """The cores this process may use; all of the machine where the system does not say."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _here(work: Callable[[T], R], items: Iterable[T]) -> Generator[R, None, None]:
    yield from map(work, items)


def _threaded(work: Callable[[T], R], items: Iterator[T], number: int) -> Generator[R, None, None]:
    pool = ThreadPoolExecutor(number, thread_name_prefix="watchkeeper-part")
    ahead: deque[Future[R]] = deque()
    try:
        ahead.extend(pool.submit(work, item) for item in islice(items, number + 2))
        while ahead:
            yield ahead.popleft().result()
            ahead.extend(pool.submit(work, item) for item in islice(items, 1))
    finally:
        pool.shutdown(cancel_futures=True)

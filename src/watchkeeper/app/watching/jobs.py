"""Due monitors, run one after the other here, or several at once in processes of their own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.pages.reporting import has_page, write_execution_page
from watchkeeper.app.registry.records import RememberingStore
from watchkeeper.app.setup.targets import Target
from watchkeeper.app.watching.agenda import Due
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import Actor, Execution

SCHEDULER = Actor("scheduler", "service")
_ONE_THREAD = ("OMP_NUM_THREADS", "POLARS_MAX_THREADS")  # each process has a core, and small windows

Opens = Callable[[], Target]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a due time came to. `refused` says why it cannot be run as things are, and is empty otherwise."""

    due: Due
    executions: tuple[Execution, ...] = ()
    refused: str = ""


def run_due(target: Target, due: Due) -> Ran:
    """Run what a time of a schedule asks for, each with its page; nothing that is on record as it is."""
    found = []
    try:
        for run in due.runs:
            execution = run_monitor(target, run, SCHEDULER)
            if not has_page(target.store, execution):
                write_execution_page(target, execution)
            found.append(execution)
    except InputError as error:  # of this one alone, and trying again would not help
        return Ran(due, tuple(found), str(error))
    return Ran(due, tuple(found))


Runs = Callable[[Sequence[Due]], Iterator[Ran]]


def one_by_one(target: Target) -> Runs:
    """Run each in this process, in order."""
    return lambda dues: (run_due(target, due) for due in dues)


@contextlib.contextmanager
def side_by_side(opens: Opens, here: Target, count: int) -> Iterator[Runs]:
    """Run those of one time in `count` processes; a schedule's next time begins when they have ended.

    `opens` is called once in each process, and has to be one that can be sent there. When one of them is
    killed, what it ran and what waited raises PlatformError, and the next call has new ones.
    """
    spawn = multiprocessing.get_context("spawn")  # a fork would copy the threads' locks
    with _environment(_ONE_THREAD), contextlib.ExitStack() as held:

        def pool() -> ProcessPoolExecutor:
            held.close()
            return held.enter_context(ProcessPoolExecutor(count, spawn, _open, (opens,)))

        current = [pool()]

        def run(dues: Sequence[Due]) -> Iterator[Ran]:
            try:
                for _, together in groupby(dues, key=lambda due: due.time):
                    yield from _together(current[0], tuple(together), here.clock.now())
            except BrokenProcessPool:
                current[0] = pool()
                raise PlatformError(
                    "run monitors: a process that ran one was killed", retryable=True
                ) from None

        yield run


def _together(pool: ProcessPoolExecutor, dues: Sequence[Due], now: datetime) -> Iterator[Ran]:
    jobs = [pool.submit(_run_here, due, now) for due in dues]
    try:
        for job in jobs:
            yield job.result()
    finally:
        for job in jobs:
            job.cancel()


_held: list[Target] = []  # the target of this process, when it is one of several


def _open(opens: Opens) -> None:
    _held.append(opens())


def _run_here(due: Due, now: datetime) -> Ran:
    (target,) = _held
    if isinstance(target.clock, MovedClock):
        target.clock.move_to(now)
    if isinstance(target.store, RememberingStore):
        target.store.look_again()
    return run_due(target, due)


@contextlib.contextmanager
def _environment(names: Sequence[str]) -> Iterator[None]:
    """Processes started in the block have one thread for each of these, unless somebody said otherwise."""
    added = [name for name in names if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)

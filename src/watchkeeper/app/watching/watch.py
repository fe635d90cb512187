"""The watch: rules in one thread; schedules and each side job in others: none keeps an alert waiting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from watchkeeper.adapters.sources.dataset import Dataset
from watchkeeper.app.alerts.door import INBOX
from watchkeeper.app.index.indexing import fresh_index
from watchkeeper.app.monitoring.overdue import overdue_samples
from watchkeeper.app.monitoring.schedule import schedules_of
from watchkeeper.app.registry.executions import Exposures
from watchkeeper.app.registry.history import extend_history
from watchkeeper.app.registry.records import RememberingStore
from watchkeeper.app.setup.targets import Target
from watchkeeper.app.watching.agenda import Agenda, Due, Skipped
from watchkeeper.app.watching.beside import SideJob, side_jobs
from watchkeeper.app.watching.jobs import SCHEDULER, Runs
from watchkeeper.app.watching.rules import Round, RuleWatch
from watchkeeper.core.audit import Event
from watchkeeper.core.errors import IntegrityError, PlatformError, WatchkeeperError
from watchkeeper.core.values import Sample, newest
from watchkeeper.core.windows import utc_text

LOOK_EVERY = 1.0  # seconds between two looks at the schedules

log = logging.getLogger(__name__)

Report = Callable[[str], None]


@dataclass(slots=True)
class Watch:
    """A project's watch on a target, until `stop` is set.

    `runs` runs what is due (see `jobs`). Where Prometheus evaluates the rules, it `evaluates` none.
    `interval` is in seconds, between two evaluations of the rules. `report` hears, a line each, of what was
    run, found, told and decided; all threads call it. `rows` are what decided retrains learn from; without
    them none is run here.
    """

    target: Target
    report: Report
    runs: Runs
    interval: float = 15.0
    evaluates: bool = True
    rows: Callable[[], Dataset] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    _delivered: int | None = field(init=False, default=None)  # by Alertmanager when the watch began
    _twice: bool = field(init=False, default=False)
    _unreachable: bool = field(init=False, default=False)
    _failing: dict[str, str] = field(init=False, default_factory=dict)  # the error, by what was tried
    _exposures: Exposures = field(init=False)
    _waiting: list[Due] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._exposures = Exposures(self.target.store, schedules_of(self.target.project))

    def run(self) -> None:
        """Watch until `stop` is set. Raises IntegrityError when a record is not as it was written.

        A platform that fails, such as a full disk, is reported, and tried again.
        """
        names = self.target.project.environments
        watches = [RuleWatch(self.target, name, self.evaluates) for name in names]
        beside = side_jobs(self.target, self.report, self.stop, self.rows)
        with ThreadPoolExecutor(1 + len(beside), thread_name_prefix="watch") as pool:
            jobs = [
                pool.submit(self._run_schedules),
                *(pool.submit(self._run_beside, each) for each in beside),
            ]
            for job in jobs:
                job.add_done_callback(self._ended)
            try:
                while not self.stop.is_set():
                    self._tried("evaluate the rules", lambda: self._evaluate(watches))
                    self.stop.wait(self.interval)
            finally:
                self.stop.set()
            for job in jobs:
                job.result()

    def _ended(self, _: Future[None]) -> None:
        """A thread that ends ends the watch: by its own fault, which is raised then, or by `stop`."""
        self.stop.set()

    def _evaluate(self, watches: Sequence[RuleWatch]) -> None:
        target = self.target
        late = overdue_samples(target.store, target.project, target.clock.now())
        held = self._exposures.read(target.clock.now())
        samples = newest([*held, *late, *self._live()])
        self._notice_twice()
        for watch in watches:
            self._report_round(watch.environment, watch.run(samples))

    def _notice_twice(self) -> None:
        """Say once that Alertmanager sends alerts here while ours are evaluated: each is told twice."""
        if not self.evaluates or self._twice:
            return
        delivered = len(self.target.store.list(INBOX))
        self._delivered = delivered if self._delivered is None else self._delivered
        if delivered > self._delivered:
            self._twice = True
            self.report(
                "Alertmanager sends alerts here too, so each is told twice; start with --rules prometheus"
            )

    def _live(self) -> Sequence[Sample]:
        """What the endpoints expose of themselves; nothing while no server runs."""
        try:
            found = self.target.host.samples()
        except PlatformError as error:
            if not self._unreachable:
                self.report(f"no sample of the endpoints: {error}")
            self._unreachable = True
            return ()
        self._unreachable = False
        return found

    def _report_round(self, environment: str, found: Round) -> None:
        for alert in found.evaluation.changed:
            self.report(f"{environment}: {alert.name} {alert.state}: {alert.summary}")
        for decision in found.decisions:
            self.report(f"{environment}: decided {decision.kind} on {decision.alert}: {decision.reasons[-1]}")
        for receipt in found.receipts:
            how = "told" if receipt.delivery.delivered else f"could not tell ({receipt.delivery.reason})"
            self.report(f"{environment}: {how} {receipt.outlet}")

    def _run_beside(self, job: SideJob) -> None:
        while not self.stop.is_set():
            self._tried(job.doing, job.run)
            self.stop.wait(max(job.pause, self.interval))

    def _run_schedules(self) -> None:
        agenda = Agenda(self.target)
        while not self.stop.is_set():
            self._tried("look at the schedules", lambda: self._run_due(agenda))
            self.stop.wait(LOOK_EVERY)

    def _run_due(self, agenda: Agenda) -> None:
        if isinstance(self.target.store, RememberingStore):
            self.target.store.look_again()
        self._waiting += agenda.take(self.target.clock.now())
        if self._waiting:
            self._flush()
        while agenda.skipped:
            self._tell_skipped(agenda.skipped.pop(0))
        for ran in self.runs(tuple(self._waiting)):
            self._waiting.remove(ran.due)
            for each in ran.executions:
                self.report(f"{each.schedule} {each.window}: {each.status}, {each.reason}")
            if ran.refused:
                self.report(f"run {ran.due.monitor} in {ran.due.environment}: {ran.refused}")
            if self.stop.is_set():  # what is left is due again after a restart
                return
            if not self._waiting:
                extend_history(self.target.store)
                fresh_index(self.target.folder, self.target.store, lambda _: None)

    def _flush(self) -> None:
        """Have the endpoints ship what they captured; each does so by itself within a minute."""
        try:
            self.target.host.flush()
        except PlatformError as error:
            if not self._unreachable:  # else it has been told that no server runs
                self.report(f"what was captured last may not be there yet: {error}")

    def _tell_skipped(self, skipped: Skipped) -> None:
        schedule = f"{self.target.project.endpoint(skipped.environment)}-{skipped.monitor}"
        why = (
            f"{skipped.times} times from {utc_text(skipped.first)} to before {utc_text(skipped.until)} were "
            "missed, which is too many to catch up with; `watchkeeper monitor backfill` runs them"
        )
        self.report(f"{schedule}: {why}")
        self.target.trail.append(Event("monitor.skipped", schedule, SCHEDULER, self.target.clock.now(), why))

    def _tried(self, doing: str, act: Callable[[], None]) -> None:
        """Do it; what goes wrong is said, and not again until it is something else or was mended."""
        try:
            act()
            self._failing.pop(doing, None)
        except IntegrityError:
            raise
        except WatchkeeperError as error:
            if self._failing.get(doing) != str(error):
                log.exception("%s", doing)
                self.report(f"{doing}: {error}")
            self._failing[doing] = str(error)

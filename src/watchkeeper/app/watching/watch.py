"""The watch: rules in one thread; schedules, retrains, mirrors in others: none keeps an alert waiting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from watchkeeper.adapters.local.alertmanager import AlertmanagerApi
from watchkeeper.adapters.local.remote_write import RemoteWrite
from watchkeeper.adapters.sources.dataset import Dataset
from watchkeeper.app.alerts.mirroring import Mirror
from watchkeeper.app.alerts.silences import sync_silences
from watchkeeper.app.index.indexing import fresh_index
from watchkeeper.app.monitoring.overdue import overdue_samples
from watchkeeper.app.monitoring.pushing import pushed_samples, receivers_of
from watchkeeper.app.registry.executions import exposed
from watchkeeper.app.registry.history import extend_history
from watchkeeper.app.registry.records import RememberingStore
from watchkeeper.app.setup.targets import Target
from watchkeeper.app.watching.agenda import Agenda, Due, Skipped
from watchkeeper.app.watching.jobs import SCHEDULER, Runs
from watchkeeper.app.watching.retraining import Retrainer
from watchkeeper.app.watching.rules import Round, RuleWatch
from watchkeeper.core.audit import Event
from watchkeeper.core.errors import InputError, IntegrityError, PlatformError, WatchkeeperError
from watchkeeper.core.values import Sample, newest
from watchkeeper.core.windows import utc_text

LOOK_EVERY = 1.0  # seconds between two looks at the schedules
MIRROR_EVERY = 30.0  # seconds between two looks at what the knowledge base has not got

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
    _unreachable: bool = field(init=False, default=False)
    _unpushed: dict[tuple[str, str], str] = field(init=False, default_factory=dict)
    _waiting: list[Due] = field(init=False, default_factory=list)

    def run(self) -> None:
        """Watch until `stop` is set. Raises IntegrityError when a record is not as it was written.

        A platform that fails, such as a full disk, is reported, and tried again.
        """
        names = self.target.project.environments
        watches = [RuleWatch(self.target, name, self.evaluates) for name in names]
        with ThreadPoolExecutor(5, thread_name_prefix="watch") as pool:
            work = (
                self._run_schedules,
                self._run_retrains,
                self._run_mirrors,
                self._run_silences,
                self._run_pushes,
            )
            jobs = [pool.submit(each) for each in work]
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
        samples = newest([*exposed(target.store), *late, *self._live()])
        for watch in watches:
            self._report_round(watch.environment, watch.run(samples))

    def _run_pushes(self) -> None:
        wanted = {name: found for name, found in receivers_of(self.target.project).items() if found}
        while not self.stop.is_set():
            if wanted:
                self._push(wanted)
            self.stop.wait(self.interval)

    def _push(self, wanted: Mapping[str, Sequence[RemoteWrite]]) -> None:
        """Push to each receiver by itself; what is wrong with one is said once, until it changes."""
        try:
            live = self.target.host.samples()
        except PlatformError:  # which the evaluation of the rules has told
            live = ()
        for environment, receivers in wanted.items():
            for receiver in receivers:
                try:
                    found = pushed_samples(self.target, environment, live)
                    receiver.push(found, self.target.clock.now())
                    self._unpushed.pop((environment, receiver.url), None)
                except (InputError, PlatformError) as error:
                    if self._unpushed.get((environment, receiver.url)) != str(error):
                        self.report(f"{environment}: {error}")
                    self._unpushed[environment, receiver.url] = str(error)

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

    def _run_schedules(self) -> None:
        agenda = Agenda(self.target)
        while not self.stop.is_set():
            self._tried("look at the schedules", lambda: self._run_due(agenda))
            self.stop.wait(LOOK_EVERY)

    def _run_retrains(self) -> None:
        if self.rows is None:
            self.stop.wait()
            return
        retrainer = Retrainer(self.target, self.rows, self.report, self.stop)
        while not self.stop.is_set():
            self._tried("run what was decided", retrainer.run)
            self.stop.wait(max(LOOK_EVERY, self.interval))

    def _run_silences(self) -> None:
        while not self.stop.is_set():
            self._tried("bring mutes and silences together", self._sync_silences)
            self.stop.wait(max(LOOK_EVERY, self.interval))

    def _sync_silences(self) -> None:
        project = self.target.project
        for environment in project.environments:
            if url := project.environment(environment).notifications.alertmanager_url:
                for line in sync_silences(self.target, environment, AlertmanagerApi(url)):
                    self.report(f"{environment}: {line}")

    def _run_mirrors(self) -> None:
        mirrors = [Mirror(self.target, name, self.target.folder) for name in self.target.project.environments]
        while not self.stop.is_set():
            self._tried("mirror pages", lambda: self._mirror(mirrors))
            self.stop.wait(max(MIRROR_EVERY, self.interval))

    def _mirror(self, mirrors: Sequence[Mirror]) -> None:
        for mirror in mirrors:
            for each in mirror.run():
                if not each.delivery.delivered:
                    self.report(f"{mirror.environment}: could not put {each.page}: {each.delivery.reason}")

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
        try:
            act()
        except IntegrityError:
            raise
        except WatchkeeperError as error:
            log.exception("%s", doing)
            self.report(f"{doing}: {error}")

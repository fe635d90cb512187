"""A retrain whose process dies at any step is finished by running it again, or cancelled by a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.app.loop import ANA, KIM, Loop, bring_to_prod, copied, new_loop, quiet, train_in
from tests.app.retraining.market import RISEN, ask, risen_market
from watchkeeper.adapters.memory.endpoint import MemoryEndpointHost
from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.adapters.memory.trail import MemoryTrail
from watchkeeper.app.registry.candidates import open_candidate
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.models import Tryout, try_out
from watchkeeper.app.retraining.interruption import MOST_RUNS, refuse_retrain, settle_interrupted
from watchkeeper.app.retraining.retrain import RetrainJob, run_retrain
from watchkeeper.app.retraining.retrains import OutcomeKind, Retrain, RetrainState, answer_retrain, retrains
from watchkeeper.app.setup.audit import log, verify_log
from watchkeeper.core.audit import AuditEntry, Event, Head
from watchkeeper.core.errors import ExistsError, PlatformError, Refused
from watchkeeper.core.values import CandidateKind
from watchkeeper.core.windows import month_start

JOB = RetrainJob(risen_market(), ANA, quiet)


class Died(BaseException):
    """What stands for the end of the process: nothing of ours may catch it."""


@dataclass(slots=True)
class DyingStore:
    """A store whose process ends right before or after it creates an object of this key's end."""

    inner: MemoryStore
    end: str
    after: bool

    def read(self, key: str) -> bytes:
        return self.inner.read(key)

    def write(self, key: str, data: bytes) -> None:
        self.inner.write(key, data)

    def create(self, key: str, data: bytes) -> None:
        if not self.after and key.endswith(self.end):
            raise Died(key)
        self.inner.create(key, data)
        if key.endswith(self.end):
            raise Died(key)

    def list(self, prefix: str) -> Sequence[str]:
        return self.inner.list(prefix)


@dataclass(slots=True)
class DyingTrail:
    """A trail whose process ends after the given number of entries."""

    inner: MemoryTrail
    left: int

    def append(self, event: Event) -> AuditEntry:
        if self.left == 0:
            raise Died(event.action)
        self.left -= 1
        return self.inner.append(event)

    def entries(self) -> Sequence[bytes]:
        return self.inner.entries()

    def head(self) -> Head:
        return self.inner.head()


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """A model that serves, and a retrain that a person agreed to."""
    loop = new_loop(tmp_path_factory.mktemp("loop"), ('r2: ">= 0.5"', 'r2: ">= 0.2"'))
    train_in(loop)
    bring_to_prod(loop)
    loop.clock.move_to(month_start(RISEN))
    ask(loop)
    answer_retrain(loop.target, retrains(loop.store, "prod")[-1], True, KIM, "the market has moved")
    return loop


def restarted(loop: Loop, folder: Path) -> Loop:
    """The same workspace, trail, host and tracker in a process that knows nothing of the one before."""
    fresh = copied(loop, folder)
    host = MemoryEndpointHost(dict(loop.host.serving))
    tracker = replace(
        loop.tracker, runs=dict(loop.tracker.runs), tags={k: dict(v) for k, v in loop.tracker.tags.items()}
    )
    target = replace(fresh.target, project=loop.target.project, host=host, tracker=tracker)
    return replace(fresh, target=target, host=host, tracker=tracker)


def newest(loop: Loop) -> Retrain:
    return retrains(loop.store, "prod")[-1]


def die(loop: Loop, end: str, after: bool = False) -> None:
    """Run the retrain until its process ends."""
    with pytest.raises(Died):
        run_retrain(replace(loop.target, store=DyingStore(loop.store, end, after)), newest(loop), JOB)


def assert_promoted_once(loop: Loop) -> None:
    """The end every run comes to: one new version that serves everywhere, each record of it once."""
    known, done = catalogue(loop.store), newest(loop)
    assert done.outcome is not None
    assert (done.state, done.outcome.kind, done.outcome.promoted) == (
        RetrainState.DONE,
        OutcomeKind.PROMOTED,
        2,
    )
    assert [each.version for each in known.versions] == [1, 2]
    assert loop.host.serving == {"demo-dev": 2, "demo-uat": 2, "demo-prod": 2}
    assert sorted((each.environment, each.version) for each in known.deployments) == [
        (name, version) for name in ("dev", "prod", "uat") for version in (1, 2)
    ]
    assert sorted(each.environment for each in known.approvals if each.version == 2) == ["dev", "prod", "uat"]
    baselines = [key for key in loop.store.list("baselines/") if key.endswith("/baseline.json")]
    assert len(baselines) == 4
    assert set(loop.tracker.tags) == {1, 2}
    assert loop.tracker.aliases == {"dev": 2, "uat": 2, "prod": 2}
    assert verify_log(loop.target.trail).verified


STEPS = [
    ("run-0001/start.json", False),
    ("run-0001/start.json", True),
    ("models/v2/model.json", False),
    ("models/v2/model.json", True),
    ("approvals/v2/dev/0001.json", True),
    ("deployments/dev/000002.json", False),
    ("deployments/dev/000002.json", True),
    ("deployments/uat/000002.json", True),
    ("deployments/prod/000002.json", False),
    ("deployments/prod/000002.json", True),
    ("outcome.json", False),
]


@pytest.mark.parametrize(("end", "after"), STEPS)
def test_run_again_it_ends_as_if_nothing_had_come_between(
    approved: Loop, tmp_path: Path, end: str, after: bool
) -> None:
    loop = restarted(approved, tmp_path)
    die(loop, end, after)
    again = restarted(loop, tmp_path)
    if (end, after) == STEPS[0]:
        assert newest(again).state is RetrainState.APPROVED  # nothing is on record of a run
        run_retrain(again.target, newest(again), JOB)
    else:
        assert newest(again).state is RetrainState.INTERRUPTED
        assert [each.state for each in settle_interrupted(again.target, "prod", JOB)] == [RetrainState.DONE]
    assert_promoted_once(again)
    assert settle_interrupted(again.target, "prod", JOB) == ()


def test_killed_after_any_audit_entry_it_is_promoted_once(approved: Loop, tmp_path: Path) -> None:
    """One process after the other, each killed one entry later than the one before."""
    for entries in range(100):
        loop = restarted(approved, tmp_path)
        assert isinstance(loop.target.trail, MemoryTrail)
        target = replace(loop.target, trail=DyingTrail(loop.target.trail, entries))
        try:
            run_retrain(target, newest(loop), JOB)
        except Died:
            again = restarted(loop, tmp_path)
            run_retrain(again.target, newest(again), JOB)
            assert_promoted_once(again)
        else:
            assert entries > 10
            return


def test_while_it_is_interrupted_no_other_is_begun_and_the_alert_waits(
    approved: Loop, tmp_path: Path
) -> None:
    loop = restarted(approved, tmp_path)
    die(loop, "models/v2/model.json", after=True)
    assert (newest(loop).over, newest(loop).runnable, newest(loop).fruitless) == (False, True, False)
    with pytest.raises(Refused, match="want one that waits, it is interrupted"):
        answer_retrain(loop.target, newest(loop), True, KIM, "again")


def test_what_is_tried_is_tried_on_when_endpoints_are_put_back(approved: Loop, tmp_path: Path) -> None:
    loop = restarted(approved, tmp_path)
    die(loop, "models/v2/model.json", after=True)
    tried = try_out(loop.target, 2, Tryout("dev", CandidateKind.CANARY, 10), KIM)
    refuse_retrain(loop.target, newest(loop), KIM, "labels are being corrected")
    assert loop.host.tried == {"demo-dev": tried}
    assert open_candidate(loop.store, "dev") == tried


def test_cancelled_it_is_over_on_record_and_final_for_that_firing(approved: Loop, tmp_path: Path) -> None:
    loop = restarted(approved, tmp_path)
    die(loop, "deployments/uat/000002.json")
    assert loop.host.serving == {"demo-dev": 2, "demo-uat": 2, "demo-prod": 1}
    done = refuse_retrain(loop.target, newest(loop), KIM, "labels are being corrected")
    assert done == newest(loop)
    assert done.outcome is not None
    assert (done.state, done.outcome.kind, done.over, done.fruitless) == (
        RetrainState.DONE,
        OutcomeKind.CANCELLED,
        True,
        False,
    )
    assert done.outcome.reason == "labels are being corrected; model v2, which it made, serves in dev"
    assert loop.host.serving == {"demo-dev": 2, "demo-uat": 1, "demo-prod": 1}, "as on record"
    entry = log(loop.target.trail)[-1].event
    assert (entry.action, entry.actor, entry.why) == ("retrain.cancelled", KIM, done.outcome.reason)
    loop.clock.move_to(month_start("2021-01"))
    ask(loop)
    assert retrains(loop.store, "prod")[-1].decision.id == done.decision.id, "the same firing is decided once"
    assert settle_interrupted(loop.target, "prod", JOB) == ()
    with pytest.raises(Refused, match="want one that waits, it is done"):
        refuse_retrain(loop.target, newest(loop), KIM, "again")


def test_what_serves_in_its_environment_cannot_be_cancelled(approved: Loop, tmp_path: Path) -> None:
    loop = restarted(approved, tmp_path)
    die(loop, "outcome.json")
    with pytest.raises(Refused, match=r"its model v2 serves in prod already; `watchkeeper retrain approve"):
        refuse_retrain(loop.target, newest(loop), KIM, "too late")


def test_an_approved_one_that_never_began_can_be_cancelled(approved: Loop, tmp_path: Path) -> None:
    loop = restarted(approved, tmp_path)
    done = refuse_retrain(loop.target, newest(loop), KIM, "after all not")
    assert done.outcome is not None
    assert (done.outcome.kind, done.outcome.reason) == (OutcomeKind.CANCELLED, "after all not")


def test_what_dies_each_time_is_given_up_and_tried_again_by_another_decision(
    approved: Loop, tmp_path: Path
) -> None:
    loop = restarted(approved, tmp_path)
    for number in range(1, MOST_RUNS + 1):
        die(loop, "models/v2/model.json")
        assert [start.number for start in newest(loop).starts] == list(range(1, number + 1))
    (failed,) = settle_interrupted(loop.target, "prod", JOB)
    assert failed.outcome is not None
    assert (failed.outcome.kind, failed.outcome.reason) == (
        OutcomeKind.FAILED,
        "interrupted in each of its 3 runs",
    )
    assert failed.fruitless
    loop.clock.move_to(month_start("2021-01"))
    ask(loop)
    assert retrains(loop.store, "prod")[-1].decision.id != failed.decision.id


def test_one_that_fails_when_run_again_is_over(approved: Loop, tmp_path: Path) -> None:
    loop = restarted(approved, tmp_path)
    die(loop, "deployments/dev/000002.json")
    loop.host.broken = frozenset({2})
    (failed,) = settle_interrupted(loop.target, "prod", JOB)
    assert failed.outcome is not None
    assert failed.outcome.kind is OutcomeKind.FAILED
    assert "it does not load" in failed.outcome.reason
    assert failed.outcome.reason.endswith("model v2, which it made, serves nowhere")


@dataclass(slots=True)
class Unreachable(MemoryEndpointHost):
    """A host that nobody answers for."""

    def flush(self) -> None:
        raise PlatformError("no server runs here", retryable=True)


def test_without_a_server_it_stays_interrupted(approved: Loop, tmp_path: Path) -> None:
    loop = restarted(approved, tmp_path)
    die(loop, "models/v2/model.json", after=True)
    with pytest.raises(PlatformError, match="no server runs here"):
        settle_interrupted(replace(loop.target, host=Unreachable()), "prod", JOB)
    assert newest(loop).state is RetrainState.INTERRUPTED
    assert len(newest(loop).starts) == 1


def test_two_that_take_it_up_at_once_do_not_both_run_it(approved: Loop, tmp_path: Path) -> None:
    loop = restarted(approved, tmp_path)
    seen = newest(loop)
    die(loop, "models/v2/model.json", after=True)
    with pytest.raises(ExistsError, match=r"run-0001/start\.json"):
        run_retrain(loop.target, seen, JOB)

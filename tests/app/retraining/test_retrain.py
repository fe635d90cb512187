"""A retrain is asked for, answered, run against the champion, and the better model serves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest

from tests.app.loop import ANA, KIM, Loop, bring_to_prod, new_loop, quiet, train_in
from tests.app.retraining.market import RATIO, RISEN, ask, risen_market
from tests.training.history import sales
from watchkeeper.adapters.memory.endpoint import MemoryEndpointHost
from watchkeeper.adapters.sources.dataset import Dataset, dataset
from watchkeeper.app.alerts.alerting import evaluate_rules
from watchkeeper.app.alerts.deciding import decide_on, decisions
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.retraining.retrain import RetrainJob, run_retrain
from watchkeeper.app.retraining.retrains import (
    OutcomeKind,
    Retrain,
    RetrainState,
    answer_retrain,
    find_retrain,
    retrains,
)
from watchkeeper.app.setup.audit import log, verify_log
from watchkeeper.core.decisions import DecisionKind
from watchkeeper.core.errors import InputError, PlatformError, Refused
from watchkeeper.core.values import Sample, labels_of
from watchkeeper.core.windows import month_start


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    """A model that serves, and a decision to retrain that waits."""
    loop = new_loop(tmp_path, ('r2: ">= 0.5"', 'r2: ">= 0.2"'))
    train_in(loop)
    bring_to_prod(loop)
    loop.clock.move_to(month_start(RISEN))
    ask(loop)
    return loop


def waiting(loop: Loop) -> Retrain:
    return retrains(loop.store, "prod")[-1]


def run(loop: Loop, retrain: Retrain, rows: Dataset | None = None) -> Retrain:
    return run_retrain(loop.target, retrain, RetrainJob(rows or risen_market(), ANA, quiet))


def approved(loop: Loop) -> Retrain:
    return answer_retrain(loop.target, waiting(loop), True, KIM, "the market has moved")


def test_a_retrain_waits_and_does_not_run_before_its_answer(loop: Loop) -> None:
    assert waiting(loop).state is RetrainState.WAITING
    with pytest.raises(Refused, match="want it approved, it is waiting for approval"):
        run(loop, waiting(loop))
    assert [each.version for each in catalogue(loop.store).versions] == [1]


def test_a_retrain_is_answered_once(loop: Loop) -> None:
    rejected = answer_retrain(loop.target, waiting(loop), False, KIM, "not before the holidays")
    assert (rejected.state, rejected.over) == (RetrainState.REJECTED, True)
    with pytest.raises(Refused, match="want one that waits, it is rejected"):
        approved(loop)
    assert retrains(loop.store, "prod") == (rejected,)
    assert loop.actions()[-1] == "retrain.reject"


def test_the_challenger_that_wins_serves_everywhere_and_both_digests_are_on_record(loop: Loop) -> None:
    done = run(loop, approved(loop))
    assert done.outcome is not None
    gate = done.outcome.gate
    assert gate is not None
    assert (done.outcome.kind, done.outcome.promoted, gate.won) == (OutcomeKind.PROMOTED, 2, True)
    assert (gate.champion, gate.first, gate.last, gate.rows) == (1, "2020-06", "2020-08", 180)
    known = catalogue(loop.store)
    assert loop.host.serving == {"demo-dev": 2, "demo-uat": 2, "demo-prod": 2}
    assert known.version(2).trained_through == "2020-08"
    assert known.version(2).labels_known_in == "2020-09"
    entry = log(loop.target.trail)[-1].event
    assert entry.action == "retrain.promoted"
    assert (entry.before, entry.after) == (
        f"champion v1 {known.version(1).digest}",
        f"challenger {known.version(2).digest}",
    )
    assert "RMSE" in entry.why
    assert retrains(loop.store, "prod") == (done,)
    assert verify_log(loop.target.trail).verified


@pytest.mark.parametrize(
    ("learned", "first", "rows"),
    [("2020-07", "2020-08", 60), ("2020-06", "2020-08", 60), ("2020-05", "2020-07", 120)],
)
def test_the_gate_is_shorter_where_a_challenger_would_know_less_than_the_champion(
    loop: Loop, learned: str, first: str, rows: int
) -> None:
    """Labels are known through 2020-08."""
    known = catalogue(loop.store).version(1)
    loop.store.write("models/v1/model.json", loop.store.read("models/v1/model.json").replace(
        b'"trained_through": "2020-03"', f'"trained_through": "{learned}"'.encode()))  # fmt: skip
    assert catalogue(loop.store).version(1) == replace(known, trained_through=learned)
    done = run(loop, approved(loop))
    assert done.outcome is not None
    assert done.outcome.gate is not None
    assert (done.outcome.gate.first, done.outcome.gate.last, done.outcome.gate.rows) == (
        first,
        "2020-08",
        rows,
    )


def test_without_a_new_label_the_champion_is_kept(loop: Loop) -> None:
    done = run(loop, approved(loop), dataset(sales("2018-01", "2020-03"), "file", "nothing new"))
    assert done.outcome is not None
    assert done.outcome.kind is OutcomeKind.CHAMPION_KEPT
    assert done.outcome.reason == "no label is known of a month after 2020-03, which the champion has seen"
    assert done.fruitless
    assert [each.version for each in catalogue(loop.store).versions] == [1]


def test_in_a_market_that_did_not_move_a_draw_or_worse_keeps_the_champion(loop: Loop) -> None:
    done = run(loop, approved(loop), dataset(sales("2018-01", "2020-12"), "file", "a calm market"))
    assert done.outcome is not None
    assert done.outcome.gate is not None
    assert done.outcome.kind is (OutcomeKind.PROMOTED if done.outcome.gate.won else OutcomeKind.CHAMPION_KEPT)
    assert (loop.host.serving["demo-prod"] == 2) is done.outcome.gate.won


def test_a_model_that_misses_its_thresholds_is_not_accepted(loop: Loop) -> None:
    noise = sales("2018-01", "2020-12").with_columns(pl.col("price").shuffle(seed=1))
    done = run(loop, approved(loop), dataset(noise, "file", "noise"))
    assert done.outcome is not None
    assert done.outcome.kind is OutcomeKind.NOT_ACCEPTED
    assert done.outcome.reason.startswith("want r2 >= 0.2, got ")
    assert loop.host.serving["demo-prod"] == 1


def test_a_retrain_that_fails_is_over_and_the_champion_serves_on(loop: Loop) -> None:
    loop.host.broken = frozenset({2})
    with pytest.raises(PlatformError, match="it does not load"):
        run(loop, approved(loop))
    failed = waiting(loop)
    assert failed.outcome is not None
    assert (failed.outcome.kind, failed.over) == (OutcomeKind.FAILED, True)
    assert "it does not load" in failed.outcome.reason
    assert loop.host.serving["demo-prod"] == 1
    assert loop.actions()[-1] == "retrain.failed"


@dataclass(slots=True)
class Unreachable(MemoryEndpointHost):
    """A host that nobody answers for."""

    def flush(self) -> None:
        raise PlatformError("no server runs here", retryable=True)


def test_without_a_server_nothing_is_begun_and_it_can_be_run_later(loop: Loop) -> None:
    said = approved(loop)
    alone = replace(loop.target, host=Unreachable())
    with pytest.raises(PlatformError, match="no server runs here"):
        run_retrain(alone, said, RetrainJob(risen_market(), ANA, quiet))
    assert waiting(loop).state is RetrainState.APPROVED
    assert loop.actions()[-1] == "retrain.approve"
    assert run(loop, said).over


def test_a_retrain_that_is_not_over_freezes_the_next(loop: Loop) -> None:
    labels = labels_of(project="demo", environment="prod", endpoint="demo-prod", model_version="2")
    sample = Sample(RATIO, labels, 1.9, loop.clock.now())
    (skipped,) = decide_on(loop.target, "prod", evaluate_rules(loop.target, "prod", [sample]).open)
    assert skipped.kind is DecisionKind.SKIP
    assert skipped.reasons[1] == f"retrain {waiting(loop).decision.id} is not over yet"
    assert len(decisions(loop.store, "prod")) == 2


def test_a_retrain_is_found_by_the_beginning_of_its_id(loop: Loop) -> None:
    identity = waiting(loop).decision.id
    assert find_retrain(loop.store, "prod", identity[:6]).decision.id == identity
    with pytest.raises(InputError, match=f"want one, got 0; not over are {identity}"):
        find_retrain(loop.store, "prod", "zzz")

"""An approval that comes too late, and a retrain in a freeze: nothing is done, and the record says why."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.app.loop import ANA, Loop, bring_to_prod, new_loop, quiet, train_in
from tests.app.retraining.market import RISEN, ask, risen_market
from watchkeeper.app.retraining.retrain import RetrainJob, run_retrain
from watchkeeper.app.retraining.retrains import RetrainState, answer_retrain, retrains
from watchkeeper.app.setup.audit import log
from watchkeeper.core.decisions import DecisionKind
from watchkeeper.core.errors import Refused
from watchkeeper.core.windows import month_start

PLAIN = "notifications: {group_wait: 0s, group_interval: 1m}\n"


def asked(folder: Path, policy: str) -> Loop:
    loop = new_loop(folder, (PLAIN, f"{PLAIN}retrain: {policy}\n"))
    train_in(loop)
    bring_to_prod(loop)
    loop.clock.move_to(month_start(RISEN))
    ask(loop)
    return loop


def test_an_approval_that_nobody_gave_in_time_ends_the_retrain_and_the_firing_may_ask_again(
    tmp_path: Path,
) -> None:
    loop = asked(tmp_path, "{approval_expires: 2 days, cooldown: 1 day}")
    (waiting,) = retrains(loop.store, "prod")
    loop.clock.move_to(loop.clock.now() + timedelta(days=2))
    with pytest.raises(Refused, match="expired, nobody answered from"):
        answer_retrain(loop.target, waiting, True, ANA, "late")
    (ended,) = retrains(loop.store, "prod")
    assert (ended.state, ended.answer) == (RetrainState.DONE, None)
    ask(loop)
    assert [each.state for each in retrains(loop.store, "prod")] == [RetrainState.DONE, RetrainState.WAITING]


def test_the_next_evaluation_ends_what_waited_too_long(tmp_path: Path) -> None:
    loop = asked(tmp_path, "{approval_expires: 2 days, cooldown: 30 days}")
    loop.clock.move_to(loop.clock.now() + timedelta(days=2, seconds=-1))
    ask(loop)
    assert retrains(loop.store, "prod")[0].state is RetrainState.WAITING
    loop.clock.move_to(loop.clock.now() + timedelta(seconds=1))
    ask(loop)
    assert retrains(loop.store, "prod")[0].outcome_reason.startswith("expired, nobody answered")
    assert [entry.event.action for entry in log(loop.target.trail)].count("retrain.expired") == 1


def test_in_a_freeze_nothing_is_approved_and_what_was_approved_does_not_begin(tmp_path: Path) -> None:
    freeze = "{freeze: [{from: 2020-10-02, until: 2020-10-05, why: release week}]}"
    loop = asked(tmp_path, freeze)  # on 1 October
    (waiting,) = retrains(loop.store, "prod")
    approved = answer_retrain(loop.target, waiting, True, ANA, "go")
    loop.clock.move_to(month_start(RISEN) + timedelta(days=1))
    with pytest.raises(Refused, match="frozen until 2020-10-05T00:00:00Z: release week"):
        run_retrain(loop.target, approved, RetrainJob(risen_market(), ANA, quiet))
    with pytest.raises(Refused, match="release week"):
        answer_retrain(loop.target, waiting, True, ANA, "go")
    assert retrains(loop.store, "prod")[0].state is RetrainState.APPROVED
    loop.clock.move_to(month_start(RISEN) + timedelta(days=4))
    done = run_retrain(loop.target, approved, RetrainJob(risen_market(), ANA, quiet))
    assert done.state is RetrainState.DONE


def test_a_firing_in_a_freeze_is_skipped_with_the_reason(tmp_path: Path) -> None:
    loop = asked(tmp_path, '{freeze: [{schedule: "0 0 1 * *", for: 2 days, why: month end}]}')
    assert retrains(loop.store, "prod") == ()
    (said,) = [entry for entry in log(loop.target.trail) if entry.event.action.startswith("decision.")]
    assert said.event.action == f"decision.{DecisionKind.SKIP.lower()}"
    assert "frozen until 2020-10-03T00:00:00Z: month end" in said.event.why

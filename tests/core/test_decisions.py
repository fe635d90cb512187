"""Deciding twice gives one decision; cooldown and rate limit hold back with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from watchkeeper.core.cron import Cron
from watchkeeper.core.decisions import (
    ApprovalNeed,
    Decision,
    DecisionKind,
    Freeze,
    Past,
    RetrainPolicy,
    decide,
)
from watchkeeper.core.rules import Action, Alert, AlertState, Severity
from watchkeeper.core.windows import Duration

START = datetime(2020, 3, 1, tzinfo=UTC)
POLICY = RetrainPolicy(ApprovalNeed.REQUIRED, Duration.parse("7 days"), 2, Duration.parse("30 days"))


def alert(fired: datetime = START, action: Action = Action.RETRAIN) -> Alert:
    return Alert(
        name="ModelQualityDegraded",
        fingerprint="f00d",
        labels=(),
        state=AlertState.FIRING,
        severity=Severity.CRITICAL,
        action=action,
        notify=("mlops",),
        summary="rmse is 1.4, above 1.25",
        value=1.4,
        active_at=fired,
        fired_at=fired,
    )


def made(fired: datetime, past: tuple[Decision, ...] = (), policy: RetrainPolicy = POLICY) -> Decision:
    decision = decide(alert(fired), Past(past), policy, fired, "prod")
    assert decision is not None
    return decision


def test_a_firing_alert_is_decided_on_once() -> None:
    first = made(START)
    assert (first.kind, first.needs_approval) == (DecisionKind.RETRAIN, True)
    assert decide(alert(), Past((first,)), POLICY, START + timedelta(days=9), "prod") is None


def test_one_alert_in_two_environments_is_two_decisions() -> None:
    other = decide(alert(), Past(), POLICY, START, "dev")
    assert other is not None
    assert other.id != made(START).id


def test_pending_and_resolved_alerts_are_not_decided_on() -> None:
    for state in (AlertState.PENDING, AlertState.RESOLVED):
        assert decide(replace(alert(), state=state), Past(), POLICY, START, "prod") is None


def test_a_cooldown_holds_back_to_the_second() -> None:
    first = made(START)
    early = made(START + timedelta(days=7, seconds=-1), (first,))
    assert early.kind is DecisionKind.SKIP
    assert "cooling down until 2020-03-08T00:00:00Z" in early.reasons[1]
    assert not early.needs_approval
    assert made(START + timedelta(days=7), (first,)).kind is DecisionKind.RETRAIN


def test_a_rate_limit_holds_back() -> None:
    first = made(START)
    second = made(START + timedelta(days=8), (first,))
    third = made(START + timedelta(days=16), (first, second))
    assert third.kind is DecisionKind.SKIP
    assert third.reasons[1] == "2 retrains within 30 days, at most 2 are allowed"
    assert made(START + timedelta(days=31), (first, second, third)).kind is DecisionKind.RETRAIN


def test_other_actions_are_not_held_back() -> None:
    review = decide(alert(action=Action.REVIEW), Past((made(START),)), POLICY, START, "prod")
    assert review is None or review.kind is DecisionKind.REVIEW
    fresh = decide(
        alert(START + timedelta(hours=1), Action.NOTIFY), Past((made(START),)), POLICY, START, "prod"
    )
    assert fresh is not None
    assert fresh.kind is DecisionKind.NOTIFY


def test_a_skipped_firing_is_decided_on_again_when_nothing_holds_it_back() -> None:
    first = made(START)
    firing = alert(START + timedelta(days=3))
    skipped = decide(firing, Past((first,)), POLICY, START + timedelta(days=3), "prod")
    assert skipped is not None
    assert skipped.kind is DecisionKind.SKIP
    assert decide(firing, Past((first, skipped)), POLICY, START + timedelta(days=6), "prod") is None
    again = decide(firing, Past((first, skipped)), POLICY, START + timedelta(days=7), "prod")
    assert again is not None
    assert again.kind is DecisionKind.RETRAIN
    assert again.id != skipped.id


def test_a_retrain_that_is_not_over_freezes_the_next() -> None:
    frozen = decide(alert(), Past(under_way=("0123",)), POLICY, START, "prod")
    assert frozen is not None
    assert (frozen.kind, frozen.reasons[1]) == (DecisionKind.SKIP, "retrain 0123 is not over yet")


def test_a_fruitless_retrain_is_tried_again_after_the_cooldown() -> None:
    first = made(START)
    past = Past((first,), fruitless=(first.id,))
    assert decide(alert(), past, POLICY, START + timedelta(days=6), "prod") is None
    again = decide(alert(), past, POLICY, START + timedelta(days=8), "prod")
    assert again is not None
    assert (again.kind, again.id != first.id) == (DecisionKind.RETRAIN, True)


def test_a_freeze_holds_back_until_it_ends() -> None:
    policy = replace(POLICY, freezes=(Freeze("year end", START, START + timedelta(days=3)),))
    held = made(START, policy=policy)
    assert (held.kind, held.reasons[1]) == (DecisionKind.SKIP, "frozen until 2020-03-04T00:00:00Z: year end")
    assert decide(alert(), Past((held,)), policy, START + timedelta(days=3, seconds=-1), "prod") is None
    after = decide(alert(), Past((held,)), policy, START + timedelta(days=3), "prod")
    assert after is not None
    assert after.kind is DecisionKind.RETRAIN


def test_a_freeze_comes_back_with_its_schedule() -> None:
    weekend = Freeze("weekend", schedule=Cron.parse("0 18 * * 5"), lasting=Duration.parse("54 hours"))
    friday = datetime(2020, 3, 6, 18, tzinfo=UTC)
    assert weekend.until(friday - timedelta(seconds=1)) is None
    assert weekend.until(friday) == friday + timedelta(hours=54)
    assert weekend.until(friday + timedelta(hours=54)) is None
    assert weekend.until(friday + timedelta(days=8)) == friday + timedelta(days=7, hours=54)


def test_a_wish_that_the_policy_does_not_follow_goes_to_a_person() -> None:
    policy = replace(POLICY, when={"severity": ["critical"], "environment": [{"anything-but": "dev"}]})
    assert made(START, policy=policy).kind is DecisionKind.RETRAIN
    in_dev = decide(alert(), Past(), policy, START, "dev")
    assert in_dev is not None
    assert (in_dev.kind, in_dev.needs_approval) == (DecisionKind.REVIEW, False)
    assert "none of those that retrain.when follows" in in_dev.reasons[1]
    review = decide(alert(action=Action.REVIEW), Past(), policy, START, "dev")
    assert review is not None
    assert len(review.reasons) == 1


def test_what_waits_for_a_person_waits_for_so_long() -> None:
    policy = replace(POLICY, expires=Duration.parse("2 days"))
    waiting = made(START, policy=policy)
    assert waiting.expires_at == START + timedelta(days=2)
    assert not waiting.expired(START + timedelta(days=2, seconds=-1))
    assert waiting.expired(START + timedelta(days=2))
    assert made(START, policy=replace(policy, approval=ApprovalNeed.NONE)).expires_at is None

"""Canaries and shadows: what may be tried where, and what is on record of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.loop import ANA, KIM, Loop, new_loop, registered
from tests.serving.running import Running, running
from tests.serving.trials import load
from watchkeeper.adapters.local.endpoint import LocalEndpointHost
from watchkeeper.app.endpoints.serving import record_withdrawal
from watchkeeper.app.registry.candidates import open_candidate
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.models import Tryout, promote, statuses, try_out, withdraw
from watchkeeper.app.setup.audit import log
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import PlatformError, Refused
from watchkeeper.core.values import Candidate, CandidateKind, RunningServer, TrialOutcome
from watchkeeper.serving.settings import EndpointSettings, ServerSettings

CANARY = Tryout("dev", CandidateKind.CANARY, 10)


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    """Two versions, the first serving in dev."""
    made = registered(new_loop(tmp_path / "ws"), 1, 2, 3)
    promote(made.target, 1, "dev", ANA)
    return made


def test_a_canary_is_tried_promoted_and_on_record(loop: Loop) -> None:
    tried = try_out(loop.target, 2, CANARY, ANA)
    assert loop.host.tried["demo-dev"] == tried == open_candidate(loop.store, "dev")
    assert (tried.weight, tried.limits.errors) == (10, 0.05)
    assert [each.tried_in for each in statuses(loop.target.project, loop.store)] == [(), ("dev",), ()]
    assert catalogue(loop.store).served(2, "dev") is False, "a trial is no service"
    promote(loop.target, 2, "dev", KIM)
    assert open_candidate(loop.store, "dev") is None
    assert loop.host.tried == {}
    assert loop.actions()[-4:] == [
        "endpoint.canary",
        "endpoint.promote",
        "endpoint.serving",
        "endpoint.canary-promoted",
    ]
    last = log(loop.target.trail)[-1].event
    assert (last.before, last.why, last.actor) == (
        "model v2 as a canary for 10%",
        "model v2 serves all requests",
        KIM,
    )


def test_another_promotion_replaces_what_is_tried(loop: Loop) -> None:
    try_out(loop.target, 2, CANARY, ANA)
    promote(loop.target, 3, "dev", ANA)
    assert loop.actions()[-1] == f"endpoint.canary-{TrialOutcome.REPLACED}"


def test_a_trial_is_withdrawn_with_a_reason_and_numbers_count_up(loop: Loop) -> None:
    try_out(loop.target, 2, replace(CANARY, kind=CandidateKind.SHADOW, weight=0), ANA)
    with pytest.raises(
        Refused, match="model v2 as a shadow is tried there; promote it, or run `watchkeeper models"
    ):
        try_out(loop.target, 3, CANARY, ANA)
    ended = withdraw(loop.target, "dev", KIM, "wrong on new flats")
    assert (ended.outcome, loop.host.tried) == (TrialOutcome.WITHDRAWN, {})
    assert log(loop.target.trail)[-1].event.why == "wrong on new flats"
    with pytest.raises(Refused, match="no version is tried there"):
        withdraw(loop.target, "dev", KIM, "again")
    assert try_out(loop.target, 3, CANARY, ANA).number == 2


def test_what_may_not_be_promoted_may_not_be_tried(loop: Loop) -> None:
    with pytest.raises(Refused, match="it serves there already"):
        try_out(loop.target, 1, CANARY, ANA)
    with pytest.raises(Refused, match="want it to have served in dev first"):
        try_out(loop.target, 2, replace(CANARY, environment="uat"), ANA)
    with pytest.raises(Refused, match="nothing serves there yet to try it beside"):
        try_out(loop.target, 1, replace(CANARY, environment="uat"), ANA)


def test_one_that_does_not_load_is_not_tried(loop: Loop) -> None:
    loop.host.broken = frozenset({2})
    with pytest.raises(PlatformError, match="it does not load"):
        try_out(loop.target, 2, CANARY, ANA)
    assert open_candidate(loop.store, "dev") is None
    assert loop.actions()[-2:] == ["endpoint.canary", "endpoint.canary-failed"]


@contextlib.contextmanager
def served(target: Target, folder: Path) -> Iterator[tuple[Target, Running]]:
    """Our server for dev, with the hooks it has in earnest, and the target that finds it by its run file."""
    settings = ServerSettings("demo", folder, (EndpointSettings("demo-dev", "dev"),), port=0)

    def told(candidate: Candidate, why: str) -> None:
        record_withdrawal(target.store, target.trail, candidate, why)

    with running(settings, load, withdrawn=told) as server:
        run_file = folder / "server.json"
        port = int(server.client.base_url.port or 0)
        run_file.write_bytes(encode(RunningServer(1, port, server.server.seat.token)))
        yield replace(target, host=LocalEndpointHost(run_file)), server


def test_a_failing_canary_is_withdrawn_by_itself_and_the_log_says_why(loop: Loop, tmp_path: Path) -> None:
    """Version 3 fails a fifth of its requests."""
    with served(loop.target, tmp_path) as (target, server):
        try_out(target, 3, replace(CANARY, weight=50), ANA)
        codes = [
            server.client.post(
                "/endpoints/demo-dev/invocations",
                content=f"T{number % 5},2",
                headers={"content-type": "text/csv"},
            ).status_code
            for number in range(150)
        ]
    assert codes.count(424) == 6
    assert set(codes[-40:]) == {200}
    assert open_candidate(loop.store, "dev") is None
    entry = log(loop.target.trail)[-1].event
    assert (entry.action, entry.subject, str(entry.actor)) == (
        "endpoint.canary-withdrawn",
        "demo-dev",
        "endpoint-server (service)",
    )
    assert entry.before == "model v3 as a canary for 50%"
    assert "requests failed, and at most 5 of 100 may (5%)" in entry.why

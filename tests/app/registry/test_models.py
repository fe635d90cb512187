"""The registry: what may serve where, who may say so, and what is on record of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.app.loop import ANA, KIM, Loop, bring_to_prod, new_loop, registered
from watchkeeper.app.registry.catalogue import artefact_prefix, catalogue
from watchkeeper.app.registry.models import approve, promote, reject, rollback, status, statuses
from watchkeeper.app.setup.audit import log, verify_log
from watchkeeper.app.setup.project import FILE
from watchkeeper.core.errors import InputError, PlatformError, Refused
from watchkeeper.core.values import ApprovalStatus, Candidate, Deployment, Sample


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return registered(new_loop(tmp_path / "ws"), 1)


def test_a_version_goes_from_dev_over_uat_to_prod(loop: Loop) -> None:
    for environment in ("dev", "uat"):
        promote(loop.target, 1, environment, ANA)
    approve(loop.target, 1, "prod", KIM, "good figures")
    deployed = promote(loop.target, 1, "prod", ANA)
    assert (deployed.endpoint, deployed.number, deployed.previous) == ("demo-prod", 1, None)
    assert loop.host.serving == {"demo-dev": 1, "demo-uat": 1, "demo-prod": 1}
    standing = status(loop.target.project, loop.store, 1)
    assert standing.serving_in == ("dev", "uat", "prod")
    assert standing.approvals == {
        "dev": ApprovalStatus.PENDING,
        "uat": ApprovalStatus.PENDING,
        "prod": ApprovalStatus.APPROVED,
    }
    assert (standing,) == statuses(loop.target.project, loop.store)
    assert loop.tracker.aliases == {"dev": 1, "uat": 1, "prod": 1}
    assert loop.tracker.tags[1]["approval.prod"] == "Approved"
    assert verify_log(loop.target.trail).verified


def test_the_artefact_and_the_project_file_lie_beside_the_version(loop: Loop) -> None:
    names = [key.removeprefix(artefact_prefix(1)) for key in loop.store.list(artefact_prefix(1))]
    assert names == ["booster.ubj", "encoder.json", "example.json", "manifest.json", "schema.json"]
    assert loop.store.read(f"models/v1/{FILE}").decode() == loop.target.project.text


def test_an_unknown_version_and_an_unknown_environment_are_told(loop: Loop) -> None:
    with pytest.raises(InputError, match=r"find model version 7: want a registered one \(1\)"):
        promote(loop.target, 7, "dev", ANA)
    with pytest.raises(InputError, match='unknown environment "prd"; did you mean "prod"'):
        approve(loop.target, 1, "prd", KIM, "")
    with pytest.raises(InputError, match='unknown environment "stage"'):
        rollback(loop.target, "stage", ANA)
    assert loop.actions() == ["model.register"]


def test_prod_wants_an_approval(loop: Loop) -> None:
    for environment in ("dev", "uat"):
        promote(loop.target, 1, environment, ANA)
    with pytest.raises(Refused, match="want it Approved there, it is PendingManualApproval"):
        promote(loop.target, 1, "prod", ANA)
    assert "demo-prod" not in loop.host.serving


def test_who_registered_a_version_does_not_approve_it_for_prod(loop: Loop) -> None:
    with pytest.raises(Refused, match=r"want another person than ana \(os-user\)"):
        approve(loop.target, 1, "prod", ANA, "I like it")
    assert catalogue(loop.store).status(1, "prod") is ApprovalStatus.PENDING
    assert approve(loop.target, 1, "dev", ANA, "").actor == ANA, "dev asks for no second person"


def test_the_project_file_may_allow_it(tmp_path: Path) -> None:
    change = ("{approval: required}", "{approval: required, self_approval: true}")
    loop = registered(new_loop(tmp_path, change), 1)
    assert approve(loop.target, 1, "prod", ANA, "alone here").status is ApprovalStatus.APPROVED


def test_no_environment_is_skipped(loop: Loop) -> None:
    approve(loop.target, 1, "prod", KIM, "")
    with pytest.raises(Refused, match="want it to have served in uat first"):
        promote(loop.target, 1, "prod", ANA)
    with pytest.raises(Refused, match="promote 1 --to dev"):
        promote(loop.target, 1, "uat", ANA)


def test_a_rejected_version_is_not_served_and_may_be_approved_later(loop: Loop) -> None:
    reject(loop.target, 1, "dev", KIM, "wrong data")
    with pytest.raises(Refused, match="it was rejected there"):
        promote(loop.target, 1, "dev", ANA)
    approve(loop.target, 1, "dev", KIM, "right data after all")
    assert promote(loop.target, 1, "dev", ANA).version == 1


def test_what_serves_already_is_not_deployed_again(loop: Loop) -> None:
    promote(loop.target, 1, "dev", ANA)
    with pytest.raises(Refused, match="it serves there already, since 2020-05-01"):
        promote(loop.target, 1, "dev", ANA)
    assert len(catalogue(loop.store).deployments) == 1


def test_a_rollback_serves_the_one_before_and_is_a_deployment_of_its_own(loop: Loop) -> None:
    registered(loop, 2)
    for version in (1, 2):
        promote(loop.target, version, "dev", ANA)
    back = rollback(loop.target, "dev", KIM)
    assert (back.number, back.version, back.previous, back.kind) == (3, 1, 2, "rollback")
    assert loop.host.serving["demo-dev"] == 1
    assert [d.version for d in catalogue(loop.store).deployments] == [1, 2, 1]
    assert loop.actions()[-2:] == ["endpoint.rollback", "endpoint.serving"]


def test_without_anything_before_there_is_no_rollback(loop: Loop) -> None:
    with pytest.raises(Refused, match="it has served no other version before"):
        rollback(loop.target, "dev", ANA)
    promote(loop.target, 1, "dev", ANA)
    with pytest.raises(Refused, match="it has served no other version before"):
        rollback(loop.target, "dev", ANA)


def test_a_version_rejected_since_is_not_rolled_back_to(loop: Loop) -> None:
    registered(loop, 2)
    for version in (1, 2):
        promote(loop.target, version, "dev", ANA)
    reject(loop.target, 1, "dev", KIM, "it leaks")
    with pytest.raises(Refused, match="model v1, served before, was rejected there"):
        rollback(loop.target, "dev", ANA)
    assert loop.host.serving["demo-dev"] == 2


def test_a_deployment_that_fails_leaves_the_old_one_and_its_traces(loop: Loop) -> None:
    registered(loop, 2)
    promote(loop.target, 1, "dev", ANA)
    loop.host.broken = frozenset({2})
    with pytest.raises(PlatformError, match="it does not load"):
        promote(loop.target, 2, "dev", ANA)
    serving = catalogue(loop.store).serving("dev")
    assert serving is not None
    assert (loop.host.serving["demo-dev"], serving.version, serving.number) == (1, 1, 1)
    begun, failed = [entry.event for entry in log(loop.target.trail)][-2:]
    assert (begun.action, begun.after) == (
        "endpoint.promote",
        f"model v2 {catalogue(loop.store).version(2).digest}",
    )
    assert (failed.action, failed.after) == ("endpoint.promote-failed", "model v1")
    assert "it does not load" in failed.why


@dataclass(slots=True)
class WatchingHost:
    """Endpoints that look into the log when they are told to deploy."""

    loop: Loop
    seen: list[list[str]] = field(default_factory=list)

    def deploy(self, deployment: Deployment) -> None:
        self.seen.append([deployment.endpoint, *self.loop.actions()])

    def try_out(self, candidate: Candidate) -> None:
        self.seen.append([candidate.endpoint, *self.loop.actions()])

    def withdraw(self, candidate: Candidate) -> None:
        """Nothing is tried."""

    def flush(self) -> None:
        """Nothing is held back."""

    def samples(self) -> Sequence[Sample]:
        return ()


def test_what_is_done_is_on_record_before_it_is_done(loop: Loop) -> None:
    host = WatchingHost(loop)
    promote(replace(loop.target, host=host), 1, "dev", ANA)
    assert host.seen == [["demo-dev", "model.register", "endpoint.promote"]]


def test_the_log_tells_the_whole_way(loop: Loop) -> None:
    bring_to_prod(loop)
    deployed = ["model.approve", "endpoint.promote", "endpoint.serving"]
    assert loop.actions() == ["model.register", *deployed * 3]
    said = [entry.event for entry in log(loop.target.trail) if entry.event.action == "model.approve"][-1]
    assert (said.before, said.after, said.why) == ("PendingManualApproval", "Approved", "good figures")
    assert (said.actor, said.subject) == (KIM, "model v1 for prod")


def test_versions_that_the_tracker_missed_are_caught_up(loop: Loop) -> None:
    loop.tracker.tags.clear()
    registered(loop, 2)
    assert sorted(loop.tracker.tags) == [1, 2]

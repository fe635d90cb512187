"""`watchkeeper retrain` on a workspace whose alert asked for one."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.loop import KIM
from tests.cli.conftest import Said
from tests.cli.workspaces import after_a_bad_month
from watchkeeper.adapters.local.lock import alone
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.retraining.retrain import RETRAINER
from watchkeeper.app.retraining.retrains import answer_retrain, retrains, start_retrain
from watchkeeper.app.setup.audit import verify_log
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import open_target
from watchkeeper.app.setup.workspace import LOCK, open_workspace
from watchkeeper.core.encoding import encode

Cli = Callable[..., Said]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    after_a_bad_month(tmp_path)
    return tmp_path


def test_a_waiting_retrain_is_listed_with_its_reason(cli: Cli, workspace: Path) -> None:
    said = cli("retrain", "list", "--workspace", workspace)
    assert said.code == 0
    assert "waiting for approval" in said.out
    assert "watchkeeper_model_quality_rmse_baseline_ratio is" in said.out
    as_json = json.loads(cli("retrain", "list", "--workspace", workspace, "--json").out)
    held = retrains(FolderStore(workspace), "prod")
    assert as_json[-1] == {"environment": "prod", "retrains": json.loads(encode(held))}


def test_a_rejected_retrain_is_over_and_on_record(cli: Cli, workspace: Path) -> None:
    (waiting,) = retrains(FolderStore(workspace), "prod")
    options = ("--for", "prod", "--workspace", workspace)
    said = cli("retrain", "reject", waiting.decision.id[:6], *options, "--why", "the month was odd")
    assert (said.code, said.out) == (0, f"retrain {waiting.decision.id} is rejected\n")
    again = cli("retrain", "reject", waiting.decision.id, *options, "--why", "again")
    assert (again.code, "want one that waits, it is rejected" in again.err) == (1, True)
    nothing = cli("retrain", "approve", "0000", *options)
    assert (nothing.code, 'find retrain "0000" in prod: want one, got 0' in nothing.err) == (2, True)
    assert verify_log(open_workspace(workspace).trail).verified


def interrupt(workspace: Path) -> str:
    """Leave what a process leaves that died in the middle of a retrain; its id."""
    target = open_target(load_project(workspace), workspace)
    (waiting,) = retrains(target.store, "prod")
    said = answer_retrain(target, waiting, True, KIM, "the market has moved")
    start_retrain(target, said, RETRAINER, catalogue(target.store).version(1))
    return said.decision.id


def test_an_interrupted_retrain_is_listed_and_cancelled(cli: Cli, workspace: Path) -> None:
    identity = interrupt(workspace)
    listed = cli("retrain", "list", "--workspace", workspace)
    assert f"{identity}  2020-07-01 00:00  interrupted  " in listed.out
    options = ("--for", "prod", "--workspace", workspace, "--why", "labels are being corrected")
    said = cli("retrain", "reject", identity, *options)
    assert (
        said.code,
        said.out.startswith(f"retrain {identity} is cancelled: labels are being corrected"),
    ) == (
        0,
        True,
    )
    assert "cancelled: labels are being corrected" in cli("retrain", "list", "--workspace", workspace).out
    assert verify_log(open_workspace(workspace).trail).verified


def test_what_another_process_is_running_is_said_to_run_and_left_alone(cli: Cli, workspace: Path) -> None:
    identity = interrupt(workspace)
    with alone(workspace / LOCK, "hold the workspace"):
        assert (
            f"{identity}  2020-07-01 00:00  running  " in cli("retrain", "list", "--workspace", workspace).out
        )
        refused = cli("retrain", "reject", identity, "--for", "prod", "--workspace", workspace, "--why", "no")
    assert (refused.code, "another process is at work there" in refused.err) == (3, True)
    assert not retrains(FolderStore(workspace), "prod")[0].over


def test_a_server_that_starts_mentions_the_open_retrains(cli: Cli, workspace: Path) -> None:
    identity = interrupt(workspace)
    with socket.create_server(("127.0.0.1", 0)) as taken:  # so that the server ends at once
        said = cli("up", "--workspace", workspace, "--port", taken.getsockname()[1], "--no-watch")
        watched = cli("up", "--workspace", workspace, "--port", taken.getsockname()[1])
    assert said.code == 3
    assert (
        f"retrain {identity} for prod is interrupted: the watch runs it, `watchkeeper retrain reject"
    ) in watched.err
    assert (
        f"retrain {identity} for prod is interrupted: "
        f"`watchkeeper retrain approve {identity} --for prod` runs it, "
        f"`watchkeeper retrain reject {identity} --for prod --why TEXT` cancels it\n"
    ) in said.err

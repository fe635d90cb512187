"""`watchkeeper retrain` on a workspace whose alert asked for one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Said
from tests.cli.workspaces import after_a_bad_month
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.audit import verify_log
from watchkeeper.app.retrains import retrains
from watchkeeper.app.workspace import open_workspace
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

"""The commands on AWS as people type them, and a deployment that is killed again and again."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.aws.doubles import Doubles
from tests.aws.projects import project_on_aws, push_images
from tests.training.history import sales
from watchkeeper.app.aws.landscape import Landscape

KILLS = 10 if os.environ.get("WATCHKEEPER_SOAK") else 2


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    project_on_aws(tmp_path)
    return tmp_path


def command(workspace: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "watchkeeper", *words, "--workspace", str(workspace)]


def run(workspace: Path, doubles: Doubles, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **doubles.environment}
    return subprocess.run(
        command(workspace, *words), env=environment, capture_output=True, text=True, check=False
    )


def answer(workspace: Path, doubles: Doubles, *words: str) -> Any:
    done = run(workspace, doubles, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_plan_is_words_and_figures(workspace: Path, doubles: Doubles) -> None:
    done = run(workspace, doubles, "aws", "plan", "--requests", "24000")
    assert done.returncode == 0, done.stderr
    assert "watchkeeper-demo-central-foundation: a new stack" in done.stdout
    assert "make ArtefactBucket (AWS::S3::Bucket)" in done.stdout
    assert "watchkeeper-demo-prod-endpoint: waiting for an approved model in prod" in done.stdout
    assert "days old: look them up before you rely on them" in done.stdout
    assert "com.amazonaws.ap-southeast-1.sagemaker.api" in done.stdout
    assert doubles.formation.stacks == {}
    found = answer(workspace, doubles, "aws", "plan", "--env", "dev")
    assert [each["stack"] for each in found["layers"]] == [
        f"watchkeeper-demo-dev-{name}"
        for name in ("foundation", "roles", "alerting", "alarms", "endpoint", "monitors")
    ]
    kinds = {each["kind"]: each["quantity"] for each in found["cost"]["costs"]}
    assert (kinds["kms-keys"], kinds["endpoint-hours/ml.m5.large"]) == (4, 3 * 730)
    assert kinds["vpc-endpoint-hours"] == 10 * 2 * 730
    assert "iam:CreateRole" in found["permissions"]


@pytest.mark.soak
def test_a_deployment_that_is_killed_again_and_again_comes_to_the_same_end(
    workspace: Path, doubles: Doubles
) -> None:
    doubles.formation.pause = 0.05
    rng = random.Random(9)
    for _ in range(KILLS):
        process = subprocess.Popen(
            command(workspace, "aws", "deploy", "--json"),
            env={**os.environ, **doubles.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(rng.uniform(1.5, 6))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    done = run(workspace, doubles, "aws", "deploy")
    assert done.returncode == 0, done.stderr
    assert "waiting for an approved model in dev" in done.stdout
    held = {name: stack.status for name, stack in doubles.formation.stacks.items()}
    assert len(held) == 7 + 3 * 4
    assert set(held.values()) == {"CREATE_COMPLETE"}
    found = answer(workspace, doubles, "aws", "plan")
    assert not any(each["changes"] and each["changes"]["changes"] for each in found["layers"])
    assert len(doubles.client("s3").list_buckets()["Buckets"]) == 5


def test_from_an_empty_account_to_a_started_pipeline_and_back(workspace: Path, doubles: Doubles) -> None:
    here = ("--central", "--env", "dev")
    assert run(workspace, doubles, "aws", "deploy", *here).returncode == 0
    refused = run(workspace, doubles, "train", "--target", "aws")
    assert (refused.returncode, "waiting for images" in refused.stderr) == (1, True)
    push_images(Landscape(project_on_aws(workspace), doubles.account()).central_store())
    rows = workspace / "rows.csv"
    sales().write_csv(rows)
    text = (workspace / "watchkeeper.yaml").read_text()
    (workspace / "watchkeeper.yaml").write_text(text.replace("source: look-alike", "source: files"))
    stored = answer(workspace, doubles, "data", "fetch", "--target", "aws", "--data", str(rows))
    assert stored["rows"] == sales().height
    started = answer(workspace, doubles, "train", "--target", "aws")
    assert started["execution"].endswith("/execution/000000000001")
    shown = run(workspace, doubles, "aws", "pipeline", "show")
    assert json.loads(shown.stdout)["Version"] == "2020-12-01"
    assert run(workspace, doubles, "aws", "deploy", *here).returncode == 0
    assert run(workspace, doubles, "aws", "status", *here).returncode == 0
    assert answer(workspace, doubles, "models", "list", "--target", "aws") == []
    wrong = run(workspace, doubles, "aws", "destroy", *here, "--yes", "other")
    assert (wrong.returncode, "nothing was removed" in wrong.stderr) == (1, True)
    gone = answer(workspace, doubles, "aws", "destroy", *here, "--yes", "demo")
    assert (len(gone["stacks"]), len(gone["kept"])) == (14, 2)
    assert run(workspace, doubles, "aws", "status", *here).returncode == 1

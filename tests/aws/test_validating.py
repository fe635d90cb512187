"""A deployed project is validated: what is fine, what cannot be seen yet, what is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.loop import Loop
from tests.aws.doubles import Doubles
from tests.aws.projects import ALL, landscape_of, quiet
from tests.aws.running import Deployed
from tests.shared import CHECKOUT
from tests.training.history import sales
from watchkeeper.adapters.aws.answers import Answers
from watchkeeper.adapters.local.tracking import MlflowTracker
from watchkeeper.app.aws.checks import Effort, Visit
from watchkeeper.app.aws.deploying import Choice, deploy
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.validating import CHECKS, Validation, export, validate
from watchkeeper.app.registry.packages import package_of
from watchkeeper.app.registry.records import read_records
from watchkeeper.app.setup.audit import log
from watchkeeper.app.setup.check import Finding
from watchkeeper.core.values import ApprovalStatus


def findings(done: Validation) -> dict[str, str]:
    return {each.check.what: each.check.finding.value for each in done.checks}


def words(done: Validation, name: str) -> str:
    (found,) = [each.check for each in done.checks if each.check.what == name]
    return f"{found.found} → {found.mend}"


def test_a_deployed_project_is_looked_at_from_identity_to_retrain(
    deployed: Deployed, doubles: Doubles
) -> None:
    doubles.pipelines.plan = [("Prepare", "Succeeded"), ("Tune", "Succeeded"), ("Register", "Succeeded")]
    arn = doubles.pipelines.start({"ClientRequestToken": "t" * 32, "PipelineName": "watchkeeper-demo"})
    doubles.pipelines.executions[arn["PipelineExecutionArn"]]["done"] = 3
    deployed.endpoint.late = 2
    done = deployed.validated()
    assert [each.check.what for each in done.checks] == list(CHECKS)
    unseen = {"guardrails", "candidate", "prices", "schedules", "metrics"}  # no time of a schedule has come
    assert {name for name, found in findings(done).items() if found != "fine"} == unseen, done
    assert done.ok
    assert "3 requests of 60 rows answered" in words(done, "traffic")
    assert "all 3 are in the bucket" in words(done, "captures")
    assert re.search(
        r"data-quality: (Completed|CompletedWithViolations), .* in 60 rows", words(done, "monitor")
    )
    assert "ModelQualityDegraded would lead to Retrain" in words(done, "alert")
    assert f"would start watchkeeper-demo on {sales().height:,} rows" in words(done, "retrain")
    assert all(each.seconds >= 0 for each in done.checks)


def test_nothing_is_left_behind_but_the_checklist(deployed: Deployed, doubles: Doubles) -> None:
    store = deployed.landscape.central_store()
    before = set(store.list(""))
    done = deployed.validated()
    added = {key for key in set(store.list("")) - before if not key.startswith("audit")}
    assert {key.split("/")[0] for key in added} == {"validations"}
    assert read_records(store, "validations/dev/", Validation) == (done,)
    last = log(Visit(deployed.landscape, Effort("dev"), deployed.folder).target().trail)[-1].event
    assert (last.action, last.subject) == ("aws.validate", "dev")
    assert last.why.startswith("wrong: nothing; not seen: pipeline")
    assert doubles.pipelines.executions == {}, "a dry run starts nothing"


def test_captures_that_do_not_come_are_wrong(deployed: Deployed) -> None:
    deployed.endpoint.lost, deployed.endpoint.late = 1, 3
    done = deployed.validated(patience=1.5)
    assert findings(done)["captures"] == "wrong"
    assert re.search(r"1 of 3 requests are not there after \d s", words(done, "captures"))
    assert not done.ok


def test_what_breaks_is_said_and_the_rest_is_still_looked_at(deployed: Deployed, doubles: Doubles) -> None:
    doubles.runtime.endpoints.clear()
    doubles.formation.stacks["watchkeeper-demo-dev-roles"].status = "UPDATE_ROLLBACK_FAILED"
    store = deployed.landscape.central_store()
    key = store.list("audit/")[0]
    store.write(key, store.read(key).replace(b"deploy", b"destroy"))
    doubles.pipelines.plan, doubles.pipelines.fails = [("Tune", "Failed")], "no room for instances"
    doubles.pipelines.start({"ClientRequestToken": "t" * 32, "PipelineName": "watchkeeper-demo"})
    done = deployed.validated()
    assert {name for name, found in findings(done).items() if found == "wrong"} == {
        "stacks",
        "records",
        "pipeline",
        "traffic",
    }
    assert "Endpoint demo-dev of account 123456789012 not found." in words(done, "traffic")
    assert "watchkeeper-demo-dev-roles is UPDATE_ROLLBACK_FAILED" in words(done, "stacks")
    assert "the audit log is not what was written" in words(done, "records")
    assert "Failed: no room for instances" in words(done, "pipeline")
    assert findings(done)["captures"] == findings(done)["monitor"] == "missing"


def test_before_anything_serves_nothing_is_wrong(doubles: Doubles, tmp_path: Path) -> None:
    landscape = landscape_of(doubles, tmp_path)
    deploy(landscape, Choice(ALL), quiet)
    done = validate(Visit(landscape, Effort("dev"), tmp_path))
    assert done.ok
    seen = {name for name, found in findings(done).items() if found == "fine"}
    standing = {
        "identity",
        "stacks",
        "records",
        "tracking",
        "alert",
        "alarms",
        "topics",
        "prometheus",
        "trail",
    }
    assert seen == standing, done
    assert all(each.check.mend for each in done.checks if each.check.finding is Finding.MISSING)


def test_answers_are_exported_as_samples_without_accounts_and_secrets(
    doubles: Doubles, deployed: Deployed, tmp_path: Path
) -> None:
    answers = Answers()
    account = deployed.landscape.account
    heard = type(account)(doubles.session(), account.region, account.number, account.caller, answers)
    answers.listen(heard.session)
    validate(Visit(Landscape(deployed.landscape.project, heard), Effort("dev", 40, 20.0), tmp_path))
    files = {path.stem: path.read_text() for path in export(answers, tmp_path / "samples")}
    assert {
        "cloudformation.DescribeStacks",
        "sagemaker.DescribeEndpoint",
        "sagemaker.DescribeModelPackage",
        "sagemaker-runtime.InvokeEndpoint",
        "capture.line",
    } <= set(files)
    said = json.loads(files["sagemaker.DescribeEndpoint"])
    assert (said["EndpointName"], said["EndpointStatus"]) == ("demo-dev", "InService")
    line = json.loads(json.loads(files["capture.line"]))
    assert line["eventMetadata"]["inferenceId"].startswith("validate-")
    answers.keep("x", {"arn": "arn:aws:iam::999988887777:role/x", "digest": "a" * 12 + "1" * 12})
    assert answers.held["x"]["arn"] == "arn:aws:iam::123456789012:role/x"
    assert answers.held["x"]["digest"] == "a" * 12 + "1" * 12


def test_each_assumption_names_the_check_that_settles_it() -> None:
    text = (CHECKOUT / "docs" / "explanation" / "unproved.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 10
    for assumption, source, *steps in rows:
        assert source, assumption
        named = re.findall(r"`([a-z]+)`", steps[0]) if steps else []
        assert named, f"no step settles: {assumption}"
        assert set(named) <= set(CHECKS), f"{assumption}: {named}"
    assert {name for _, _, step in rows for name in re.findall(r"`([a-z]+)`", step)} >= set(CHECKS) - {
        "identity"
    }


@pytest.mark.usefixtures("deployed")
def test_the_command_prints_a_checklist_and_writes_samples(doubles: Doubles, tmp_path: Path) -> None:
    words_of = [sys.executable, "-m", "watchkeeper", "aws", "validate", "--rows", "40", "--patience", "1"]
    where = ["--export", str(tmp_path / "samples"), "--workspace", str(tmp_path)]
    done = subprocess.run(
        [*words_of, *where],
        env={**os.environ, **doubles.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"✓ captures +all 2 are in the bucket, the last after \d s \(\d+\.\d s\)", done.stdout)
    assert re.search(r"– pipeline +it was never started .*\n +→ `watchkeeper train", done.stdout)
    assert done.stdout.rstrip().endswith("nothing is wrong")
    assert "answers written to" in done.stderr
    assert (tmp_path / "samples" / "sagemaker.DescribeEndpoint.json").is_file()
    doubles.runtime.endpoints.clear()
    again = subprocess.run(
        [*words_of, "--env", "dev", "--json", "--workspace", str(tmp_path)],
        env={**os.environ, **doubles.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 1, again.stderr
    found = {each["check"]["what"]: each["check"]["finding"] for each in json.loads(again.stdout)["checks"]}
    assert found["traffic"] == "wrong"


@pytest.mark.usefixtures("deployed")
def test_a_word_on_a_version_is_in_the_registry_s_package(
    doubles: Doubles, tmp_path: Path, trained: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where MLflow puts artefacts of a server that is a file
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    runs = MlflowTracker(tmp_path / "mlflow", "demo", uri)
    artefact = max(trained.target.folder.glob("training/*/register/model"))
    runs.register(runs.log_run("run", {}, {}, {}, str(artefact)), 1, ApprovalStatus.PENDING)
    environment = {
        **os.environ,
        **doubles.environment,
        "WATCHKEEPER_TRACKING_URI": uri,
    }
    command = [
        sys.executable,
        "-m",
        "watchkeeper",
        "models",
        "reject",
        "1",
        "--for",
        "uat",
        "--why",
        "too dear",
    ]
    where = ["--target", "aws", "--workspace", str(tmp_path)]
    done = subprocess.run([*command, *where], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    store = landscape_of(doubles, tmp_path / "again").central_store()
    (package,) = [each for each in [package_of(store, 1)] if each]
    found = doubles.client("sagemaker").describe_model_package(ModelPackageName=package)
    assert found["ModelApprovalStatus"] == "Rejected"  # moto takes ModelLifeCycle, and does not give it back

"""Every tracker keeps the port's promises: it takes what the registry tells it, in the registry's order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.aws.doubles import Doubles
from tests.aws.packages import package
from tests.model.models import example, model
from watchkeeper.adapters.aws.tracking import PackageTracker
from watchkeeper.adapters.local.tracking import MlflowTracker
from watchkeeper.adapters.memory.tracking import MemoryTracker
from watchkeeper.core.ports import MISSED, Tracker
from watchkeeper.core.values import ApprovalStatus
from watchkeeper.model.artefact import save


def on_aws(folder: Path, request: pytest.FixtureRequest) -> Tracker:
    doubles: Doubles = request.getfixturevalue("doubles")
    packages = {version: package(doubles) for version in (1, 2)}
    runs = MlflowTracker(folder / "mlflow", "demo")
    return PackageTracker(
        doubles.account().client("sagemaker"), runs, lambda version: packages.get(version, ""), "dev"
    )


MAKERS: dict[str, Callable[[Path, pytest.FixtureRequest], Tracker]] = {
    "local": lambda folder, _: MlflowTracker(folder / "mlflow", "demo"),
    "memory": lambda *_: MemoryTracker(),
    "aws": on_aws,
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_model_s_life_is_taken(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    tracker, artefact = MAKERS[name](tmp_path, request), tmp_path / "artefact"
    save(artefact, model(), example())
    runs = [
        tracker.log_run(f"run {number}", {"rounds": "20"}, {"test_r2": 0.9}, tags, str(artefact))
        for number, tags in enumerate(({}, {MISSED: "want r2 >= 0.95"}, {"data_digest": "d"}))
    ]
    assert len(set(runs)) == 3, "each run has an id of its own"
    for version, run in ((1, runs[0]), (2, runs[2])):
        tracker.register(run, version, ApprovalStatus.PENDING)
        tracker.mirror(version, {"approval.prod": "Approved"}, ["prod"])
    tracker.register(runs[2], 2, ApprovalStatus.PENDING)


def test_package_and_run_name_each_other_and_stages_are_the_environments(
    tmp_path: Path, doubles: Doubles
) -> None:
    arn, artefact = package(doubles), tmp_path / "artefact"
    save(artefact, model(), example())
    runs = MlflowTracker(tmp_path / "mlflow", "demo")
    tracker = PackageTracker(
        doubles.account().client("sagemaker"), runs, lambda version: arn if version == 1 else "", "dev"
    )
    run = tracker.log_run("run", {}, {}, {}, str(artefact))
    tracker.register(run, 1, ApprovalStatus.PENDING)
    client = doubles.client("sagemaker")
    held = client.describe_model_package(ModelPackageName=arn)
    assert held["CustomerMetadataProperties"] == {"mlflow_run_id": run, "watchkeeper_version": "1"}
    with runs._client("look") as mlflow:
        assert mlflow.get_model_version("demo", "1").tags["model_package_arn"] == arn
    tracker.mirror(1, {"approval.dev": ApprovalStatus.APPROVED}, [])
    assert "ModelApprovalStatus" not in doubles.calls[-1][2], "moto would forget it, SageMaker leaves it"
    tracker.mirror(1, {"approval.prod": ApprovalStatus.REJECTED}, [])
    assert client.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == "Rejected"
    tracker.mirror(1, {"serving.uat": "2020-02-01"}, ["uat"])
    assert client.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == "Approved"
    stages = [asked["ModelLifeCycle"] for _, _, asked in doubles.calls if "ModelLifeCycle" in asked]
    assert [(each["Stage"], each["StageStatus"]) for each in stages] == [
        ("dev", "Approved"),
        ("prod", "Rejected"),
        ("uat", "Serving"),
    ]
    assert stages[2]["StageDescription"] == "serves in uat since 2020-02-01"

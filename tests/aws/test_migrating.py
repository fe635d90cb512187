"""A customer of Model Monitor: schedules, baselines and constraints into a project, and what will differ."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.aws.doubles import Doubles
from watchkeeper.adapters.aws.model_monitor import ModelMonitor
from watchkeeper.app.aws.migrating import Asked, Migrated, migrate
from watchkeeper.app.setup.project import load_project
from watchkeeper.cli.aws_migrate import migrate_
from watchkeeper.core.errors import InputError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HERE = "arn:aws:sagemaker:ap-southeast-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/monitor"
IMAGE = "123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/sagemaker-model-monitor-analyzer"
CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}}
OUTPUT = {
    "MonitoringOutputs": [
        {"S3Output": {"S3Uri": "s3://theirs/out", "LocalPath": "/opt/ml/processing/output"}}
    ]
}
CONSTRAINTS: dict[str, Any] = {
    "version": 0.0,
    "features": [
        {
            "name": "town",
            "inferred_type": "String",
            "completeness": 1.0,
            "string_constraints": {"domains": ["A", "B"]},
        },
        {
            "name": "area",
            "inferred_type": "Fractional",
            "completeness": 1.0,
            "num_constraints": {"is_non_negative": True},
        },
    ],
    "monitoring_config": {
        "evaluate_constraints": "Enabled",
        "emit_metrics": "Enabled",
        "datatype_check_threshold": 1.0,
        "domain_content_threshold": 1.0,
        "distribution_constraints": {
            "perform_comparison": "Enabled",
            "comparison_threshold": 0.1,
            "comparison_method": "Robust",
        },
    },
}


def given(**more: Any) -> dict[str, Any]:
    return {"EndpointName": "prices", "LocalPath": "/opt/ml/processing/input/endpoint", **more}


@pytest.fixture
def customer(doubles: Doubles) -> Doubles:
    """Data quality each hour with a script, model quality each day whose labels come a day later, bias, and
    one that is stopped."""
    s3, sagemaker = doubles.client("s3"), doubles.client("sagemaker")
    s3.create_bucket(Bucket="theirs", CreateBucketConfiguration={"LocationConstraint": "ap-southeast-1"})
    s3.put_object(Bucket="theirs", Key="dq/constraints.json", Body=json.dumps(CONSTRAINTS).encode())
    sagemaker.create_data_quality_job_definition(
        JobDefinitionName="dq",
        DataQualityBaselineConfig={
            "ConstraintsResource": {"S3Uri": "s3://theirs/dq/constraints.json"},
            "StatisticsResource": {"S3Uri": "s3://theirs/dq/gone.json"},
        },
        DataQualityAppSpecification={"ImageUri": IMAGE, "RecordPreprocessorSourceUri": "s3://theirs/pre.py"},
        DataQualityJobInput={"EndpointInput": given()},
        DataQualityJobOutputConfig=OUTPUT,
        JobResources=CLUSTER,
        RoleArn=ROLE,
    )
    sagemaker.create_model_quality_job_definition(
        JobDefinitionName="mq",
        ModelQualityAppSpecification={"ImageUri": IMAGE, "ProblemType": "Regression"},
        ModelQualityJobInput={
            "EndpointInput": given(StartTimeOffset="-P2D", EndTimeOffset="-P1D"),
            "GroundTruthS3Input": {"S3Uri": "s3://theirs/labels"},
        },
        ModelQualityJobOutputConfig=OUTPUT,
        JobResources=CLUSTER,
        RoleArn=ROLE,
    )
    doubles.schedules |= {
        name: {
            "MonitoringScheduleArn": f"{HERE}:monitoring-schedule/{name}",
            "MonitoringScheduleName": name,
            "MonitoringScheduleStatus": status,
            "MonitoringType": kind,
            "EndpointName": "prices",
            "CreationTime": NOW,
            "LastModifiedTime": NOW,
            "MonitoringScheduleConfig": {
                "MonitoringJobDefinitionName": definition,
                "MonitoringType": kind,
                **({"ScheduleConfig": {"ScheduleExpression": expression}} if expression else {}),
            },
        }
        for name, kind, definition, expression, status in (
            ("prices-dq", "DataQuality", "dq", "cron(0 * ? * * *)", "Scheduled"),
            ("prices-mq", "ModelQuality", "mq", "cron(0 0 ? * * *)", "Scheduled"),
            ("prices-old", "DataQuality", "dq", "", "Stopped"),
        )
    }
    return doubles


def migrated(customer: Doubles, folder: Path, endpoint: str = "prices") -> Migrated:
    account = customer.account()
    asked = Asked(endpoint, "month", "price", folder, "ap-southeast-1")
    return migrate(ModelMonitor(account.client("sagemaker")), account.client("s3"), asked)


def test_a_project_is_drafted_from_what_model_monitor_has(
    customer: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in customer.environment.items():
        monkeypatch.setenv(name, text)
    done = migrated(customer, tmp_path / "prices")
    assert done.files == ("baselines/data-quality/constraints.json", "watchkeeper.yaml")
    kept = (tmp_path / "prices" / "baselines" / "data-quality" / "constraints.json").read_bytes()
    assert json.loads(kept) == CONSTRAINTS, "as it was"
    project = load_project(tmp_path / "prices")
    settings = project.environment("prod")
    assert {name: role.value for name, role in settings.data.columns.items()} == {
        "month": "time",
        "town": "feature",
        "area": "feature",
        "price": "label",
    }
    quality, accuracy = settings.monitors["data-quality"], settings.monitors["model-quality"]
    assert (quality.schedule.text, accuracy.schedule.text) == ("cron(0 * ? * * *)", "cron(0 0 ? * * *)")
    assert str(accuracy.labels.delay) == "1 day"
    assert settings.targets.aws is not None
    said = {(each.what, each.theirs): each for each in done.differences}
    assert said["prices-dq", "RecordPreprocessorSourceUri: s3://theirs/pre.py"].ours == "not used"
    assert said["prices-dq, statistics.json", "s3://theirs/dq/gone.json"].why.endswith(
        "there is no such object"
    )
    assert said["prices-old", "Stopped"].ours == "runs"
    assert said["prices-old", "no expression"].ours == "cron(0 * ? * * *)"
    assert said["prices-old", "data-quality"].why == "one schedule of data-quality a project is taken"
    assert {"drift of numbers", "an empty window", "baselines"} <= {each.what for each in done.differences}
    assert all(each.why for each in done.differences)
    command = ["--endpoint", "prices", "--region", "ap-southeast-1", "--time", "month", "--label", "price"]
    ran = CliRunner().invoke(migrate_, [str(tmp_path / "again"), *command])
    assert ran.exit_code == 0, ran.output
    assert "next: watchkeeper config check" in ran.output
    assert (tmp_path / "again" / "watchkeeper.yaml").exists()


def test_who_judged_inputs_alone_is_given_what_labels_show(customer: Doubles, tmp_path: Path) -> None:
    del customer.schedules["prices-mq"]
    done = migrated(customer, tmp_path / "prices")
    settings = load_project(tmp_path / "prices").environment("prod")
    assert settings.monitors["model-quality"].schedule.text == "cron(0 * ? * * *)"
    (said,) = [each for each in done.differences if each.what == "model-quality"]
    assert (said.theirs, said.ours) == ("not watched", "watched, labels a day later")


def test_what_cannot_be_taken_is_said_and_nothing_is_written(customer: Doubles, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="want schedules of Model Monitor on that endpoint, got none"):
        migrated(customer, tmp_path / "other", "other")
    customer.client("s3").delete_object(Bucket="theirs", Key="dq/constraints.json")
    with pytest.raises(InputError, match="want a data-quality schedule with constraints"):
        migrated(customer, tmp_path / "prices")
    assert not (tmp_path / "prices").exists()
    (tmp_path / "watchkeeper.yaml").write_text("version: 1")
    with pytest.raises(InputError, match=r"want a folder without watchkeeper\.yaml, it has one"):
        migrated(customer, tmp_path)

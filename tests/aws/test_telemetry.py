"""What is handed to AWS's own Prometheus, collector, event bus and alarms, held against tools that know
it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.aws.doubles import Doubles
from tests.aws.projects import ONE_ACCOUNT, project_on_aws
from tests.aws.stacks_of import stacks_of
from tests.aws.templates import Stack
from tests.aws.test_functions import LABELS, of
from tests.promtool import needs_promtool
from watchkeeper.adapters.aws.account import Account
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.site import Site
from watchkeeper.app.aws.telemetry import counts_for, longest_period, monitored
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.app.setup.init import template_folder
from watchkeeper.app.setup.project import Project, load_project
from watchkeeper.app.setup.sections import MonitorSection
from watchkeeper.core.cron import Cron
from watchkeeper.core.metrics import METRICS
from watchkeeper.render.cloudwatch import dimensions_of
from watchkeeper.render.cloudwatch_exporter import exported_label, exported_name, period_of

THREE = (
    "receivers:\n",
    'targets:\n  local: {}\n  aws: {region: ap-southeast-1, accounts: {central: "111111111111", '
    'prod: "333333333333"}}\nreceivers:\n',
)


@pytest.fixture(params=["small", "example"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """The tests' own, and the one that ships, which has many more rules."""
    if request.param == "small":
        return project_on_aws(tmp_path)
    text = (template_folder("resale-price") / "watchkeeper.yaml").read_text(encoding="utf-8")
    aws = "targets:\n  aws: {region: ap-southeast-1}"
    (tmp_path / "watchkeeper.yaml").write_text(
        text.replace("targets:", aws) if "targets:" in text else f"{text}\n{aws}\n  local: {{}}\n"
    )
    return load_project(tmp_path)


def properties(stack: Stack, logical: str) -> dict[str, Any]:
    return stack.resources()[logical].properties


def checked(tool: str, *arguments: str) -> None:
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_rules_and_alert_manager_are_what_prometheus_own_tools_take(project: Project, tmp_path: Path) -> None:
    stack = stacks_of(project)["central", "prometheus"]
    for logical in ("Alerts", "Recorded"):
        file = tmp_path / f"{logical}.yml"
        file.write_text(properties(stack, logical)["Data"])
        checked("promtool", "check", "rules", "--lint-fatal", str(file))
    outer = yaml.safe_load(properties(stack, "Workspace")["AlertManagerDefinition"])
    assert list(outer) == ["alertmanager_config"]
    inner = tmp_path / "alertmanager.yml"
    inner.write_text(outer["alertmanager_config"])
    checked("amtool", "check-config", str(inner))
    for severity, kind in (("critical", "paging"), ("warning", "tickets")):
        labels = {"project": project.name, "environment": "prod", "severity": severity, "alertname": "x"}
        wanted = f"prod-alerts,prod-{kind},prod-digest"
        checked(
            "amtool", "config", "routes", "test", f"--config.file={inner}", f"--verify.receivers={wanted}",
            *(f"{name}={value}" for name, value in labels.items()),
        )  # fmt: skip


@needs_promtool
def test_what_the_collector_scrapes_is_what_prometheus_would(project: Project, tmp_path: Path) -> None:
    stack = stacks_of(project)["central", "collector"]
    containers = properties(stack, "Task")["ContainerDefinitions"]
    told = {each["Name"]: each["Value"] for each in containers[0]["Environment"]}
    config = yaml.safe_load(told["AOT_CONFIG_CONTENT"])
    text = yaml.safe_dump(config["receivers"]["prometheus"]["config"])
    assert not re.search(r"(?<!\$)\$(?!\$)", text), (
        "the collector takes a single one for a variable of its own"
    )
    file = tmp_path / "prometheus.yml"
    file.write_text(text.replace("$$", "$"))
    checked("promtool", "check", "config", "--lint-fatal", str(file))
    pipeline = config["service"]["pipelines"]["metrics"]
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) == set(config[kind])
    write = config["exporters"]["prometheusremotewrite"]
    assert write["auth"]["authenticator"] in config["extensions"]
    assert write["endpoint"] == "${env:AWS_PROMETHEUS_ENDPOINT}"
    assert write["resource_to_telemetry_conversion"] == {"enabled": False}
    jobs = {each["job_name"]: each for each in config["receivers"]["prometheus"]["config"]["scrape_configs"]}
    assert {name: each["scrape_interval"] for name, each in jobs.items()} == {
        "endpoints": "60s",
        "monitors": "240s",
    }
    targets = {each for job in jobs.values() for each in job["static_configs"][0]["targets"]}
    ports = {f"localhost:{each['Command'][0].split()[-2]}" for each in containers[1:]}
    assert targets == ports, "every exporter is scraped, and nothing else"


def test_exporters_ask_for_what_monitors_emit_and_alarms_look_at(tmp_path: Path) -> None:
    """One table of metrics and dimensions stands behind all three."""
    project = project_on_aws(tmp_path)
    stacks = stacks_of(project)
    containers = properties(stacks["central", "collector"], "Task")["ContainerDefinitions"][1:]
    configs = {each["Name"]: yaml.safe_load(each["Environment"][0]["Value"]) for each in containers}
    asked = {
        each["aws_metric_name"]: sorted(each["aws_dimensions"])
        for each in configs["monitors-111111111111"]["metrics"]
    }
    assert all(each["set_timestamp"] is False for each in configs.values())
    for scope in project.environments:
        for resource in stacks[scope, "alarms"].resources().values():
            for query in resource.properties["Metrics"]:
                if match := re.match(
                    r"SELECT \w+\((\w+)\) FROM \"Watchkeeper\" WHERE Endpoint = ", query.get("Expression", "")
                ):
                    assert match[1] in asked
    for metric in METRICS:
        if (name := metric.name.removeprefix("watchkeeper_")) in asked:
            assert asked[name] == sorted(dimensions_of(metric))
            assert {"Endpoint", "MonitoringSchedule"} <= set(asked[name])
    assert "data_quality_drift_distance" in asked
    assert "endpoint_requests_total" not in asked


def test_accounts_of_their_own_are_read_by_their_own_exporters(tmp_path: Path) -> None:
    stacks = stacks_of(project_on_aws(tmp_path, THREE))
    containers = properties(stacks["central", "collector"], "Task")["ContainerDefinitions"][1:]
    configs = {each["Name"]: yaml.safe_load(each["Environment"][0]["Value"]) for each in containers}
    assert {name: each.get("role_arn", "") for name, each in configs.items()} == {
        "endpoints-111111111111": "",
        "monitors-111111111111": "",
        "endpoints-333333333333": "arn:aws:iam::333333333333:role/watchkeeper-demo-prod-reader",
        "monitors-333333333333": "arn:aws:iam::333333333333:role/watchkeeper-demo-prod-reader",
    }


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        ("cron(0 * * * ? *)", 4 * 3600),
        ("cron(0 0 * * ? *)", 27 * 3600),
        ("cron(0 0 1 * ? *)", (31 * 24 + 3) * 3600),
    ],
)
def test_a_verdict_counts_until_the_next_may_be_there(schedule: str, seconds: int) -> None:
    section = MonitorSection.model_validate({"schedule": schedule})
    assert counts_for(section) == seconds >= longest_period(Cron.parse(schedule)).total_seconds()
    assert seconds / period_of(seconds) <= 1440, "CloudWatch answers no more values at once"
    assert period_of(seconds) % 60 == 0


def test_names_are_those_that_people_have_seen() -> None:
    """From issues and READMEs of the exporter's users."""
    assert exported_name("AWS/SageMaker", "ModelLatency", "Average") == "aws_sagemaker_model_latency_average"
    assert exported_name("/aws/sagemaker/Endpoints", "CPUUtilization", "Average") == (
        "_aws_sagemaker_endpoints_cpuutilization_average"
    )
    assert exported_name("aws/sagemaker/Endpoints/data-metrics", "feature_baseline_drift_age", "Maximum") == (
        "aws_sagemaker_endpoints_data_metrics_feature_baseline_drift_age_maximum"
    )
    assert exported_label("MonitoringSchedule") == "monitoring_schedule"


def test_event_patterns_take_the_events_they_are_for_and_no_others(doubles: Doubles, tmp_path: Path) -> None:
    """By MiniStack's engine, which says the same as AWS's own open one."""
    resources = stacks_of(project_on_aws(tmp_path, ONE_ACCOUNT))["central", "actions"].resources()
    retrain = resources["AlertsThatAskForARetrain"].properties["EventPattern"]
    ended = resources["PipelineHasEnded"].properties["EventPattern"]
    envelope = {
        "id": "1", "account": "111111111111", "time": "2026-11-29T10:00:00Z", "region": "ap-southeast-1",
        "resources": [], "version": "0",
    }  # fmt: skip

    def takes(pattern: dict[str, Any], source: str, kind: str, detail: dict[str, Any]) -> bool:
        event = {**envelope, "source": source, "detail-type": kind, "detail": detail}
        asked = {"EventPattern": json.dumps(pattern), "Event": json.dumps(event)}
        return bool(doubles.client("events").test_event_pattern(**asked)["Result"])

    entry = {
        "status": "firing",
        "labels": LABELS,
        "annotations": {},
        "startsAt": "2026-11-29T10:00:00Z",
        "endsAt": "x",
    }
    (alert,) = of({"version": "4", "alerts": [entry]})
    (broken,) = of("too long", **LABELS, truncated="yes")
    for changes, taken in (
        ({}, True),
        ({"environment": "staging"}, False),
        ({"action": "review"}, False),
        ({"status": "resolved"}, False),
        ({"project": "another"}, False),
    ):
        assert takes(retrain, "watchkeeper", "Watchkeeper Alert", {**alert, **changes}) is taken, changes
    assert not takes(retrain, "watchkeeper", "Watchkeeper Alert", broken)
    assert not takes(retrain, "aws.sagemaker", "Watchkeeper Alert", alert)
    kind = "SageMaker Model Building Pipeline Execution Status Change"
    here = "arn:aws:sagemaker:ap-southeast-1:111111111111:pipeline/watchkeeper-demo"
    for status, taken in (("Succeeded", True), ("Failed", True), ("Stopped", True), ("Executing", False)):
        detail = {"currentPipelineExecutionStatus": status, "pipelineArn": here}
        assert takes(ended, "aws.sagemaker", kind, detail) is taken
    other = {"currentPipelineExecutionStatus": "Failed", "pipelineArn": f"{here}-2"}
    assert not takes(ended, "aws.sagemaker", kind, other)


def test_what_is_monitored_is_what_the_project_has(tmp_path: Path) -> None:
    project = project_on_aws(tmp_path)
    account = Account(None, "ap-southeast-1", "111111111111", "arn:aws:iam::111111111111:user/ana")
    found = monitored(Site(Landscape(project, account), CENTRAL, lambda *_: {}), ["dev"])
    names = {metric.name.removeprefix("watchkeeper_").split("_")[0] for metric, _ in found}
    assert names == {"data", "model", "estimated", "sla", "monitor", "labels"}

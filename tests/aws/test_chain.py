"""The whole chain on this machine, with others' servers wherever there are any: a capture in S3 becomes an
execution of the pipeline.

Ours: the functions, the analyzer, every configuration. Others': MiniStack (S3, SQS, Lambda, CloudWatch,
SNS, EventBridge, IAM), moto, Prometheus, Alertmanager, vmagent in the collector's place. Stand-ins: the
CloudWatch exporter (`tests/aws/exporter.py`) and the data plane of Amazon Managed Prometheus
(`tests/aws/managed.py`), which verifies signatures; nothing runs a processing job but
`tests/aws/processing.py`.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import yaml
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.app.loop import Loop
from tests.aws.doubles import Doubles
from tests.aws.exporter import exporter
from tests.aws.formation import REGION
from tests.aws.managed import Front, managed
from tests.aws.processing import run_job
from tests.aws.watched import Watched, watched_also_in, watched_project
from watchkeeper.adapters.aws.metrics import put_metrics
from watchkeeper.adapters.aws.trail import S3Trail
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.programs import find_program, free_ports, program
from watchkeeper.app.alerts.deciding import decisions
from watchkeeper.app.aws.functions.job import Due
from watchkeeper.app.aws.layers import known_outputs
from watchkeeper.app.aws.site import Site
from watchkeeper.app.aws.telemetry import monitored, prometheus_slots, topics_of
from watchkeeper.app.registry.executions import executions
from watchkeeper.app.setup.audit import verify_log
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.app.stack.files import alerts_of
from watchkeeper.core.decisions import DecisionKind
from watchkeeper.core.values import Status
from watchkeeper.render.cloudwatch_exporter import Source, monitor_config
from watchkeeper.render.collector import Collected, scrape_config
from watchkeeper.render.managed_prometheus import Topics, alertmanager_config

T = TypeVar("T")
NEEDED = {
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "vmagent": "victoria-metrics",
}
pytestmark = pytest.mark.skipif(
    any(shutil.which(name) is None for name in NEEDED),
    reason="Prometheus, Alertmanager or vmagent is not installed (make test-deps)",
)
KEYS = {"AKIACOLLECTOR": "the-collectors-secret"}
RETRAINS = (
    "receivers:\n",
    "retrain: {approval: {prod: none, uat: none}, cooldown: 7 days, when: {environment: [uat, prod]}}\n"
    "receivers:\n",
)
LATE = 45  # days that labels take: of a window that long ago CloudWatch would take no value
_PATIENCE = 45.0  # seconds


def until(what: str, look: Callable[[], T | None], patience: float = _PATIENCE) -> T:
    """What is there at last; others' servers say nothing when they have done something, so one looks
    again."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {patience:.0f} s for {what}")


@dataclass
class Chain:
    """The running servers, and the project in dev and prod."""

    dev: Watched
    prod: Watched
    front: Front
    folder: Path

    @property
    def doubles(self) -> Doubles:
        return self.prod.doubles

    @property
    def store(self) -> Any:
        return self.prod.deployed.landscape.central_store()

    def decided(self, environment: str) -> list[DecisionKind]:
        return [each.kind for each in decisions(self.store, environment)]


def publisher(doubles: Doubles) -> dict[str, str]:
    """Keys of somebody who may publish to the project's topics and nothing else: the alert manager."""
    iam = doubles.client("iam")
    iam.create_user(UserName="alert-manager")
    statement = {
        "Effect": "Allow",
        "Action": "sns:Publish",
        "Resource": f"arn:aws:sns:{REGION}:123456789012:watchkeeper-demo-*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="alert-manager", PolicyName="publish", PolicyDocument=document)
    key = iam.create_access_key(UserName="alert-manager")["AccessKey"]
    return {"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}


def write_configs(folder: Path, dev: Watched, exporter_at: str, alertmanager_at: str) -> None:
    """What deploying would hand to AWS, with addresses and intervals of this machine."""
    landscape, doubles = dev.deployed.landscape, dev.doubles
    site, keys = Site(landscape, CENTRAL, known_outputs(landscape)), publisher(dev.doubles)
    slots = prometheus_slots(site)
    told = [
        (
            alerts_of(landscape.project, name),
            Topics(REGION, topics_of(site, name).arns, keys, doubles.ministack),
        )
        for name in landscape.project.environments
    ]
    config = alertmanager_config(told).replace("group_interval: 1m", "group_interval: 1s")
    (folder / "alertmanager.yml").write_text(config)
    (folder / "rules.yml").write_text(slots["rules"])
    (folder / "recorded.yml").write_text(slots["recorded"])
    found = {
        "global": {"evaluation_interval": "500ms"},
        "rule_files": ["rules.yml", "recorded.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager_at]}]}]},
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(found))
    of = Collected("demo", landscape.project.environments, [], [exporter_at], "Watchkeeper")
    (folder / "scrape.yml").write_text(yaml.safe_dump(scrape_config(of, {"endpoints": 1, "monitors": 1})))


@pytest.fixture
def chain(doubles: Doubles, tmp_path: Path, trained: Loop) -> Iterator[Chain]:
    dev = watched_project(doubles, tmp_path, trained, RETRAINS, labels=f"{LATE} days")
    prod = watched_also_in(dev, "prod", trained)
    landscape, folder = dev.deployed.landscape, tmp_path / "servers"
    folder.mkdir()
    wanted = monitored(Site(landscape, CENTRAL, known_outputs(landscape)), ["dev", "prod"])
    config = monitor_config(Source(REGION), "Watchkeeper", wanted)
    ports = [f"127.0.0.1:{port}" for port in free_ports(3)]
    with ExitStack() as running:
        exporter_at = running.enter_context(exporter(config, doubles.client("cloudwatch")))
        front = running.enter_context(managed(KEYS, ports[0]))
        write_configs(folder, dev, exporter_at, ports[1])
        ((key, secret),) = KEYS.items()
        commands = [
            [
                find_program(("prometheus-alertmanager",), NEEDED["prometheus-alertmanager"]),
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address={ports[1]}",
                "--cluster.listen-address=",
            ],
            [
                find_program(("prometheus",), NEEDED["prometheus"]),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'prometheus'}",
                f"--web.listen-address={ports[0]}",
                "--web.enable-remote-write-receiver",
                "--rules.alert.resend-delay=1s",
            ],
            [
                find_program(("vmagent",), NEEDED["vmagent"]),
                f"-promscrape.config={folder / 'scrape.yml'}",
                f"-httpListenAddr={ports[2]}",
                f"-remoteWrite.tmpDataPath={folder / 'vmagent'}",
                f"-remoteWrite.url={front.url}",
                "-remoteWrite.aws.useSigv4",
                f"-remoteWrite.aws.region={REGION}",
                f"-remoteWrite.aws.accessKey={key}",
                f"-remoteWrite.aws.secretKey={secret}",
                "-remoteWrite.flushInterval=500ms",
                "-promscrape.suppressScrapeErrors",
            ],
        ]
        ready = [f"http://{ports[1]}/-/ready", f"http://{ports[0]}/-/ready", f"http://{ports[2]}/health"]
        for command, url in zip(commands, ready, strict=True):
            running.enter_context(program(command, url, folder / f"{Path(command[0]).name}.log"))
        yield Chain(dev, prod, front, folder)


def alert(environment: str) -> dict[str, Any]:
    """An event of the bus as the bridge makes it."""
    labels = {
        "alertname": "ModelQualityDegraded",
        "project": "demo",
        "environment": environment,
        "endpoint": f"demo-{environment}",
        "severity": "critical",
        "action": "retrain",
    }
    entry = {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "it is bad"},
        "startsAt": "2026-11-29T10:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
    }
    return {"detail-type": "Watchkeeper Alert", "detail": {"environment": environment, "alert": entry}}


def at_once(chain: Chain, environment: str) -> list[Any]:
    """Two calls of the retrain function about one alert, at the same time."""

    def call(_: int) -> Any:
        client = chain.doubles.session().client("lambda", endpoint_url=chain.doubles.ministack)
        said = client.invoke(
            FunctionName="watchkeeper-demo-central-retrain", Payload=json.dumps(alert(environment)).encode()
        )
        assert "FunctionError" not in said, said["Payload"].read()
        return json.loads(said["Payload"].read())["done"]

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(call, range(2)))


def found(chain: Chain, environment: str, ratio: float, version: str) -> None:
    """A monitor's figure, put into CloudWatch as its job would."""
    dimensions = {
        "Endpoint": f"demo-{environment}",
        "MonitoringSchedule": f"demo-{environment}-model-quality",
        "ModelVersion": version,
    }
    line = {
        "MetricName": "model_quality_rmse_baseline_ratio",
        "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
        "Value": ratio,
    }
    put_metrics("Watchkeeper", json.dumps(line), datetime.now(UTC), chain.doubles.client("cloudwatch"))


def watch(chain: Chain) -> str:
    """An alarm on the figure as the rule has it, for which MiniStack need not search; its state."""
    client, name = chain.doubles.client("cloudwatch"), "model-quality"
    (metric,) = client.list_metrics(MetricName="model_quality_rmse_baseline_ratio")["Metrics"]
    client.put_metric_alarm(
        AlarmName=name,
        **{key: metric[key] for key in ("Namespace", "MetricName", "Dimensions")},
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.5,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )

    def fired() -> str:
        (alarm,) = client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return str(alarm["StateValue"]) if alarm["StateValue"] == "ALARM" else ""

    return until("the alarm", fired)


def started(chain: Chain, environment: str) -> list[tuple[str, dict[str, str]]]:
    """Executions of the pipeline for an environment: the token, and what each was told."""
    asked = [each["asked"] for each in chain.doubles.pipelines.executions.values()]
    told = [
        (each["ClientRequestToken"], {one["Name"]: one["Value"] for one in each["PipelineParameters"]})
        for each in asked
    ]
    return [(token, each) for token, each in told if each["Environment"] == environment]


def signed(front: Front, secret: str) -> int:
    """The status that a write gets which is signed with that secret."""
    request = AWSRequest("POST", front.url, data=b"x", headers={"content-type": "application/x-protobuf"})
    SigV4Auth(Credentials("AKIACOLLECTOR", secret), "aps", REGION).add_auth(request)
    answer = httpx.post(front.url, content=b"x", headers=dict(request.headers), trust_env=False)
    return answer.status_code


def test_a_capture_becomes_an_execution_of_the_pipeline(chain: Chain, tmp_path: Path) -> None:
    prod, doubles = chain.prod, chain.doubles
    then = prod.time - timedelta(days=LATE, hours=1)
    prod.hour(then, scale=3.0)  # the market has moved: labels are three times as high
    queue = doubles.client("sqs").get_queue_url(QueueName="watchkeeper-demo-prod-due")["QueueUrl"]
    due = Due("demo-prod-model-quality", prod.time)
    for _ in range(2):  # Scheduler promises at least one
        doubles.client("sqs").send_message(QueueUrl=queue, MessageBody=due.body())
    until("the start function to start a job", lambda: doubles.jobs)
    ran = run_job(doubles, doubles.jobs[0], tmp_path / "jobs")
    assert ran.code == 0, ran.said
    assert ran.message.startswith("CompletedWithViolations: "), ran.said
    (execution,) = executions(chain.store)
    assert (execution.status, execution.window.start) == (Status.VIOLATIONS, then)

    ((token, told),) = until("the pipeline to be started", lambda: started(chain, "prod"))
    assert told["Reasons"].startswith("watchkeeper_model_quality_rmse_baseline_ratio is ")
    (decision,) = decisions(chain.store, "prod")
    assert (decision.id, decision.kind) == (told["Decision"], DecisionKind.RETRAIN)
    assert token == f"watchkeeper-retrain-{decision.id}"
    assert chain.front.taken > 0
    assert chain.front.refused == []
    assert len(doubles.jobs) == 1, "a repeat is refused"

    assert watch(chain) == "ALARM", "and CloudWatch's own rules see the figure of 45 days ago now"
    found(chain, "prod", 4.0, "2")  # another series of the same rule fires while the retrain runs
    found(chain, "dev", 9.0, "1")
    until("the second alert to be decided on", lambda: len(chain.decided("prod")) == 2)
    until("dev's alert to be decided on", lambda: chain.decided("dev"))
    assert chain.decided("prod") == [DecisionKind.RETRAIN, DecisionKind.SKIP]
    assert chain.decided("dev") == [DecisionKind.REVIEW], "retrain.when follows others alone"
    assert len(doubles.pipelines.executions) == 1

    at_once(chain, "uat")
    assert chain.decided("uat") == [DecisionKind.RETRAIN]
    assert len(started(chain, "uat")) == 1
    assert verify_log(S3Trail(chain.store, WallClock())).verified


def test_a_write_with_a_wrong_key_is_refused() -> None:
    with managed(KEYS, "127.0.0.1:1") as front:
        assert signed(front, "another secret") == 403
        assert front.refused == ["the signature does not match"]

"""AWS on this machine: MiniStack, moto, and a server of ours for the operations that neither has.

MiniStack runs with `AUTH=true`: it verifies signatures and enforces the policies of roles. moto answers for
SageMaker. Ours (`OURS`) answers for CloudFormation and for what moto lacks of SageMaker, held to botocore's
shapes both ways, and passes everything else of SageMaker on to moto. docs/explanation/unproved.md lists
what that leaves unproved.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.aws import wire
from tests.aws.formation import ACCOUNT, REGION, Formation, Refused
from tests.aws.makers import Makers
from tests.aws.mute_rules import MUTES, MuteRules
from tests.aws.pipelines import Pipelines
from tests.aws.runtime import Runtime
from tests.aws.shapes import answer_faults, operation, request_faults
from tests.aws.trails import Trails
from tests.shared import CHECKOUT
from tests.webhooks import Quiet, served
from watchkeeper.adapters.aws.account import Account, open_account

PROGRAMS = Path(os.environ.get("WATCHKEEPER_DOUBLES_BIN") or CHECKOUT / ".venv-doubles" / "bin")
ROOT = {"aws_access_key_id": "root", "aws_secret_access_key": "rootsecret"}
OURS = {
    "cloudformation": (
        "CreateChangeSet",
        "DescribeChangeSet",
        "DeleteChangeSet",
        "ExecuteChangeSet",
        "DescribeStacks",
        "DescribeStackEvents",
        "ListStackResources",
        "DeleteStack",
    ),
    "sagemaker": (
        "DescribeMlflowTrackingServer",
        "DescribePipelineExecution",
        "ListPipelineExecutionSteps",
        "ListPipelineExecutions",
        "StartPipelineExecution",
        "ListMonitoringSchedules",
        "DescribeMonitoringSchedule",
    ),
    "sagemaker-runtime": ("InvokeEndpoint",),
    "cloudtrail": ("ListPublicKeys",),
    "cloudwatch": MUTES,
}
_PATIENCE = 60.0  # seconds


def program(name: str) -> str:
    """The path of a program of the doubles' environment; the test is skipped where it is not there."""
    found = PROGRAMS / name
    if not found.exists():
        pytest.skip(f"no {found}: make test-deps installs MiniStack, moto and cfn-lint there")
    return str(found)


@dataclass
class Doubles:
    """The running servers. `calls` are the requests made by sessions from here, as (service, operation,
    input); `jobs` are processing jobs that anybody asked for."""

    ministack: str
    moto: str
    ours: str = ""
    formation: Formation = field(default_factory=lambda: Formation(Makers(lambda _: None)))
    pipelines: Pipelines = field(default_factory=Pipelines)
    runtime: Runtime = field(default_factory=Runtime)
    trails: Trails = field(default_factory=Trails)
    mutes: MuteRules = field(default_factory=MuteRules)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    clients: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What points any client of AWS at the doubles, as the root of the account."""
        return {
            "AWS_ACCESS_KEY_ID": ROOT["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": ROOT["aws_secret_access_key"],
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_ENDPOINT_URL": self.ministack,
            "AWS_ENDPOINT_URL_CLOUDFORMATION": self.ours,
            "AWS_ENDPOINT_URL_CLOUDTRAIL": self.ours,
            "AWS_ENDPOINT_URL_CLOUDWATCH": self.ours,
            "AWS_ENDPOINT_URL_AMP": self.moto,
            "AWS_ENDPOINT_URL_SAGEMAKER": self.ours,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.ours,
            "NO_PROXY": "127.0.0.1",
        }

    def session(self, **credentials: str) -> Any:
        """A session whose every request is held to the letter of its shape, and recorded."""
        made = boto3.Session(region_name=REGION, **(credentials or ROOT))
        made.events.register("before-parameter-build", self._seen)
        return made

    def account(self, **credentials: str) -> Account:
        return open_account(REGION, self.session(**credentials))

    def client(self, service: str) -> Any:
        """A client of the root's, for what tests do by themselves; nothing of it is recorded."""
        if service not in self.clients:
            self.clients[service] = _client(
                service, self.moto if service.startswith(("sagemaker", "amp")) else self.ministack
            )
        return self.clients[service]

    def listed_schedules(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Model Monitor's schedules of an endpoint; no double has any."""
        own = [each for each in self.schedules.values() if each["EndpointName"] == asked["EndpointName"]]
        return {
            "MonitoringScheduleSummaries": [
                {key: text for key, text in each.items() if key != "MonitoringScheduleConfig"} for each in own
            ]
        }

    def new_job(self, asked: dict[str, Any]) -> bool:
        """Note a processing job that is asked for; False for a name that was taken before."""
        assert request_faults("sagemaker", "CreateProcessingJob", asked) == []
        taken = {each["ProcessingJobName"] for each in self.jobs}
        if asked["ProcessingJobName"] not in taken:
            self.jobs.append(asked)
        return asked["ProcessingJobName"] not in taken

    def reset(self) -> None:
        """As if nothing had ever been asked."""
        for url in (f"{self.ministack}/_ministack/reset", f"{self.moto}/moto-api/reset"):
            urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=30).close()  # noqa: S310 - ours
        self.formation = Formation(Makers(self.client, {"AWS_ENDPOINT_URL_SAGEMAKER": self.ours}))
        self.pipelines, self.runtime, self.trails = Pipelines(), Runtime(), Trails()
        self.mutes = MuteRules()
        self.calls.clear()
        self.jobs.clear()
        self.schedules.clear()

    def _seen(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        asked = {key: each for key, each in params.items() if key != "Body"}
        self.calls.append((service, model.name, asked))
        if found := request_faults(service, model.name, params):
            raise AssertionError(f"{service}:{model.name}: {found}")


def _client(service: str, url: str) -> Any:
    config = Config(retries={"max_attempts": 2})
    return boto3.client(service, endpoint_url=url, region_name=REGION, config=config, **ROOT)


@contextmanager
def running_doubles(folder: Path) -> Iterator[Doubles]:
    """All three servers while the block runs; what they say goes to files in the folder."""
    mini, moto = _free_port(), _free_port()
    environment = {
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": ROOT["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": ROOT["aws_secret_access_key"],
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(mini),
        "LAMBDA_EXECUTOR": "local",
        "CLOUDTRAIL_RECORDING": "1",
        "IOT_MTLS_ENABLED": "0",  # these two would listen on every address
        "SFTP_ENABLED": "0",
        "HOME": str(folder),
        "PATH": os.environ.get("PATH", ""),
    }
    with (
        _started([program("ministack")], environment, folder / "ministack.log", mini),
        _started([program("moto_server"), "-H", "127.0.0.1", "-p", str(moto)], {}, folder / "moto.log", moto),
    ):
        doubles = Doubles(f"http://127.0.0.1:{mini}", f"http://127.0.0.1:{moto}")
        with served(_front(doubles)) as url:
            doubles.ours = url
            doubles.reset()
            yield doubles


@contextmanager
def _started(command: list[str], environment: Mapping[str, str], log: Path, port: int) -> Iterator[None]:
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=said, stderr=said, cwd=log.parent
        )
    try:
        _await(process, port, log)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"{process.args!r} does not answer: {log.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


# The server of ours


def _front(doubles: Doubles) -> type[Quiet]:
    class Handler(Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path.startswith("/endpoints/"):
                self._answer(*doubles.runtime.answer(self.path, self.headers, body), kind="text/csv")
                return
            target = self.headers.get("x-amz-target", "")
            if not target:
                self._answer(*_formation(doubles.formation, body), kind="text/xml")
                return
            name = target.rpartition(".")[2]
            if target.startswith("GraniteService"):
                answered = doubles.mutes.answer(name, doubles.ministack, dict(self.headers), body)
                self._answer(*answered, kind="application/x-amz-json-1.0")
                return
            if ".CloudTrail_" in target:
                self._answer(*doubles.trails.answer(name, doubles.ministack, dict(self.headers), body))
                return
            if name in OURS["sagemaker"]:
                self._answer(*_sagemaker(doubles, name, body), kind="application/x-amz-json-1.1")
                return
            if name == "CreateProcessingJob" and not doubles.new_job(json.loads(body)):
                said = {"__type": "ResourceInUse", "message": "Processing job names must be unique."}
                self._answer(400, json.dumps(said).encode())  # moto takes a name twice
                return
            self._answer(*_passed_on(doubles.moto, dict(self.headers), body))

        def _answer(self, status: int, body: bytes, kind: str = "application/x-amz-json-1.1") -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _formation(formation: Formation, body: bytes) -> tuple[int, bytes]:
    fields = wire.form(body)
    model = operation("cloudformation", fields["Action"])
    asked = wire.parameters(fields, model.input_shape)
    assert request_faults("cloudformation", model.name, asked) == []
    try:
        answer = formation.answer(model.name, asked)
    except Refused as refused:
        return 400, wire.error_xml(refused.code, str(refused))
    assert answer_faults("cloudformation", model.name, answer) == []
    return 200, wire.answer_xml(model, answer)


def _sagemaker(doubles: Doubles, name: str, body: bytes) -> tuple[int, bytes]:
    asked = json.loads(body)
    assert request_faults("sagemaker", name, asked) == []
    handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "DescribeMlflowTrackingServer": doubles.formation.tracking_server,
        "DescribePipelineExecution": doubles.pipelines.describe,
        "ListPipelineExecutions": doubles.pipelines.list,
        "ListPipelineExecutionSteps": doubles.pipelines.steps,
        "StartPipelineExecution": doubles.pipelines.start,
        "ListMonitoringSchedules": doubles.listed_schedules,
        "DescribeMonitoringSchedule": lambda given: doubles.schedules[given["MonitoringScheduleName"]],
    }
    try:
        answer = handlers[name](asked)
    except Refused as refused:
        return 400, json.dumps({"__type": refused.code, "message": str(refused)}).encode()
    assert answer_faults("sagemaker", name, answer) == []
    return 200, json.dumps(answer, default=lambda time: time.timestamp()).encode()


def _passed_on(url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """moto tells services apart by the host's name."""
    others = {name: text for name, text in headers.items() if name.lower() != "host"}
    return wire.handed_on(url, {**others, "host": f"api.sagemaker.{REGION}.amazonaws.com"}, body)

"""Every endpoint host keeps the port's promises."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.aws.doubles import Doubles
from tests.aws.packages import package
from tests.aws.templates import FOLDER
from tests.serving.running import DEPLOYED, running, settings_of
from tests.serving.trials import CANARY
from watchkeeper.adapters.aws.endpoint import StackEndpointHost
from watchkeeper.adapters.aws.stacks import Stacks
from watchkeeper.adapters.local.endpoint import LocalEndpointHost
from watchkeeper.adapters.memory.endpoint import MemoryEndpointHost
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.ports import EndpointHost
from watchkeeper.core.stacks import StackRequest
from watchkeeper.core.values import RunningServer

BROKEN = 666  # a version that no host can load


@contextlib.contextmanager
def local(folder: Path) -> Iterator[EndpointHost]:
    """Our server in a thread, found by its run file."""
    with running(settings_of(folder)) as server:
        port = int(server.client.base_url.port or 0)
        run_file = folder / "run" / "server.json"
        run_file.parent.mkdir()
        run_file.write_bytes(encode(RunningServer(1, port, server.server.seat.token)))
        yield LocalEndpointHost(run_file)


@contextlib.contextmanager
def memory(_: Path) -> Iterator[EndpointHost]:
    yield MemoryEndpointHost(broken=frozenset({BROKEN}))


@contextlib.contextmanager
def on_aws(_: Path, request: pytest.FixtureRequest) -> Iterator[EndpointHost]:
    """Versions 2 and 3 are packages; of no other one is there."""
    doubles: Doubles = request.getfixturevalue("doubles")
    arns = {version: package(doubles) for version in (2, 3)}
    missing = arns[2].rpartition("/")[0] + f"/{BROKEN}"
    stacks = Stacks(doubles.account().client("cloudformation"))
    text = (FOLDER / "environment" / "endpoint.yaml").read_text(encoding="utf-8")
    base = {
        "Project": "prices",
        "Environment": "prod",
        "EndpointName": "prices",
        "EndpointRoleArn": "arn:aws:iam::123456789012:role/watchkeeper-prices-prod-endpoint",
        "KeyArn": "arn:aws:kms:ap-southeast-1:123456789012:key/k",
        "CaptureBucketName": "captures",
        "SubnetIds": "subnet-1,subnet-2",
        "SecurityGroupIds": "sg-1",
    }
    yield StackEndpointHost(
        stacks=lambda _: stacks,
        request=lambda _: StackRequest("watchkeeper-prices-prod-endpoint", text, base),
        parameters=lambda version, _: {
            "ModelPackageArn": arns.get(version, missing),
            "ModelVersion": str(version),
            "BaselineVersions": f"data-quality={version}",
            "SchemaVersion": "1",
        },
        report=lambda _: None,
    )


MAKERS: dict[str, Callable[[Path, pytest.FixtureRequest], AbstractContextManager[EndpointHost]]] = {
    "local": lambda folder, _: local(folder),
    "memory": lambda folder, _: memory(folder),
    "aws": on_aws,
}


@pytest.fixture(params=MAKERS)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EndpointHost]:
    with MAKERS[request.param](tmp_path, request) as opened:
        yield opened


def test_a_version_is_deployed_and_again(host: EndpointHost) -> None:
    for version in (2, 3, 3):
        host.deploy(replace(DEPLOYED, version=version))


def test_a_candidate_is_tried_and_withdrawn_twice(host: EndpointHost) -> None:
    host.deploy(replace(DEPLOYED, version=2))
    for _ in range(2):
        host.try_out(replace(CANARY, version=3))
    for _ in range(2):
        host.withdraw(CANARY)
    with pytest.raises(PlatformError, match=f"v?{BROKEN}.*prices"):
        host.try_out(replace(CANARY, version=BROKEN))


def test_a_version_that_does_not_load_is_a_platform_error_that_names_it(host: EndpointHost) -> None:
    with pytest.raises(PlatformError, match=f"v?{BROKEN}.*prices") as caught:
        host.deploy(replace(DEPLOYED, version=BROKEN))
    assert not caught.value.retryable
    host.deploy(replace(DEPLOYED, version=2))


def test_a_flush_without_requests_is_none(host: EndpointHost) -> None:
    host.flush()
    others = ("_process_", "_info", "_idle_", "_spool_")  # what counts nothing
    counted = [each for each in host.samples() if not any(part in each.metric for part in others)]
    assert all(sample.value == 0 for sample in counted)

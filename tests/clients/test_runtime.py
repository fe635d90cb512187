"""SageMaker's own clients, unchanged: boto3's `sagemaker-runtime` and the AWS CLI."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import ENVIRONMENT, program
from tests.serving.running import Running, running, settings_of
from tests.shared import CHECKOUT

JSON, LINES = "application/json", "application/jsonlines"
MANY = 2000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(settings_of(tmp_path)) as started:
        yield started


def by_boto3(server: Running, *cases: dict[str, Any]) -> list[dict[str, Any]]:
    ended = subprocess.run(
        [program("python"), str(CHECKOUT / "tests" / "clients" / "invoke.py"), str(server.client.base_url)],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert ended.returncode == 0, ended.stderr
    found: list[dict[str, Any]] = json.loads(ended.stdout)
    return found


def case(body: str, content_type: str = "text/csv", endpoint: str = "prices", **more: str) -> dict[str, Any]:
    return {"call": {"EndpointName": endpoint, "ContentType": content_type, **more}, "body": body}


def test_boto3_asks_in_every_form(server: Running) -> None:
    many = "\n".join(f"A,{row}" for row in range(MANY))
    found = by_boto3(
        server,
        case("A,2", InferenceId="id-0", CustomAttributes="trace=7"),
        case('{"instances":[{"town":"A","area":2},{"town":"B","area":3}]}', JSON, InferenceId="id-1"),
        case('{"town":"A","area":2}\n', LINES, InferenceId="id-2", TargetVariant="AllTraffic"),
        case("A,2", Accept=JSON, InferenceId="id-3"),
        case(many, InferenceId="id-4"),
    )
    assert [each["body"] for each in found[:4]] == [
        "2.0",
        '{"predictions":[2.0,3.0]}',
        '{"predicted":2.0}\n',
        '{"predictions":[2.0]}',
    ]
    assert [each["type"] for each in found] == ["text/csv", JSON, LINES, JSON, "text/csv"]
    assert found[4]["body"].split("\n") == [f"{row}.0" for row in range(MANY)]
    assert {each["variant"] for each in found} == {"AllTraffic"}
    frame = server.captured().frame
    assert set(frame.select("_event_id", "_join_id").rows()) == {
        (each["id"], f"id-{place}") for place, each in enumerate(found)
    }


def test_botocore_reads_what_went_wrong_as_its_own_exceptions(server: Running) -> None:
    found = by_boto3(
        server,
        case("A,2", endpoint="rents"),
        case("A,2,3"),
        case("A,2", "image/png"),
        case("A,2", TargetVariant="Blue"),
        case("A,2", TargetModel="a.tar.gz"),
        case("A,2", InferenceId="x" * 65),
        case("bug,2"),
    )
    assert [(each["error"], each["status"], each["modelled"]) for each in found] == [
        ("ValidationError", 400, True),
        ("ValidationError", 400, True),
        ("ValidationError", 415, True),
        ("ValidationError", 400, True),
        ("ValidationError", 400, True),
        ("ValidationError", 400, True),
        ("ModelError", 424, True),
    ]
    assert "want 2 columns (town, area), got 3" in found[1]["message"]
    assert 'want one of AllTraffic, got "Blue"' in found[3]["message"]
    assert (found[6]["OriginalStatusCode"], "ZeroDivisionError" in found[6]["OriginalMessage"]) == (500, True)


def test_an_endpoint_without_a_model_is_unavailable(server: Running) -> None:
    server.server.endpoints["prices"].main.active = None
    (found,) = by_boto3(server, case("A,2"))
    assert (found["error"], found["status"], found["modelled"]) == ("ServiceUnavailable", 503, True)


def by_cli(server: Running, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        program("aws"),
        "--endpoint-url",
        str(server.client.base_url),
        "sagemaker-runtime",
        "invoke-endpoint",
    ]
    return subprocess.run(
        [*command, *options, str(folder / "answer")],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )


def test_the_aws_cli_asks_and_hears_errors(server: Running, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("A,2\nB,3\n")
    asked = ("--endpoint-name", "prices", "--content-type", "text/csv", "--inference-id", "sale-1")
    done = by_cli(server, tmp_path, *asked, "--body", f"fileb://{tmp_path / 'rows.csv'}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"ContentType": "text/csv", "InvokedProductionVariant": "AllTraffic"}
    assert (tmp_path / "answer").read_text() == "2.0\n3.0"
    (tmp_path / "bad.json").write_text('{"instances":[{"town":"A"}]}')
    failed = by_cli(
        server,
        tmp_path,
        "--endpoint-name",
        "prices",
        "--content-type",
        JSON,
        "--body",
        f"fileb://{tmp_path}/bad.json",
    )
    assert failed.returncode == 254 or failed.returncode == 255
    assert "(ValidationError)" in failed.stderr
    assert 'want column "area", which is missing' in failed.stderr
    assert set(server.captured().frame["_join_id"]) == {"sale-1"}

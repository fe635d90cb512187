"""boto3 fetches a secret by its ARN, from a server here that answers as Secrets Manager's reference says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from tests.clients import ENVIRONMENT, program
from tests.shared import CHECKOUT
from tests.webhooks import Heard, listener
from watchkeeper.adapters.secrets import resolve
from watchkeeper.core.errors import InputError

ARN = "arn:aws:secretsmanager:ap-southeast-1:123456789012:secret:prices/hook-AbCdEf"
CODE = "import sys; from watchkeeper.adapters.secrets import resolve; sys.stdout.write(resolve(sys.argv[1]))"


def answer(handler: BaseHTTPRequestHandler) -> None:
    """The secret, to who asks for this one; the error that there is for every other."""
    denied = {
        "__type": "ResourceNotFoundException",
        "Message": "Secrets Manager can't find the specified secret.",
    }
    known = handler.headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    body = {"ARN": ARN, "Name": "prices/hook", "SecretString": " s3cret\n"} if known else denied
    handler.send_response(200 if known else 400)
    handler.send_header("content-type", "application/x-amz-json-1.1")
    handler.end_headers()
    handler.wfile.write(json.dumps(body).encode())


@pytest.fixture
def manager() -> Iterator[tuple[str, Heard]]:
    with listener(answer) as found:
        yield found


def followed(reference: str, url: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **ENVIRONMENT,
        "PYTHONPATH": str(CHECKOUT / "src"),
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": url,
    }
    command = [program("python"), "-c", CODE, reference]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_secret_is_fetched_in_its_arn_s_region(manager: tuple[str, Heard]) -> None:
    url, heard = manager
    done = followed(f"${{aws-secret:{ARN}}}", url.removesuffix("/hook"))
    assert (done.returncode, done.stdout) == (0, "s3cret"), done.stderr
    ((headers, body),) = heard
    assert json.loads(body) == {"SecretId": ARN}
    assert "/ap-southeast-1/secretsmanager/aws4_request" in headers["authorization"]


def test_a_service_that_does_not_answer_is_said_by_the_reference() -> None:
    done = followed(f"${{aws-secret:{ARN}}}", "http://127.0.0.1:9")
    assert f"InputError: follow the secret ${{aws-secret:{ARN}}}: " in done.stderr


def test_what_is_no_arn_and_a_machine_without_boto3_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(InputError, match="want the ARN of a secret"):
        resolve("${aws-secret:prices/hook}")
    with pytest.raises(InputError, match=r"pip install 'watchkeeper\[aws\]'"):
        resolve(f"${{aws-secret:{ARN}}}")

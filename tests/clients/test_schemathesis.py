"""Schemathesis against the server's own OpenAPI document: no 5xx, nothing that is not documented."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients import ENVIRONMENT, program
from tests.serving.running import running, settings_of
from watchkeeper.serving.ground_truth import LabelDelivery

EXAMPLES = 1000 if os.environ.get("WATCHKEEPER_SOAK") else 60
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What this server says of labels."""

    labels: int


def take(delivery: LabelDelivery) -> Taken:
    return Taken(len(delivery.truths))


# What is deployed is read more strictly than JSON Schema can say: 1.0 is an integer there.
ASKED = ("--exclude-method", "PUT", "--checks", ",".join((*CHECKS, "positive_data_acceptance")))
DEPLOYED = ("--include-method", "PUT", "--checks", ",".join(CHECKS))


@pytest.mark.soak
@pytest.mark.parametrize("which", [ASKED, DEPLOYED], ids=["asked", "deployed"])
def test_whatever_is_asked_the_answer_is_documented(tmp_path: Path, which: tuple[str, ...]) -> None:
    with running(settings_of(tmp_path), labels=take) as server:
        command = [
            program("schemathesis"),
            "run",
            f"{server.client.base_url}/api/v1/openapi.json",
            "--no-color",
        ]
        command += [
            "--max-examples",
            str(EXAMPLES),
            "--phases",
            "coverage,fuzzing",
            "--generation-deterministic",
        ]
        command += ["-H", f"authorization:Bearer {server.server.seat.token}", *which]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=tmp_path, env=ENVIRONMENT
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert server.ask("A,2").status_code == 200

"""Strangers who call our server: each runs in the environment `make test-deps` makes for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.shared import CHECKOUT

_PROGRAMS = Path(os.environ.get("WATCHKEEPER_CLIENTS_BIN") or CHECKOUT / ".venv-clients" / "bin")
# Credentials that open nothing, and no look around the machine for others.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "unused",
    "AWS_SECRET_ACCESS_KEY": "unused",
    "AWS_DEFAULT_REGION": "ap-southeast-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "NO_PROXY": "127.0.0.1",
    "PATH": os.environ.get("PATH", ""),
}


def program(name: str) -> str:
    """The path of a program of that environment; the test is skipped where it is not there."""
    found = _PROGRAMS / name
    if not found.exists():
        pytest.skip(f"no {found}: make test-deps installs boto3, the AWS CLI and Schemathesis there")
    return str(found)

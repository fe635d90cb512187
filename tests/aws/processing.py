"""SageMaker's processing jobs, run where a test wants one: what is asked for is mounted, the image's entry
point runs under the job's role, what it leaves is carried away (contract 8.1)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import boto3

from tests.aws.doubles import Doubles
from tests.aws.formation import REGION
from tests.deploy.test_analyzer_image import PROGRAM

ML = PurePosixPath("/opt/ml")
_SECONDS = 120


@dataclass(frozen=True)
class Ran:
    """How a job ended, and which distributions its program had loaded by then."""

    code: int
    message: str
    said: str
    root: Path
    packages: frozenset[str]

    def left(self, name: str) -> str:
        """A file of the job's output."""
        return (self.root / "processing" / "output" / name).read_text(encoding="utf-8")


def credentials(doubles: Doubles, role: str) -> dict[str, str]:
    """Those of a role, as the service takes it on for the job; MiniStack has no service that could."""
    name = role.rpartition("/")[2]
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    doubles.client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=document)
    found = doubles.client("sts").assume_role(RoleArn=role, RoleSessionName=f"job-{name}"[:64])["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
        "AWS_SESSION_TOKEN": found["SessionToken"],
    }


def run_job(doubles: Doubles, asked: Mapping[str, Any], folder: Path) -> Ran:
    """What `CreateProcessingJob` asks for, to its end."""
    root = folder / asked["ProcessingJobName"]
    root.mkdir(parents=True)
    own = credentials(doubles, asked["RoleArn"])
    s3 = boto3.client(
        "s3",
        endpoint_url=doubles.ministack,
        region_name=REGION,
        aws_access_key_id=own["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=own["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=own["AWS_SESSION_TOKEN"],
    )
    for each in asked.get("ProcessingInputs", ()):
        mount(s3, each["S3Input"], root)
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(root)],
        env={"PATH": os.environ["PATH"], **doubles.environment, **own, **asked["Environment"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
        cwd=root,
    )
    for each in asked.get("ProcessingOutputConfig", {}).get("Outputs", ()):
        carry(s3, each["S3Output"], root)
    message = root / "output" / "message"
    text = message.read_text(encoding="utf-8") if message.exists() else ""
    assert ran.returncode == 0, ran.stdout + ran.stderr
    code, loaded = json.loads(ran.stdout.splitlines()[-1])
    return Ran(code or 0, text, ran.stdout + ran.stderr, root, frozenset(loaded))


def below(root: Path, path: str) -> Path:
    return root / PurePosixPath(path).relative_to(ML)


def mount(s3: Any, given: Mapping[str, Any], root: Path) -> None:
    """Objects of a prefix, or those that a manifest names, below the path."""
    place = below(root, given["LocalPath"])
    bucket, _, key = given["S3Uri"].removeprefix("s3://").partition("/")
    for name, (source, inner) in _objects(s3, given["S3DataType"], bucket, key):
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(s3.get_object(Bucket=source, Key=inner)["Body"].read())


def _objects(s3: Any, kind: str, bucket: str, key: str) -> Iterator[tuple[str, tuple[str, str]]]:
    if kind == "ManifestFile":
        first, *names = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        source, _, prefix = first["prefix"].removeprefix("s3://").partition("/")
        yield from ((name, (source, f"{prefix}{name}")) for name in names)
        return
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
        for each in page.get("Contents", ()):
            yield each["Key"][len(key) :].lstrip("/"), (bucket, each["Key"])


def carry(s3: Any, given: Mapping[str, Any], root: Path) -> None:
    bucket, _, key = given["S3Uri"].removeprefix("s3://").partition("/")
    place = below(root, given["LocalPath"])
    for path in sorted(place.rglob("*")):
        if path.is_file():
            name = path.relative_to(place).as_posix()
            s3.put_object(Bucket=bucket, Key=f"{key}/{name}", Body=path.read_bytes())

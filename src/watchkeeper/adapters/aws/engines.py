"""What builds images and pushes them: Docker or Podman on this machine."""

from __future__ import annotations

import base64
import contextlib
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchkeeper.adapters.aws.errors import translated
from watchkeeper.core.errors import InputError, PlatformError

KNOWN = ("docker", "podman")
_TAIL = 2000  # characters of what a command said


@dataclass(frozen=True, slots=True)
class Engine:
    """A program with Docker's commands."""

    program: str

    def build(self, folder: Path, dockerfile: Path, tag: str) -> None:
        """Build for the processors that SageMaker has, whatever this machine's is."""
        self._run("build", "--platform", "linux/amd64", "--file", str(dockerfile), "--tag", tag, str(folder))

    def pull(self, image: str) -> None:
        self._run("pull", "--platform", "linux/amd64", image)

    def has(self, tag: str) -> bool:
        """Whether an image is here."""
        command = [self.program, "image", "inspect", tag]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def push(self, tag: str, to: str) -> None:
        """Push an image under another name."""
        self._run("tag", tag, to)
        self._run("push", to)

    def log_in(self, registry: str, user: str, password: str) -> None:
        """The password is given on standard input, where no list of processes shows it."""
        self._run("login", "--username", user, "--password-stdin", registry, said=password)

    def _run(self, *arguments: str, said: str = "") -> None:
        command = [self.program, *arguments]
        done = subprocess.run(command, input=said, capture_output=True, text=True, check=False)
        if done.returncode:
            words = f"{done.stdout}{done.stderr}".strip()[-_TAIL:]
            raise PlatformError(
                f"run {self.program} {arguments[0]}: it ended with {done.returncode}: {words}",
                retryable=False,
            )


def engine(name: str) -> Engine:
    """The one of that name, or the first that is there for `auto`. Raises InputError where none is."""
    wanted: Sequence[str] = KNOWN if name == "auto" else (name,)
    for program in wanted:
        if shutil.which(program):
            return Engine(program)
    raise InputError(
        f"build images: want {' or '.join(wanted)} on PATH, got none; --with codebuild builds them on AWS"
    )


def registry_login(client: Any) -> tuple[str, str]:
    """User and password of the account's registry, for twelve hours.

    Source: docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html.
    """
    with translated("log into the registry"):
        (found,) = client.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(found["authorizationToken"]).decode().partition(":")
    return user, password


def ensure_repository(client: Any, name: str) -> None:
    """Make a repository for another's image, as our templates make ours: its tags never move."""
    with (
        translated(f"make repository {name}"),
        contextlib.suppress(client.exceptions.RepositoryAlreadyExistsException),
    ):
        client.create_repository(
            repositoryName=name,
            imageTagMutability="IMMUTABLE",
            imageScanningConfiguration={"scanOnPush": True},
        )


def pushed_digest(client: Any, repository: str, tag: str) -> str | None:
    """The digest under which the registry keeps a tag; None when it has no such tag."""
    asked = {"repositoryName": repository, "imageIds": [{"imageTag": tag}]}
    with translated(f"look up {repository}:{tag}"):
        try:
            found = client.describe_images(**asked)["imageDetails"]
        except client.exceptions.ImageNotFoundException:
            return None
    return str(found[0]["imageDigest"]) if found else None

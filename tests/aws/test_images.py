"""Images are built once a commit, pushed into the registry, mirrored by version, and noted by digest."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.aws.doubles import Doubles
from tests.aws.projects import landscape_of, quiet
from tests.shared import CHECKOUT
from watchkeeper.adapters.aws import codebuild
from watchkeeper.adapters.aws.codebuild import run_build
from watchkeeper.app.aws import building
from watchkeeper.app.aws.building import build_images, push_images, tag_of
from watchkeeper.app.aws.deploying import Choice, Outcome, deploy
from watchkeeper.app.aws.images import OURS, images
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import Progress

# What answers to Docker's commands here: it keeps what it was told, and puts a manifest where it pushes to.
ENGINE = """\
#!{python}
import json, os, pathlib, sys
log = pathlib.Path(os.environ["ENGINE_LOG"])
said = sys.stdin.read() if "--password-stdin" in sys.argv else ""
with log.open("a") as lines:
    lines.write(json.dumps([sys.argv[1:], said]) + chr(10))
known = pathlib.Path(os.environ["ENGINE_LOG"] + ".tags")
tags = known.read_text().split() if known.exists() else []
if sys.argv[1:3] == ["image", "inspect"]:
    sys.exit(0 if sys.argv[3] in tags else 1)
if sys.argv[1] == "build":
    known.write_text(" ".join([*tags, sys.argv[sys.argv.index("--tag") + 1]]))
if sys.argv[1] == "push":
    import boto3
    registry, _, name = sys.argv[2].partition("/")
    repository, _, tag = name.partition(":")
    manifest = json.dumps({{"schemaVersion": 2, "config": {{"digest": "sha256:" + "0" * 64, "name": name}}}})
    boto3.client("ecr").put_image(repositoryName=repository, imageManifest=manifest, imageTag=tag)
if sys.argv[1] == "pull" and "refused" in sys.argv[-1]:
    sys.exit("manifest unknown")
"""


@pytest.fixture
def told(tmp_path: Path, doubles: Doubles, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program `docker` on PATH, and where it writes down what it was told."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(ENGINE.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("ENGINE_LOG", str(tmp_path / "told.jsonl"))
    for name, text in doubles.environment.items():
        monkeypatch.setenv(name, text)
    return tmp_path / "told.jsonl"


@pytest.fixture
def landscape(doubles: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Landscape:
    monkeypatch.setattr(building, "clean_commit", lambda: "0123456789ab")
    found = landscape_of(doubles, tmp_path)
    deploy(found, Choice((CENTRAL,)), quiet)
    return found


def lines(told: Path) -> list[tuple[list[str], str]]:
    return [tuple(json.loads(line)) for line in told.read_text().splitlines()]


def test_each_of_ours_is_built_for_sagemaker_once_a_commit_and_pushed(
    landscape: Landscape, told: Path, doubles: Doubles
) -> None:
    steps: list[Progress] = []
    done = push_images(landscape, "auto", (), steps.append)
    assert [image.name for image in done.images] == list(OURS)
    builds = [words for words, _ in lines(told) if words[0] == "build"]
    assert [words[words.index("--tag") + 1] for words in builds] == [
        f"watchkeeper-demo/{name}:0123456789ab" for name in OURS
    ]
    assert all(words[1:3] == ["--platform", "linux/amd64"] for words in builds)
    assert [Path(words[words.index("--file") + 1]).parent.name for words in builds] == list(OURS)
    assert {step.step for step in steps} == {"build", "push"}
    ((login, password),) = [each for each in lines(told) if each[0][0] == "login"]
    assert password
    assert password not in login
    for image in done.images:
        (held,) = doubles.client("ecr").describe_images(repositoryName=f"watchkeeper-demo/{image.name}")[
            "imageDetails"
        ]
        assert image.uri.endswith(f"/watchkeeper-demo/{image.name}@{held['imageDigest']}")
        assert held["imageTags"] == ["0123456789ab"]
    count = len(lines(told))
    assert push_images(landscape, "docker", (), quiet) == done
    assert len(lines(told)) == count, "what is on record under this commit is not pushed again"
    again = deploy(landscape, Choice((CENTRAL,)), quiet)
    assert [each.layer for each in again.stages if each.outcome is Outcome.MADE] == ["pipeline"]


def test_another_s_image_is_mirrored_under_its_version(
    landscape: Landscape, told: Path, doubles: Doubles
) -> None:
    push_images(landscape, "docker", ("prom/prometheus:v3.1",), quiet)
    push_images(landscape, "docker", ("prom/prometheus:v3.1", "prom/prometheus:v3.2"), quiet)
    pushed = [words[-1] for words, _ in lines(told) if words[0] == "push" and "prometheus" in words[-1]]
    assert len(pushed) == 2, "each once"
    pulled = [words[-1] for words, _ in lines(told) if words[0] == "pull"]
    assert pulled == ["prom/prometheus:v3.1", "prom/prometheus:v3.2"], "the first was there already"
    held = doubles.client("ecr").describe_images(repositoryName="watchkeeper-demo/prometheus")["imageDetails"]
    assert sorted(tag for each in held for tag in each["imageTags"]) == ["v3.1", "v3.2"]
    kept = images(landscape.central_store())["prometheus"]
    assert (kept.number, kept.commit) == (2, "v3.2")
    both = push_images(landscape, "docker", ("prom/x:1", "prom/x:2", "prom/prometheus:v3.1"), quiet)
    newest = {image.name: (image.number, image.commit) for image in both.images}
    assert (newest["x"], newest["prometheus"]) == ((2, "2"), (3, "v3.1")), "two at once; an older one again"
    with pytest.raises(InputError, match="mirror prom/prometheus: want it with its version or digest"):
        push_images(landscape, "docker", ("prom/prometheus",), quiet)
    with pytest.raises(PlatformError, match=r"run docker pull: it ended with 1: manifest unknown"):
        push_images(landscape, "docker", ("refused/image:1",), quiet)


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("watchkeeper-demo/serving:abc", "abc"),
        ("prom/prometheus:v3.1", "v3.1"),
        ("localhost:5000/x:2", "2"),
        ("x@sha256:" + "a" * 64, "sha256-" + "a" * 12),
    ],
)
def test_a_tag_is_a_version(image: str, tag: str) -> None:
    assert tag_of(image) == tag


@pytest.mark.parametrize("image", ["x", "x:latest", "localhost:5000/x"])
def test_what_moves_is_no_version(image: str) -> None:
    with pytest.raises(InputError, match="want it with its version or digest"):
        tag_of(image)


def test_without_an_engine_it_is_said_what_builds(
    landscape: Landscape, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="want docker or podman on PATH, got none; --with codebuild"):
        build_images(landscape.project, "auto", quiet)
    with pytest.raises(InputError, match="it pushes what it builds"):
        build_images(landscape.project, "codebuild", quiet)


class Builds:
    """CodeBuild, of which no double has builds: it answers each look with the next status."""

    def __init__(self, *statuses: str) -> None:
        self.statuses, self.asked = list(statuses), dict[str, Any]()

    def start_build(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        return {"build": self._next()}

    def batch_get_builds(self, ids: list[str]) -> dict[str, Any]:
        assert ids == ["watchkeeper-demo:1"]
        return {"builds": [self._next()]}

    def _next(self) -> dict[str, Any]:
        return {"id": "watchkeeper-demo:1", "buildStatus": self.statuses.pop(0), "currentPhase": "BUILD"}


def test_codebuild_is_followed_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codebuild, "_PAUSE", 0.0)
    steps: list[Progress] = []
    builds = Builds("IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED")
    run_build(builds, "watchkeeper-demo", {"COMMIT": "abc"}, steps.append)
    assert [step.note for step in steps] == ["BUILD", "BUILD"]
    assert builds.asked["projectName"] == "watchkeeper-demo"
    assert builds.asked["environmentVariablesOverride"] == [
        {"name": "COMMIT", "value": "abc", "type": "PLAINTEXT"}
    ]
    with pytest.raises(PlatformError, match="CodeBuild project watchkeeper-demo: FAILED; no log"):
        run_build(Builds("FAILED"), "watchkeeper-demo", {}, quiet)


def test_the_buildspec_pushes_each_of_ours_under_the_commit() -> None:
    text = (CHECKOUT / "deploy" / "aws" / "buildspec.yaml").read_text(encoding="utf-8")
    for name in ("COMMIT", "REGISTRY", "PREFIX"):
        assert f"${name}" in text or f"${{{name}}}" in text
    assert all(name in text for name in OURS)

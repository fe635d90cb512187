"""Our images: built from this checkout by its commit, pushed into the central account, noted by digest."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from watchkeeper.adapters.aws.codebuild import run_build
from watchkeeper.adapters.aws.engines import Engine, engine, ensure_repository, pushed_digest, registry_login
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.aws.images import OURS, Image, images, keep_image
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.app.setup.here import REPOSITORY
from watchkeeper.app.setup.project import Project
from watchkeeper.core.errors import InputError, PlatformError, Refused
from watchkeeper.core.values import Progress

Report = Callable[[Progress], None]
CODEBUILD = "codebuild"


@dataclass(frozen=True, slots=True)
class Built:
    """Images on this machine, by their tags."""

    commit: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pushed:
    """Images in the registry, as they are on record now."""

    images: tuple[Image, ...]


def build_images(project: Project, name: str, report: Report) -> Built:
    """Build each of ours, once a commit. Raises Refused from a checkout with changes: no commit says what
    is in it."""
    if name == CODEBUILD:
        raise InputError("build with codebuild: it pushes what it builds; run `watchkeeper aws images push`")
    here, commit = engine(name), clean_commit()
    tags = tuple(_tag(project, image, commit) for image in OURS)
    for number, (image, tag) in enumerate(zip(OURS, tags, strict=True)):
        report(Progress("build", number, len(OURS), image))
        if not here.has(tag):
            here.build(REPOSITORY, REPOSITORY / "deploy" / "containers" / image / "Dockerfile", tag)
    report(Progress("build", len(OURS), len(OURS), commit))
    return Built(commit, tags)


def push_images(landscape: Landscape, name: str, mirrored: Sequence[str], report: Report) -> Pushed:
    """Push each of ours, and copies of `mirrored` ones; what is on record under this commit is not pushed
    again."""
    commit, known = clean_commit(), images(landscape.central_store())
    copies = [each for each in mirrored if not _is_known(known, _repository_of(each), tag_of(each))]
    wanted = [image for image in OURS if not _is_known(known, image, commit)]
    if name == CODEBUILD:
        _on_codebuild(landscape, commit, report)
    elif wanted or copies:
        here = engine(name)
        build_images(landscape.project, name, report)
        ours = [(image, _tag(landscape.project, image, commit)) for image in wanted]
        others = [(_repository_of(each), each) for each in _mirror(landscape, here, copies)]
        _push_all(landscape, here, (*ours, *others), report)
    for image in wanted:
        _note(landscape, image, commit)
    for each in copies:
        _note(landscape, _repository_of(each), tag_of(each))
    return Pushed(tuple(images(landscape.central_store()).values()))


def clean_commit() -> str:
    """The checkout's commit. Raises Refused when files differ from it, InputError where there is no
    checkout."""
    if not (REPOSITORY / ".git").exists():
        raise InputError("build images: want a checkout of the repository, this is an installed package")
    asked = ["git", "-C", str(REPOSITORY), "status", "--porcelain"]
    if subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip():
        raise Refused("build images: want a checkout without changes, as an image is named by its commit")
    asked = ["git", "-C", str(REPOSITORY), "rev-parse", "--short=12", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def _push_all(landscape: Landscape, here: Engine, tags: Sequence[tuple[str, str]], report: Report) -> None:
    """Push what the registry has not, each image under its tag: a tag there never moves."""
    account = landscape.account_of(CENTRAL)
    client, registry = account.client("ecr"), f"{account.number}.dkr.ecr.{account.region}.amazonaws.com"
    here.log_in(registry, *registry_login(client))
    for number, (image, tag) in enumerate(tags):
        report(Progress("push", number, len(tags), image))
        repository = landscape.names.repository(image)
        if pushed_digest(client, repository, tag_of(tag)) is None:
            here.push(tag, f"{registry}/{repository}:{tag_of(tag)}")
    report(Progress("push", len(tags), len(tags), registry))


def _note(landscape: Landscape, image: str, version: str) -> None:
    """Put an image on record under the digest that the registry has for it."""
    store, account = landscape.central_store(), landscape.account_of(CENTRAL)
    known, repository = images(store), landscape.names.repository(image)
    digest = pushed_digest(account.client("ecr"), repository, version)
    if digest is None:
        raise PlatformError(f"look up {repository}:{version}: it was not pushed", retryable=False)
    uri = f"{account.number}.dkr.ecr.{account.region}.amazonaws.com/{repository}@{digest}"
    number = known[image].number + 1 if image in known else 1
    actor = landscape.account.actor
    keep_image(store, Image(image, number, uri, version, WallClock().now(), actor))


def _on_codebuild(landscape: Landscape, commit: str, report: Report) -> None:
    """A project of the agency's, of the name of ours, that runs deploy/aws/buildspec.yaml on this
    repository."""
    account = landscape.account_of(CENTRAL)
    registry = f"{account.number}.dkr.ecr.{account.region}.amazonaws.com"
    told = {"COMMIT": commit, "REGISTRY": registry, "PREFIX": landscape.names.pipeline}
    run_build(account.client("codebuild"), landscape.names.pipeline, told, report)


def _tag(project: Project, image: str, commit: str) -> str:
    return f"watchkeeper-{project.name}/{image}:{commit}"


def tag_of(image: str) -> str:
    """What an image is tagged by: a commit for ours, its own version or digest for another's.

    >>> tag_of("prom/prometheus:v3.1"), tag_of("localhost:5000/x@sha256:0123456789abcdef")
    ('v3.1', 'sha256-0123456789ab')

    Raises InputError for one that only has a name: whose newest that is changes, and tags here never move.
    """
    name, _, digest = image.partition("@")
    if digest:
        return digest.replace(":", "-")[: len("sha256-") + 12]
    tag = name.rpartition("/")[2].partition(":")[2]
    if tag in ("", "latest"):
        raise InputError(f"mirror {image}: want it with its version or digest, as `prom/prometheus:v3.1`")
    return tag


def _is_known(known: Mapping[str, Image], image: str, version: str) -> bool:
    return image in known and known[image].commit == version


def _mirror(landscape: Landscape, here: Engine, copies: Sequence[str]) -> Iterator[str]:
    """Each image that is copied, once it is here and has a repository to go to."""
    client = landscape.account_of(CENTRAL).client("ecr")
    for each in copies:
        here.pull(each)
        ensure_repository(client, landscape.names.repository(_repository_of(each)))
        yield each


def _repository_of(image: str) -> str:
    """`prom/prometheus:v3.1` lies in a repository `prometheus`."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]

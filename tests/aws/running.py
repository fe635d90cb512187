"""The small project on the doubles, trained, deployed, and with an endpoint that answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.app.loop import Loop, bring_to_prod, model_of, new_loop, train_in
from tests.aws.doubles import Doubles
from tests.aws.packages import package
from tests.aws.projects import ANA, ONE_ACCOUNT, landscape_of, quiet
from tests.aws.runtime import Endpoint
from tests.training.history import sales
from watchkeeper.adapters.aws.store import S3Store
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.sources.dataset import dataset
from watchkeeper.app.aws.checks import Effort, Visit
from watchkeeper.app.aws.deploying import Choice, deploy
from watchkeeper.app.aws.images import OTHERS, OURS, Image, keep_image
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.training import put_data
from watchkeeper.app.aws.validating import Validation, validate
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.packages import Package, keep_package
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.core.ports import Store

OF_FILES = ("source: look-alike", "source: files")
HERE = Choice((CENTRAL, "dev"))  # what its tests are about: the others would be the same again
BEFORE = Choice((CENTRAL,), "foundation")  # what images, data and records are put into
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"})


def trained_loop(folder: Path) -> Loop:
    """A version with its baselines, approved everywhere."""
    loop = new_loop(folder)
    train_in(loop)
    bring_to_prod(loop)
    return loop


@dataclass
class Deployed:
    """The small project on the doubles, with an endpoint that answers."""

    landscape: Landscape
    folder: Path
    endpoint: Endpoint

    def validated(self, rows: int = 60, patience: float = 20.0) -> Validation:
        return validate(Visit(self.landscape, Effort("dev", rows, patience), self.folder))


def push(doubles: Doubles, store: Store) -> None:
    """Images that are really in the registry."""
    client = doubles.client("ecr")
    for name in OURS:
        made = client.put_image(
            repositoryName=f"watchkeeper-demo/{name}", imageManifest=MANIFEST, imageTag="1"
        )["image"]
        uri = f"123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/watchkeeper-demo/{name}"
        digest = made["imageId"]["imageDigest"]
        keep_image(store, Image(name, 1, f"{uri}@{digest}", "abc", WallClock().now(), ANA))


def push_copies(store: Store) -> None:
    """Others' images, which nobody pulls here."""
    for name in OTHERS:
        uri = f"123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/watchkeeper-demo/{name}@sha256:{0:064d}"
        keep_image(store, Image(name, 1, uri, "v1", WallClock().now(), ANA))


def recorded_project(doubles: Doubles, folder: Path, trained: Loop, *changes: tuple[str, str]) -> Landscape:
    """The bucket with all records, images, data and version 1's package; nothing else is deployed."""
    landscape = landscape_of(doubles, folder, ONE_ACCOUNT, OF_FILES, *changes)
    deploy(landscape, BEFORE, quiet)
    store = landscape.central_store()
    push(doubles, store)
    push_copies(store)
    for key in trained.store.list(""):
        store.write(key, trained.store.read(key))
    arn = package(doubles)
    keep_package(store, Package(1, arn, WallClock().now()))
    doubles.client("sagemaker").update_model_package(
        ModelPackageArn=arn, CustomerMetadataProperties={"mlflow_run_id": "run-1"}
    )
    put_data(store, dataset(sales(), "file", ""), ANA, WallClock())
    return landscape


def deployed_project(doubles: Doubles, folder: Path, trained: Loop, *changes: tuple[str, str]) -> Deployed:
    """Every stack of it; version 1 serves everywhere on record, and answers in dev."""
    landscape = recorded_project(doubles, folder, trained, *changes)
    deploy(landscape, HERE, quiet)
    serving = catalogue(landscape.central_store()).serving("dev")
    assert serving is not None
    served = doubles.runtime.serve(
        serving, model_of(trained), S3Store(doubles.client("s3"), landscape.bucket("dev")), folder / "spool"
    )
    return Deployed(landscape, folder, served)

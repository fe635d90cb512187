"""The target `aws`: records in S3, versions in SageMaker's registry, endpoints as stacks."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from watchkeeper.adapters.aws.endpoint import StackEndpointHost
from watchkeeper.adapters.aws.tracking import PackageTracker
from watchkeeper.adapters.aws.trail import S3Trail
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.tracking import MlflowTracker
from watchkeeper.adapters.memory.tracking import MemoryTracker
from watchkeeper.app.aws.environment_layers import ENDPOINT
from watchkeeper.app.aws.landscape import Landscape, open_landscape
from watchkeeper.app.aws.layers import known_outputs
from watchkeeper.app.aws.pipeline import TRACKING, tracking_uri
from watchkeeper.app.aws.site import Site
from watchkeeper.app.registry.baselines import baselines
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.packages import package_of
from watchkeeper.app.registry.records import RememberingStore
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Clock, Store, Tracker
from watchkeeper.core.stacks import StackRequest
from watchkeeper.core.values import Actor, Progress

Report = Callable[[Progress], None]


def target(project: Project, folder: Path, clock: Clock | None = None) -> Target:
    """The project on AWS, as whoever runs this; `folder` is for files that are worked on."""
    return target_in(open_landscape(project), folder, clock)


def caller(project: Project) -> Actor:
    """Who acts on AWS, as AWS says."""
    return open_landscape(project).account.actor


def target_in(
    landscape: Landscape, folder: Path, clock: Clock | None = None, report: Report = lambda _: None
) -> Target:
    """The same where the accounts are opened already; `report` is told of the endpoint's stack."""
    wall, store = WallClock(), landscape.store()

    def request(environment: str) -> StackRequest:
        return ENDPOINT.request(Site(landscape, environment, known_outputs(landscape)))

    return Target(
        project=landscape.project,
        folder=folder.resolve(),
        store=store,
        clock=clock or wall,
        trail=S3Trail(landscape.central_store(), wall),
        tracker=PackageTracker(
            client=landscape.near_central().client("sagemaker"),
            runs=_runs(landscape, folder),
            package_of=partial(package_of, store),
            first=landscape.project.environments[0],
        ),
        host=StackEndpointHost(
            stacks=landscape.stacks,
            request=request,
            parameters=partial(version_parameters, landscape.project, store),
            report=report,
        ),
    )


def target_of(landscape: Landscape, environment: str, folder: Path, clock: Clock | None = None) -> Target:
    """What a job of one environment works with: it sees the captures of no other, and reads a record once."""
    whole = target_in(landscape, folder, clock)
    return replace(whole, store=RememberingStore(landscape.store(environment)))


def version_parameters(project: Project, store: Store, version: int, environment: str) -> Mapping[str, str]:
    """What the endpoint's stack is told of a version: its package, and the baselines that judge it there.

    Raises InputError for a version that has no package.
    """
    package = package_of(store, version)
    if not package:
        raise InputError(
            f"deploy model v{version} to {environment}: want a package of the model registry, it has none; "
            "versions of `watchkeeper train --target aws` have"
        )
    return {
        "ModelPackageArn": package,
        "ModelVersion": str(version),
        "BaselineVersions": baseline_versions(project, store, version, environment),
        "SchemaVersion": str(catalogue(store).version(version).schema_version),
    }


def baseline_versions(project: Project, store: Store, version: int, environment: str) -> str:
    """The approved baselines of a version in an environment, as the stack's parameter has them."""
    used = {
        monitor: baselines(store, monitor).in_use(version, environment)
        for monitor in project.environment(environment).monitors
    }
    return " ".join(f"{monitor}={each.version}" for monitor, each in used.items() if each) or "none"


def _runs(landscape: Landscape, folder: Path) -> Tracker:
    """MLflow, from its own account; from another one nothing is mirrored, as the server admits nobody
    there."""
    if landscape.account.number != landscape.number(CENTRAL):
        return MemoryTracker()
    server = os.environ.get(TRACKING) or tracking_uri(landscape)
    return MlflowTracker(folder / "mlflow", landscape.project.name, server)

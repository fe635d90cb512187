"""Projects on AWS: the small one of the other tests, with an account."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.app.loop import PROJECT, write_project
from tests.aws.doubles import Doubles
from tests.aws.formation import ACCOUNT, REGION
from tests.aws.packages import package
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.aws.images import OTHERS, OURS, Image, keep_image
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.registry.packages import Package, keep_package
from watchkeeper.app.registry.records import create_record
from watchkeeper.app.registry.schemas import keep_schema
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.app.setup.project import Project, load_project
from watchkeeper.core.ports import Store
from watchkeeper.core.values import (
    Actor,
    Column,
    ColumnType,
    Deployment,
    ModelVersion,
    Progress,
    Role,
    Schema,
)

ANA = Actor("ana", "session")
TARGETS = f"targets:\n  local: {{}}\n  aws: {{region: {REGION}}}\n"
ONE_ACCOUNT = ("receivers:\n", f"{TARGETS}receivers:\n")
ALL = (CENTRAL, "dev", "uat", "prod")


def project_on_aws(folder: Path, *changes: tuple[str, str]) -> Project:
    assert "targets:" not in PROJECT
    return load_project(write_project(folder, *(changes or (ONE_ACCOUNT,))))


def landscape_of(doubles: Doubles, folder: Path, *changes: tuple[str, str]) -> Landscape:
    return Landscape(project_on_aws(folder, *changes), doubles.account())


def push_images(store: Store) -> None:
    """As `watchkeeper aws images push` leaves them on record."""
    for number, name in enumerate((*OURS, *OTHERS)):
        uri = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/watchkeeper-demo/{name}@sha256:{number:064d}"
        keep_image(store, Image(name, 1, uri, "abc", datetime(2026, 1, 1, tzinfo=UTC), ANA))


def add_version(doubles: Doubles, store: Store, version: int) -> ModelVersion:
    """A version as the pipeline's last step leaves it: its record and its package."""
    schema = Schema(1, (Column("x", ColumnType.FRACTIONAL, Role.FEATURE),))
    keep_schema(store, schema)
    model = ModelVersion(
        version=version,
        digest=f"{version:064d}",
        run_id=f"run-{version}",
        trained_from="2018-01",
        trained_through="2020-03",
        labels_known_in="2020-04",
        metrics={"rmse": 1.0},
        schema_version=1,
        data_digest="d" * 64,
        project_digest="p" * 64,
        registered_at=datetime(2026, 1, version, tzinfo=UTC),
        registered_by=ANA,
    )
    create_record(store, f"models/v{version}/model.json", model)
    keep_package(store, Package(version, package(doubles), WallClock().now()))
    return model


def put_into_service(store: Store, project: Project, version: int, environment: str, number: int = 1) -> None:
    """As a promotion leaves it on record."""
    now = datetime(2026, 2, number, tzinfo=UTC)
    deployment = Deployment(
        number, environment, project.endpoint(environment), version, f"{version:064d}", None, now, ANA
    )
    create_record(store, f"deployments/{environment}/{number:06d}.json", deployment)


def quiet(_: Progress) -> None:
    """Nobody looks."""

"""The training pipeline on AWS: its definition, and where that lies."""

from __future__ import annotations

from dataclasses import dataclass

from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from watchkeeper.app.aws.images import images, missing_images
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.site import Site, network_of
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.app.setup.project import FILE, Project
from watchkeeper.core.encoding import canonical, digest
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Store
from watchkeeper.render.sagemaker_pipeline import PipelinePlan, Range, definition
from watchkeeper.training.search import SPACE

TRACKING = "WATCHKEEPER_TRACKING_URI"


@dataclass(frozen=True, slots=True)
class Definition:
    """A pipeline's definition as it is stored, and the project file that its jobs read."""

    text: bytes
    project: bytes

    @property
    def key(self) -> str:
        """Another definition lies under another key."""
        return f"pipeline/definitions/{digest(self.text)[:16]}.json"


def project_key(project: bytes) -> str:
    """Where the project file lies that jobs read; its folder is what they mount."""
    return f"projects/{digest(project)[:16]}/{FILE}"


def pipeline_definition(site: Site, store: Store) -> Definition:
    """The definition as it is to be. Raises InputError while an image of ours was never pushed."""
    if missing := missing_images(store):
        raise InputError(
            f"render the pipeline: want the image {', '.join(missing)} in the registry; "
            "run `watchkeeper aws images push`"
        )
    project = site.landscape.project.text.encode()
    return Definition(canonical(definition(_plan(site, store, project))), project)


def keep_project(store: Store, project: Project) -> None:
    """Put the project file where jobs are told that it is."""
    text = project.text.encode()
    store.write(project_key(text), text)


def keep_definition(store: Store, made: Definition) -> None:
    """Put it where the pipeline's stack will say that it is."""
    store.write(project_key(made.project), made.project)
    store.write(made.key, made.text)


def tracking_uri(landscape: Landscape) -> str:
    """What MLflow's client is told: a server's address, or the ARN of the one that SageMaker runs."""
    tracking = landscape.section(CENTRAL).tracking
    if tracking != "sagemaker":
        return tracking
    here = f"{landscape.names.region}:{landscape.number(CENTRAL)}"
    return f"arn:aws:sagemaker:{here}:mlflow-tracking-server/{landscape.names.pipeline}"


def _plan(site: Site, store: Store, project: bytes) -> PipelinePlan:
    landscape, known = site.landscape, images(store)
    settings, section = landscape.project.settings, landscape.section(CENTRAL)
    network, bucket = network_of(site), site.of("foundation", "ArtefactBucketName")
    return PipelinePlan(
        bucket=bucket,
        key_arn=site.of("foundation", "KeyArn"),
        role_arn=site.of("roles", "PipelineRoleArn"),
        package_group=landscape.names.pipeline,
        subnets=network["SubnetIds"].split(","),
        security_groups=network["SecurityGroupIds"].split(","),
        images={name: image.uri for name, image in known.items()},
        training_instance=section.instances.training,
        processing_instance=section.instances.processing,
        project_uri=f"s3://{bucket}/{project_key(project).rpartition('/')[0]}",
        trials=settings.training.search.trials,
        seed=settings.training.search.seed,
        ranges=tuple(_range(name, found) for name, found in SPACE.items()),
        monitors=tuple(settings.monitors),
        variables={"AWS_DEFAULT_REGION": section.region, TRACKING: tracking_uri(landscape)},
    )


def _range(name: str, found: BaseDistribution) -> Range:
    """What a local search may choose, a tuning job may choose."""
    if not isinstance(found, IntDistribution | FloatDistribution):
        raise TypeError(f"no range of a tuning job is known for {found}")
    return Range(name, found.low, found.high, isinstance(found, IntDistribution), found.log)

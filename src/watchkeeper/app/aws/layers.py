"""The stacks in their order, and what each is told: one concern a layer, its template under deploy/aws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.app.aws.landscape import Landscape, Outputs
from watchkeeper.app.aws.names import is_central
from watchkeeper.app.setup.aws_sections import CENTRAL, Job
from watchkeeper.app.setup.here import PACKAGE, REPOSITORY
from watchkeeper.app.setup.sections import Kept
from watchkeeper.core.errors import InputError
from watchkeeper.core.stacks import StackRequest
from watchkeeper.core.windows import Duration

LOG_DAYS = (30, 90, 180, 365, 400, 545, 731, 1827, 3653)  # what CloudWatch Logs knows, of what is long enough
_DAY, _MONTH = 86_400, 30


@dataclass(frozen=True, slots=True)
class Site:
    """Where a layer is to be: the landscape, the scope in it, and what stacks made before it say."""

    landscape: Landscape
    scope: str
    outputs: Outputs

    def of(self, layer: str, output: str, scope: str = "") -> str:
        """An output of another layer, of this scope unless another is named."""
        return self.outputs(scope or self.scope, layer)[output]


Told = Callable[[Site], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Layer:
    """One stack of a scope: its template's path below deploy/aws, and the parameters it is told."""

    name: str
    template: str
    told: Told
    outputs: tuple[str, ...]

    def text(self) -> str:
        """The template, as people read it."""
        return (templates_folder() / self.template).read_text(encoding="utf-8")

    def request(self, site: Site) -> StackRequest:
        """The stack as it is to be."""
        names = site.landscape.names
        return StackRequest(
            name=names.stack(site.scope, self.name),
            template=self.text(),
            parameters=self.told(site),
            tags={"project": names.project, "environment": site.scope, "watchkeeper": self.name},
        )


def templates_folder() -> Path:
    """Where the templates are: in the package, or in the repository of an editable install."""
    packaged = PACKAGE / "templates" / "aws"
    return packaged if packaged.is_dir() else REPOSITORY / "deploy" / "aws"


def layers_of(landscape: Landscape, scope: str) -> tuple[Layer, ...]:
    """The layers of a scope in their order, without those that its account has already or has no need of."""
    section = landscape.section(scope)
    left_out = set()
    if section.network.whole or landscape.network_scope(scope) != scope:
        left_out.add("network")
    if section.tracking != "sagemaker":
        left_out.add("tracking")
    every = CENTRAL_LAYERS if is_central(scope) else ENVIRONMENT_LAYERS
    return tuple(layer for layer in every if layer.name not in left_out)


def layer_named(landscape: Landscape, scope: str, name: str) -> Layer:
    """One of them. Raises InputError when the scope has none of that name."""
    known = layers_of(landscape, scope)
    for layer in known:
        if layer.name == name:
            return layer
    raise InputError(f"find layer {name} of {scope}: want one of {', '.join(each.name for each in known)}")


def network_of(site: Site) -> dict[str, str]:
    """Subnets and security groups of jobs and models, each list as CloudFormation takes it."""
    section = site.landscape.section(site.scope).network
    if section.whole:
        return {"SubnetIds": ",".join(section.subnets), "SecurityGroupIds": ",".join(section.security_groups)}
    scope = site.landscape.network_scope(site.scope)
    return {name: site.of("network", name, scope) for name in ("SubnetIds", "SecurityGroupIds")}


def days(kept: Duration | str) -> int:
    """Whole days, a month being thirty; 0 for ever.

    >>> days(Duration.parse("2 months")), days("forever")
    (60, 0)
    """
    return 0 if isinstance(kept, str) else kept.months * _MONTH + -(-kept.seconds // _DAY)


def _log_days(site: Site) -> str:
    kept = _kept(site, Kept.AUDIT, 400)
    longer = [each for each in LOG_DAYS if each >= kept] if kept else []
    return str(longer[0] if longer else LOG_DAYS[-1])


def _kept(site: Site, kind: Kept, otherwise: int = 0) -> int:
    project = site.landscape.project
    settings = project.settings if is_central(site.scope) else project.environment(site.scope)
    return days(settings.retain[kind]) if kind in settings.retain else otherwise


def _accounts(site: Site) -> str:
    landscape = site.landscape
    return ",".join(sorted({landscape.number(each) for each in landscape.project.environments}))


def _central_foundation(site: Site) -> dict[str, str]:
    return {
        "Project": site.landscape.names.project,
        "EnvironmentAccounts": _accounts(site),
        "RolePath": site.landscape.section(site.scope).iam.path,
        "RecordDays": str(_kept(site, Kept.EXECUTIONS)),
        "LogDays": _log_days(site),
    }


def _network(site: Site) -> dict[str, str]:
    section = site.landscape.section(site.scope).network
    return {
        "Project": site.landscape.names.project,
        "Environment": site.scope,
        "VpcId": section.vpc,
        "SubnetIds": ",".join(section.subnets),
        "RouteTableIds": ",".join(section.route_tables),
        "SecurityGroupIds": ",".join(section.security_groups),
        "Endpoints": section.endpoints,
        "Tracking": "sagemaker" if _tracks(site) else "none",
    }


def _tracks(site: Site) -> bool:
    """Whether the training jobs run in this network and log to SageMaker's MLflow."""
    landscape = site.landscape
    here = landscape.network_scope(CENTRAL) == landscape.network_scope(site.scope)
    return here and landscape.section(CENTRAL).tracking == "sagemaker"


def _iam(site: Site, *jobs: Job) -> dict[str, str]:
    iam = site.landscape.section(site.scope).iam
    everybody = f"arn:aws:iam::{site.landscape.number(site.scope)}:root"
    return {
        "RolePath": iam.path,
        "PermissionsBoundary": iam.permissions_boundary,
        "Deployers": ",".join(iam.deployers) or everybody,
        **{f"Existing{job.title()}Role": iam.existing_roles.get(job, "") for job in jobs},
    }


def _central_roles(site: Site) -> dict[str, str]:
    return {
        "Project": site.landscape.names.project,
        "KeyArn": site.of("foundation", "KeyArn"),
        **_iam(site, Job.PIPELINE, Job.RETRAIN, Job.COLLECTOR, Job.DEPLOYER),
    }


def _tracking(site: Site) -> dict[str, str]:
    iam = site.landscape.section(site.scope).iam
    return {
        "Project": site.landscape.names.project,
        "ArtefactBucketName": site.of("foundation", "ArtefactBucketName"),
        "KeyArn": site.of("foundation", "KeyArn"),
        "RolePath": iam.path,
        "PermissionsBoundary": iam.permissions_boundary,
    }


def _pipeline(site: Site) -> dict[str, str]:
    """All but `DefinitionKey`, which is the digest of what is rendered."""
    return {
        "Project": site.landscape.names.project,
        "ArtefactBucketName": site.of("foundation", "ArtefactBucketName"),
        "PipelineRoleArn": site.of("roles", "PipelineRoleArn"),
        "EnvironmentAccounts": _accounts(site),
        "RolePath": site.landscape.section(site.scope).iam.path,
    }


def _foundation(site: Site) -> dict[str, str]:
    return {
        "Project": site.landscape.names.project,
        "Environment": site.scope,
        "EndpointName": site.landscape.project.endpoint(site.scope),
        "CaptureDays": str(_kept(site, Kept.CAPTURES)),
        "LogDays": _log_days(site),
    }


def _roles(site: Site) -> dict[str, str]:
    return {
        "Project": site.landscape.names.project,
        "Environment": site.scope,
        "EndpointName": site.landscape.project.endpoint(site.scope),
        "CentralAccount": site.landscape.number(CENTRAL),
        "KeyArn": site.of("foundation", "KeyArn"),
        "CentralKeyArn": site.of("foundation", "KeyArn", CENTRAL),
        "MetricsNamespace": site.landscape.section(site.scope).namespace,
        **_iam(site, Job.ENDPOINT, Job.MONITOR, Job.BRIDGE, Job.DEPLOYER),
    }


def _endpoint(site: Site) -> dict[str, str]:
    """All but what a version is: `adapters.aws.endpoint.OF_VERSION`."""
    environment = site.landscape.project.environment(site.scope).environments[site.scope]
    instances = site.landscape.section(site.scope).instances
    return {
        "Project": site.landscape.names.project,
        "Environment": site.scope,
        "EndpointName": site.landscape.project.endpoint(site.scope),
        "EndpointRoleArn": site.of("roles", "EndpointRoleArn"),
        "KeyArn": site.of("foundation", "KeyArn"),
        "CaptureBucketName": site.of("foundation", "CaptureBucketName"),
        "InstanceType": instances.endpoint,
        "InstanceCount": str(instances.endpoint_count),
        "SamplingPercentage": str(environment.capture.sampling),
        "MaxErrorRatio": f"{environment.canary.errors:g}",
        **network_of(site),
    }


NETWORK = Layer("network", "network.yaml", _network, ("SubnetIds", "SecurityGroupIds"))
ENDPOINT = Layer(
    "endpoint",
    "environment/endpoint.yaml",
    _endpoint,
    ("EndpointName", "ModelPackageArn", "ModelVersion", "BaselineVersions"),
)
PIPELINE = Layer("pipeline", "central/pipeline.yaml", _pipeline, ("PipelineName", "ModelPackageGroupArn"))
CENTRAL_LAYERS = (
    Layer(
        "foundation",
        "central/foundation.yaml",
        _central_foundation,
        (
            "KeyArn",
            "ArtefactBucketName",
            "EventBusArn",
            "AnalyzerRepositoryUri",
            "ServingRepositoryUri",
            "TrainingRepositoryUri",
        ),
    ),
    NETWORK,
    Layer(
        "roles",
        "central/roles.yaml",
        _central_roles,
        ("PipelineRoleArn", "RetrainRoleArn", "CollectorRoleArn", "DeployerRoleArn"),
    ),
    Layer("tracking", "central/tracking.yaml", _tracking, ("TrackingServerArn",)),
    PIPELINE,
)
ENVIRONMENT_LAYERS = (
    Layer("foundation", "environment/foundation.yaml", _foundation, ("KeyArn", "CaptureBucketName")),
    NETWORK,
    Layer(
        "roles",
        "environment/roles.yaml",
        _roles,
        ("EndpointRoleArn", "MonitorRoleArn", "BridgeRoleArn", "DeployerRoleArn"),
    ),
    ENDPOINT,
)


def known_outputs(landscape: Landscape) -> Outputs:
    """What stacks say. Raises InputError for a stack that is not there."""

    def of(scope: str, layer: str) -> Mapping[str, str]:
        state = landscape.state(scope, layer)
        if state is None or not state.there:
            names = landscape.names.stack(scope, layer)
            where = "--central" if is_central(scope) else f"--env {scope}"
            raise InputError(f"look up stack {names}: it is not there; run `watchkeeper aws deploy {where}`")
        return state.outputs

    return of


def planned_outputs(landscape: Landscape) -> Outputs:
    """What stacks say, or a word in the place of what will only be known once they are there."""

    def of(scope: str, layer: str) -> Mapping[str, str]:
        state = landscape.state(scope, layer)
        if state is not None and state.there:
            return state.outputs
        known = layer_named(landscape, scope, layer).outputs
        return {name: f"{UNKNOWN}{scope}-{layer}-{name}" for name in known}

    return of


UNKNOWN = "known-after-"

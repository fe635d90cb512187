"""The stacks that all environments share, and what each is told."""

from __future__ import annotations

from watchkeeper.app.aws.audit_layer import AUDIT
from watchkeeper.app.aws.network_layer import NETWORK
from watchkeeper.app.aws.site import (
    Layer,
    Site,
    environment_accounts,
    iam_of,
    kept_days,
    log_days,
    network_of,
)
from watchkeeper.app.aws.telemetry import (
    COLLECTOR_IMAGE,
    EXPORTER_IMAGE,
    approve_code,
    collector_slots,
    prometheus_slots,
    retrain_code,
)
from watchkeeper.app.setup.aws_sections import Job
from watchkeeper.app.setup.sections import Kept


def _central_foundation(site: Site) -> dict[str, str]:
    return {
        "Project": site.landscape.names.project,
        "EnvironmentAccounts": environment_accounts(site),
        "RolePath": site.landscape.section(site.scope).iam.path,
        "RecordDays": str(kept_days(site, Kept.EXECUTIONS)),
        "LogDays": log_days(site),
    }


def _central_roles(site: Site) -> dict[str, str]:
    return {
        "Project": site.landscape.names.project,
        "KeyArn": site.of("foundation", "KeyArn"),
        **iam_of(site, Job.PIPELINE, Job.RETRAIN, Job.COLLECTOR, Job.DEPLOYER),
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
        "EnvironmentAccounts": environment_accounts(site),
        "RolePath": site.landscape.section(site.scope).iam.path,
    }


def _prometheus(site: Site) -> dict[str, str]:
    return {
        "Project": site.landscape.names.project,
        "EnvironmentAccounts": environment_accounts(site),
        "KeyArn": site.of("foundation", "KeyArn"),
        "LogDays": log_days(site),
    }


def _collector(site: Site) -> dict[str, str]:
    """All but the images, which are those on record."""
    return {
        "Project": site.landscape.names.project,
        "CollectorRoleArn": site.of("roles", "CollectorRoleArn"),
        "PrometheusEndpoint": site.of("prometheus", "PrometheusEndpoint"),
        **network_of(site),
    }


def _actions(site: Site) -> dict[str, str]:
    return {
        "Project": site.landscape.names.project,
        "Environments": ",".join(site.landscape.project.environments),
        "CodeBucketName": site.of("foundation", "ArtefactBucketName"),
        "RetrainRoleArn": site.of("roles", "RetrainRoleArn"),
        "KeyArn": site.of("foundation", "KeyArn"),
    }


PIPELINE = Layer("pipeline", "central/pipeline.yaml", _pipeline, ("PipelineName", "ModelPackageGroupArn"))
COLLECTED_BY = {"CollectorImage": COLLECTOR_IMAGE, "ExporterImage": EXPORTER_IMAGE}
COLLECTOR = Layer(
    "collector",
    "central/collector.yaml",
    _collector,
    ("ServiceArn",),
    images=COLLECTED_BY,
    filled=collector_slots,
)
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
    AUDIT,
    NETWORK,
    Layer(
        "roles",
        "central/roles.yaml",
        _central_roles,
        ("PipelineRoleArn", "RetrainRoleArn", "CollectorRoleArn", "DeployerRoleArn"),
    ),
    Layer("tracking", "central/tracking.yaml", _tracking, ("TrackingServerArn",)),
    PIPELINE,
    Layer(
        "actions",
        "central/actions.yaml",
        _actions,
        ("RetrainFunctionArn", "ApproveUrl"),
        codes={"RetrainCode": retrain_code, "ApproveCode": approve_code},
    ),
    Layer(
        "prometheus",
        "central/prometheus.yaml",
        _prometheus,
        ("WorkspaceArn", "WorkspaceId", "PrometheusEndpoint"),
        filled=prometheus_slots,
    ),
    COLLECTOR,
)

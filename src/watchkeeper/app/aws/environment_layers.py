"""The stacks of one environment, and what each is told."""

from __future__ import annotations

from watchkeeper.app.aws.audit_layer import AUDIT
from watchkeeper.app.aws.monitors import project_uri, start_code, told_of_model_monitor, told_of_schedules
from watchkeeper.app.aws.network_layer import NETWORK
from watchkeeper.app.aws.site import Layer, Site, iam_of, kept_days, log_days, network_of
from watchkeeper.app.aws.telemetry import alarm_slots, alerting_slots, bridge_code
from watchkeeper.app.setup.aws_sections import CENTRAL, Job
from watchkeeper.app.setup.sections import Kept


def _foundation(site: Site) -> dict[str, str]:
    return {
        "Project": site.landscape.names.project,
        "Environment": site.scope,
        "EndpointName": site.landscape.project.endpoint(site.scope),
        "CentralAccount": site.landscape.number(CENTRAL),
        "CaptureDays": str(kept_days(site, Kept.CAPTURES)),
        "LogDays": log_days(site),
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
        **iam_of(site, Job.ENDPOINT, Job.MONITOR, Job.BRIDGE, Job.STARTER, Job.READER, Job.DEPLOYER),
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


def _monitors(site: Site) -> dict[str, str]:
    return {
        "Project": site.landscape.names.project,
        "Environment": site.scope,
        "EndpointName": site.landscape.project.endpoint(site.scope),
        "CodeBucketName": site.of("foundation", "CaptureBucketName"),
        "KeyArn": site.of("foundation", "KeyArn"),
        "StarterRoleArn": site.of("roles", "StarterRoleArn"),
        **told_of_schedules(site),
    }


def _model_monitor(site: Site) -> dict[str, str]:
    """All but the image."""
    return {
        "Environment": site.scope,
        "EndpointName": site.of("endpoint", "EndpointName"),
        "SchemaVersion": site.of("endpoint", "SchemaVersion"),
        "ProjectUri": project_uri(site),
        "MonitorRoleArn": site.of("roles", "MonitorRoleArn"),
        "CaptureBucketName": site.of("foundation", "CaptureBucketName"),
        "KeyArn": site.of("foundation", "KeyArn"),
        "InstanceType": site.landscape.section(site.scope).instances.processing,
        **network_of(site),
        **told_of_model_monitor(site),
    }


def _alerting(site: Site) -> dict[str, str]:
    return {
        "Project": site.landscape.names.project,
        "Environment": site.scope,
        "CentralAccount": site.landscape.number(CENTRAL),
        "CodeBucketName": site.of("foundation", "CaptureBucketName"),
        "BridgeRoleArn": site.of("roles", "BridgeRoleArn"),
        "KeyArn": site.of("foundation", "KeyArn"),
    }


def _alarms(site: Site) -> dict[str, str]:
    return {
        "PagingTopic": site.of("alerting", "PagingTopicArn"),
        "TicketTopic": site.of("alerting", "TicketsTopicArn"),
        "AlertsTopic": site.of("alerting", "AlertsTopicArn"),
    }


ENDPOINT = Layer(
    "endpoint",
    "environment/endpoint.yaml",
    _endpoint,
    ("EndpointName", "ModelPackageArn", "ModelVersion", "BaselineVersions", "SchemaVersion"),
)
MONITORS = Layer(
    "monitors", "environment/monitors.yaml", _monitors, ("DueQueueArn",), codes={"StartCode": start_code}
)
MODEL_MONITOR = Layer(
    "model-monitor",
    "environment/model-monitor.yaml",
    _model_monitor,
    ("EndpointName",),
    images={"AnalyzerImage": "analyzer"},
)
ALARMS = Layer("alarms", "environment/alarms.yaml", _alarms, (), filled=alarm_slots)
ENVIRONMENT_LAYERS = (
    Layer("foundation", "environment/foundation.yaml", _foundation, ("KeyArn", "CaptureBucketName")),
    AUDIT,
    NETWORK,
    Layer(
        "roles",
        "environment/roles.yaml",
        _roles,
        (
            "EndpointRoleArn",
            "MonitorRoleArn",
            "BridgeRoleArn",
            "StarterRoleArn",
            "ReaderRoleArn",
            "DeployerRoleArn",
        ),
    ),
    Layer(
        "alerting",
        "environment/alerting.yaml",
        _alerting,
        tuple(f"{name}TopicArn" for name in ("Paging", "Tickets", "Digest", "Alerts")),
        codes={"BridgeCode": bridge_code},
        filled=alerting_slots,
    ),
    ALARMS,
    ENDPOINT,
    MONITORS,
    MODEL_MONITOR,
)

"""The network of an account, which the first scope that lies in it makes."""

from __future__ import annotations

from watchkeeper.app.aws.site import Layer, Site
from watchkeeper.app.setup.aws_sections import CENTRAL


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


NETWORK = Layer("network", "network.yaml", _network, ("SubnetIds", "SecurityGroupIds"))

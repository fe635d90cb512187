"""A Docker Compose file that runs the stack's servers on the files beside it.

Source: docs.docker.com/reference/compose-file. The servers share the host's network, as what they scrape and
send to listens on 127.0.0.1 alone.
"""

from __future__ import annotations

from typing import Any

import yaml

from watchkeeper.render.stack import ALERTMANAGER, PROMETHEUS, StackSettings

COMPOSE = "docker-compose.yml"
IMAGES = {
    "prometheus": "prom/prometheus:v2.55.1",
    "alertmanager": "prom/alertmanager:v0.27.0",
    "grafana": "grafana/grafana-oss:11.6.0",
}
_GRAFANA = "127.0.0.1:3000"


def compose_yaml(settings: StackSettings, folder: str, *, dashboards: bool) -> str:
    """The file; with `dashboards` Grafana too, whose first password is asked of the environment.

    `folder` is where the stack's files lie, absolute: they are mounted under the path that they have, as they
    name each other by it.
    """
    services = {
        "prometheus": _service(
            "prometheus",
            [folder],
            [
                f"--config.file={folder}/{PROMETHEUS}",
                "--storage.tsdb.path=/prometheus",
                f"--web.listen-address={settings.prometheus}",
                "--web.enable-lifecycle",
            ],
            "prometheus:/prometheus",
        ),
        "alertmanager": _service(
            "alertmanager",
            [folder, settings.token_file],
            [
                f"--config.file={folder}/{ALERTMANAGER}",
                "--storage.path=/alertmanager",
                f"--web.listen-address={settings.alertmanager}",
                "--cluster.listen-address=",
            ],
            "alertmanager:/alertmanager",
        ),
    }
    if dashboards:
        services["grafana"] = {
            **_service("grafana", [folder], [], "grafana:/var/lib/grafana"),
            "environment": {
                "GF_PATHS_PROVISIONING": f"{folder}/grafana/provisioning",
                "GF_SERVER_HTTP_ADDR": _GRAFANA.partition(":")[0],
                "GF_SERVER_HTTP_PORT": _GRAFANA.partition(":")[2],
                "GF_SECURITY_ADMIN_PASSWORD": "${GF_SECURITY_ADMIN_PASSWORD:?set it for the first start}",
                "GF_ANALYTICS_REPORTING_ENABLED": "false",
                "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            },
        }
    volumes: dict[str, dict[str, str]] = {name: {} for name in services}
    return yaml.safe_dump({"services": services, "volumes": volumes}, sort_keys=False, width=1000)


def _service(name: str, mounted: list[str], command: list[str], data: str) -> dict[str, Any]:
    return {
        "image": IMAGES[name],
        "network_mode": "host",
        "restart": "unless-stopped",
        "read_only": name != "grafana",  # which keeps plugins beside its data
        "security_opt": ["no-new-privileges:true"],
        **({"command": command} if command else {}),
        "volumes": [*(f"{path}:{path}:ro" for path in mounted), data],
    }

"""Dashboards as Grafana 11 reads them, and what provisions them.

Needs `grafana-foundation-sdk` (the extra `grafana`). Sources: grafana.com/docs/grafana/v11.6/dashboards/
build-dashboards/view-dashboard-json-model and .../administration/provisioning.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from grafana_foundation_sdk.builders import common, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as sdk
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

from watchkeeper.render.dashboards import Dashboard, Kind, Panel, Query

SOURCE = models.DataSourceRef(type_val="prometheus", uid="$datasource")
DATASOURCE = "watchkeeper-prometheus"  # uid of the data source that is provisioned
_HEIGHT, _WIDTH = 8, 12  # two panels beside each other in Grafana's 24 columns
_EVERYWHERE = "watchkeeper_endpoint_in_flight_requests"  # a series that every endpoint has
_VARIABLES: Mapping[str, str] = {
    "project": f"label_values({_EVERYWHERE}, project)",
    "env": f'label_values({_EVERYWHERE}{{project=~"$project"}}, environment)',
    "endpoint": f'label_values({_EVERYWHERE}{{project=~"$project",environment=~"$env"}}, endpoint)',
    "schedule": 'label_values(watchkeeper_monitor_rows{endpoint=~"$endpoint"}, schedule)',
}


def grafana_files(
    dashboards: Sequence[Dashboard], prometheus_url: str, folder: str, refresh: str = "30s"
) -> dict[str, str]:
    """The files below a folder `grafana/`, by name: a dashboard each, and provisioning for all.

    `folder` is where Grafana will find them. Dashboards are in a folder of Grafana for each of theirs, and
    cannot be changed in the browser: the next provisioning would take the change away.
    """
    found = {
        f"dashboards/{each.folder}/{each.uid}.json": dashboard_json(each, refresh) for each in dashboards
    }
    found["provisioning/datasources/watchkeeper.yml"] = _yaml(
        {
            "apiVersion": 1,
            "datasources": [
                {
                    "name": "Watchkeeper",
                    "uid": DATASOURCE,
                    "type": "prometheus",
                    "access": "proxy",
                    "url": prometheus_url,
                    "isDefault": True,
                    "editable": False,
                }
            ],
        }
    )
    found["provisioning/dashboards/watchkeeper.yml"] = _yaml(
        {
            "apiVersion": 1,
            "providers": [
                {
                    "name": "watchkeeper",
                    "type": "file",
                    "allowUiUpdates": False,
                    "disableDeletion": True,
                    "options": {"path": f"{folder}/dashboards", "foldersFromFilesStructure": True},
                }
            ],
        }
    )
    return found


def dashboard_json(dashboard: Dashboard, refresh: str = "30s") -> str:
    """One dashboard as the JSON that Grafana imports, keys in the order of its own export."""
    builder = (
        sdk.Dashboard(dashboard.title)
        .uid(dashboard.uid)
        .description(dashboard.description)
        .tags(["watchkeeper"])
        .readonly()
        .timezone("utc")
        .time("now-24h", "now")
        .refresh(refresh)
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(sdk.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for name, query in _VARIABLES.items():
        builder = builder.with_variable(_variable(name, query))
    if dashboard.marks:
        builder = builder.annotation(_deployments())
    for panel in dashboard.panels:
        builder = builder.with_panel(_panel(panel))
    return json.dumps(builder.build(), cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"


def _variable(name: str, query: str) -> sdk.QueryVariable:
    return (
        sdk.QueryVariable(name)
        .label(name)
        .datasource(SOURCE)
        .query(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
    )


def _deployments() -> sdk.AnnotationQuery:
    """A line where the version that an endpoint serves has been there for less than a minute."""
    served = 'watchkeeper_endpoint_model_info{project=~"$project",environment=~"$env",endpoint=~"$endpoint"}'
    return (
        sdk.AnnotationQuery()
        .name("Deployments")
        .datasource(SOURCE)
        .enable(True)
        .icon_color("purple")
        .expr(f"{served} unless {served} offset 1m")
    )


def _panel(panel: Panel) -> Any:
    builder = _drawn(panel).title(panel.title).datasource(SOURCE).unit(panel.unit.value)
    builder = builder.height(_HEIGHT).span(_WIDTH)
    if panel.description:
        builder = builder.description(panel.description)
    for place, query in enumerate(panel.queries):
        builder = builder.with_target(_target(query, chr(ord("A") + place), panel.kind))
    return builder


def _drawn(panel: Panel) -> Any:
    if panel.kind is Kind.NUMBERS:
        return stat.Panel().text_mode(common_models.BigValueTextMode.VALUE_AND_NAME)
    if panel.kind is Kind.HEATMAP:
        return heatmap.Panel()
    lines = timeseries.Panel().fill_opacity(5).show_points(common_models.VisibilityMode.AUTO)
    if panel.limit is None:
        return lines
    steps = [models.Threshold(value=None, color="green"), models.Threshold(value=panel.limit, color="red")]
    return lines.thresholds(
        sdk.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)
    ).thresholds_style(
        common.GraphThresholdsStyleConfig().mode(common_models.GraphThresholdsStyleMode.DASHED)
    )


def _target(query: Query, reference: str, kind: Kind) -> prometheus.Dataquery:
    target = (
        prometheus.Dataquery()
        .datasource(SOURCE)
        .expr(query.expression)
        .legend_format(query.legend)
        .ref_id(reference)
    )
    return target.instant() if kind is Kind.NUMBERS else target.range()


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False)

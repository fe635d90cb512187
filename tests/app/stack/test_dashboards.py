"""Every query of every dashboard gives series on a real Prometheus, and Grafana's own types take the JSON."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.rehearsals import small_rehearsal
from tests.shared import CHECKOUT
from watchkeeper.adapters.local.client import EndpointClient, Invocation
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.endpoint import started_server
from watchkeeper.adapters.local.programs import free_ports
from watchkeeper.adapters.local.prometheus import PrometheusApi
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.stack.dashboards import dashboard_files
from watchkeeper.app.stack.files import stack_files, write_stack
from watchkeeper.app.stack.servers import running_stack
from watchkeeper.core.metrics import METRIC_OF_SERIES
from watchkeeper.render.dashboards import DASHBOARDS, Query
from watchkeeper.render.stack import StackSettings

NODE = CHECKOUT / ".node-grafana"
ROW = b"2020-04,ANG MO KIO,3 ROOM,10,ANG MO KIO AVE 3,01 TO 03,67,New Generation,1978,57 years\n"
VARIABLES = {
    "$project": ".*", "$env": ".*", "$endpoint": ".*", "$schedule": ".*", "$__rate_interval": "2s",
}  # fmt: skip
QUERIES = [
    (dashboard.uid, panel.title, query)
    for dashboard in DASHBOARDS
    for panel in dashboard.panels
    for query in panel.queries
]

needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="Prometheus is not installed (make test-deps)"
)
needs_types = pytest.mark.skipif(
    not (NODE / "node_modules" / "typescript").is_dir(),
    reason="@grafana/schema and typescript are not installed (make test-deps)",
)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusApi]:
    """A Prometheus that has scraped, more than once, a server after a rehearsal and while it is asked."""
    rehearsal = small_rehearsal(tmp_path_factory.mktemp("rehearsed"))
    done = rehearsal.run()
    assert done.returncode == 0, done.stderr
    folder, stack = rehearsal.out, rehearsal.out / "stack"
    argv = [
        sys.executable,
        "-m",
        "watchkeeper",
        "up",
        "--workspace",
        str(folder),
        "--port",
        "0",
        "--no-watch",
    ]
    with started_server(argv, folder / "run" / "server.json") as host:
        port, alertmanager = free_ports(2)
        settings = StackSettings(
            token_file=str(folder / "token"),
            watchkeeper=host.url().removeprefix("http://"),
            prometheus=f"127.0.0.1:{port}",
            alertmanager=f"127.0.0.1:{alertmanager}",
            interval=250,
        )
        (folder / "token").write_text("t")
        write_stack(stack, stack_files(load_project(folder), ("prod",), settings))
        client = EndpointClient(host.url())
        with running_stack(stack, settings) as servers, client.http:
            for number in range(3):
                for environment in ("dev", "uat", "prod"):
                    client.invoke(
                        Invocation(
                            f"resale-price-{environment}", f"{number}", WallClock().now(), "text/csv", ROW
                        )
                    )
                servers.prometheus.settle(WallClock().now())
            yield servers.prometheus


@needs_prometheus
@pytest.mark.parametrize(
    ("uid", "title", "query"), QUERIES, ids=[f"{uid}: {title}" for uid, title, _ in QUERIES]
)
def test_a_query_gives_at_least_one_series(
    prometheus: PrometheusApi, uid: str, title: str, query: Query
) -> None:
    expression = query.expression
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    found = prometheus.query(expression)
    assert found, f"{uid}, {title}: {expression}"
    named = set(re.findall(r"{{(\w+)}}", query.legend)) - {"worker"}
    assert named <= set(found[0]["metric"]), "the legend names a label that the series have not"


@needs_prometheus
@pytest.mark.parametrize("label", ["project", "environment", "endpoint"])
def test_the_variables_have_values(prometheus: PrometheusApi, label: str) -> None:
    found = prometheus.query(f"count by ({label}) (watchkeeper_endpoint_in_flight_requests)")
    assert found
    assert all(each["metric"][label] for each in found)


def test_every_metric_that_is_asked_for_is_declared() -> None:
    for uid, title, query in QUERIES:
        for name in re.findall(r"watchkeeper_\w+", query.expression):
            assert name in METRIC_OF_SERIES, (uid, title)


def files() -> dict[str, Any]:
    found = dashboard_files("127.0.0.1:9090", "/stack")
    assert found is not None
    return {name: json.loads(text) for name, text in found.items() if name.endswith(".json")}


def test_dashboards_are_read_only_and_each_target_has_its_own_source() -> None:
    made = files()
    assert len(made) == len(DASHBOARDS)
    for dashboard in made.values():
        assert dashboard["editable"] is False
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                assert target["datasource"] == {"type": "prometheus", "uid": "$datasource"}


@needs_types
def test_grafana_s_own_types_take_every_dashboard(tmp_path: Path) -> None:
    assert typed(tmp_path, list(files().values())) == ""


@needs_types
def test_what_is_no_dashboard_is_found(tmp_path: Path) -> None:
    (dashboard, *_) = files().values()
    assert "DashboardCursorSync" in typed(tmp_path, [{**dashboard, "graphTooltip": "crosshair"}])


def typed(folder: Path, dashboards: list[dict[str, Any]]) -> str:
    """What TypeScript says of dashboards that claim to be Grafana's; nothing when it takes them.

    The library writes three keys on every variable that the types do not know, and an annotation's `expr`,
    which Grafana's Prometheus source reads: they are left out. JSON has an enum's value where TypeScript
    wants its member: `Written` takes the values.
    """
    lines = [
        'import type { Dashboard } from "@grafana/schema";',
        "type Written<T> = T extends string ? `${T}` : T extends object ? "
        "{ [K in keyof T]: Written<T[K]> } : T;",
    ]
    for number, dashboard in enumerate(dashboards):
        for variable in dashboard["templating"]["list"]:
            for key in ("auto", "auto_min", "auto_count"):
                variable.pop(key, None)
        for annotation in dashboard.get("annotations", {}).get("list", []):
            annotation.pop("expr", None)
        lines.append(f"export const d{number}: Written<Dashboard> = {json.dumps(dashboard)};")
    (folder / "dashboards.ts").write_text("\n".join(lines), encoding="utf-8")
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    options = [
        "--noEmit",
        "--strict",
        "--skipLibCheck",
        "--module",
        "nodenext",
        "--moduleResolution",
        "nodenext",
    ]
    command = [str(NODE / "node_modules" / ".bin" / "tsc"), *options, "dashboards.ts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    return done.stdout

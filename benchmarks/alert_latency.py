"""From a metric's change to the webhook of a local receiver: embedded, and by Prometheus and Alertmanager.

Usage: alert_latency.py [CHANGES] (default: 12). The same workspace is watched both ways, everything at an
interval of one second and without waits: a verdict is put on record that makes the metric cross its
threshold, and the time is taken until the receiver is told that the alert fires; then one that ends it.
Changes come at random moments of the interval. Needs Prometheus and Alertmanager installed.
Prints its figures, in seconds, as one JSON object on the last line.
"""

from __future__ import annotations

import contextlib
import json
import queue
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from watchkeeper.adapters.local.endpoint import started_server
from watchkeeper.adapters.local.programs import free_ports
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.alerts.door import DOOR_TOKEN, door_token
from watchkeeper.app.registry.records import create_record
from watchkeeper.app.setup.project import FILE, load_project
from watchkeeper.app.stack.files import stack_files, write_stack
from watchkeeper.app.stack.servers import running_stack
from watchkeeper.core.values import Execution, Sample, Status, labels_of
from watchkeeper.core.windows import Window, hour_folder
from watchkeeper.render.stack import StackSettings

PROJECT = """\
version: 1
project: latency
problem: regression
data: {{source: look-alike, time: month, label: price, columns: {{month: time, area: feature, price: label}}}}
training: {{features: [{{name: area, kind: number, columns: [area]}}]}}
environments: {{prod: {{}}}}
alerts:
  - name: ModelQualityDegraded
    metric: model_quality_rmse_baseline_ratio
    above: 1.25
    severity: critical
    action: notify
    notify: [oncall]
receivers: {{oncall: [{{kind: webhook, url: "{url}"}}]}}
notifications: {{group_wait: 0s, group_interval: 1s, repeat_interval: 1 day}}
"""
METRIC = "watchkeeper_model_quality_rmse_baseline_ratio"
START = datetime(2020, 1, 1, tzinfo=UTC)
PATIENCE = 60.0  # seconds

Told = queue.Queue[tuple[float, str]]


@contextlib.contextmanager
def receiver() -> Iterator[tuple[str, Told]]:
    """A receiver of webhooks; what it is told, with the moment."""
    told: Told = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            told.put((time.perf_counter(), body["status"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", told
    server.shutdown()
    server.server_close()


def expose(store: FolderStore, number: int, value: float) -> None:
    """Put a verdict on record, after the one before."""
    at = START + timedelta(hours=number)
    schedule = "latency-prod-model-quality"
    labels = labels_of(project="latency", environment="prod", endpoint="latency-prod", schedule=schedule)
    execution = Execution(
        key=f"{number:064x}",
        schedule=schedule,
        monitor="model-quality",
        environment="prod",
        endpoint="latency-prod",
        window=Window(at - timedelta(hours=1), at),
        scheduled_at=at,
        status=Status.COMPLETED,
        reason="made up",
        rows=50,
        judgements=(),
        samples=(Sample(METRIC, labels, value, at),),
        inputs=(),
    )
    create_record(store, f"executions/{schedule}/{hour_folder(at)}/execution.json", execution)


def measured(workspace: Path, told: Told, changes: int) -> dict[str, float]:
    """Seconds from each change to what the receiver is told of it."""
    store, chance = FolderStore(workspace), random.Random(0)  # noqa: S311 - moments, no secrets
    firing, resolved = [], []
    expose(store, 0, 1.0)
    time.sleep(3)  # everything is up and has seen it
    for number in range(1, 2 * changes + 1):
        fires = number % 2 == 1
        time.sleep(2 + chance.random())  # past the last notification's interval, at any moment of the next
        begun = time.perf_counter()
        expose(store, number, 2.0 if fires else 1.0)
        moment, status = told.get(timeout=PATIENCE)
        if status != ("firing" if fires else "resolved"):
            raise SystemExit(f"change {number}: the receiver was told {status}")
        (firing if fires else resolved).append(moment - begun)
    return {
        "firing_first": firing[0],
        "firing_median": statistics.median(firing),
        "firing_max": max(firing),
        "resolved_median": statistics.median(resolved),
        "resolved_max": max(resolved),
    }


def project_in(folder: Path, url: str) -> Path:
    folder.mkdir()
    (folder / FILE).write_text(PROJECT.format(url=url), encoding="utf-8")
    return folder


@contextlib.contextmanager
def served(workspace: Path, *more: str) -> Iterator[str]:
    """Our server on the workspace; its address."""
    argv = [sys.executable, "-m", "watchkeeper", "up", "--workspace", str(workspace), "--port", "0", *more]
    with started_server(argv, workspace / "run" / "server.json") as host:
        yield host.url().removeprefix("http://")


def embedded(folder: Path, changes: int) -> dict[str, float]:
    with receiver() as (url, told):
        workspace = project_in(folder / "embedded", url)
        with served(workspace, "--interval", "1s"):
            return measured(workspace, told, changes)


def stacked(folder: Path, changes: int) -> dict[str, float]:
    with receiver() as (url, told):
        workspace = project_in(folder / "stacked", url)
        prometheus, alertmanager = (f"127.0.0.1:{port}" for port in free_ports(2))
        door_token(workspace)
        with served(workspace, "--no-watch") as ours:
            settings = StackSettings(
                str(workspace / DOOR_TOKEN), ours, prometheus, alertmanager, interval=1000
            )
            write_stack(workspace / "stack", stack_files(load_project(workspace), ("prod",), settings))
            with running_stack(workspace / "stack", settings):
                return measured(workspace, told, changes)


def main() -> None:
    changes = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    with tempfile.TemporaryDirectory() as name:
        ours = embedded(Path(name), changes)
        print("embedded", ours)
        theirs = stacked(Path(name), changes)
        print("stack", theirs)
    version = subprocess.run(["prometheus", "--version"], capture_output=True, text=True, check=True)
    print(
        json.dumps(
            {
                "changes": changes,
                "interval_seconds": 1,
                "prometheus": (version.stdout or version.stderr).split()[2],
                "embedded": ours,
                "stack": theirs,
                "stack_over_embedded": theirs["firing_median"] / ours["firing_median"],
            }
        )
    )


if __name__ == "__main__":
    main()

"""A stack that runs: Prometheus and Alertmanager as programs on this machine, until the block ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.adapters.local.alertmanager import AlertmanagerApi
from watchkeeper.adapters.local.programs import find_program, program
from watchkeeper.adapters.local.prometheus import PrometheusApi
from watchkeeper.render.stack import ALERTMANAGER, PROMETHEUS, StackSettings

ALERTMANAGERS = ("prometheus-alertmanager", "alertmanager")  # Debian's name, and its own


@dataclass(frozen=True, slots=True)
class RunningStack:
    """Where the two servers answer."""

    prometheus: PrometheusApi
    alertmanager: AlertmanagerApi


@contextlib.contextmanager
def running_stack(folder: Path, settings: StackSettings) -> Iterator[RunningStack]:
    """Run both servers on the files in the folder; their data goes to `data/`, what they say to `*.log`.

    Raises InputError when one is not installed, PlatformError when one does not start.
    """
    prometheus = find_program(("prometheus",), "prometheus")
    alertmanager = find_program(ALERTMANAGERS, "prometheus-alertmanager")
    data = folder / "data"
    with (
        program(
            [
                alertmanager,
                f"--config.file={folder / ALERTMANAGER}",
                f"--storage.path={data / 'alertmanager'}",
                f"--web.listen-address={settings.alertmanager}",
                "--cluster.listen-address=",
                "--log.level=warn",
            ],
            f"http://{settings.alertmanager}/-/ready",
            folder / "alertmanager.log",
        ),
        program(
            [
                prometheus,
                f"--config.file={folder / PROMETHEUS}",
                f"--storage.tsdb.path={data / 'prometheus'}",
                f"--web.listen-address={settings.prometheus}",
                "--web.enable-lifecycle",
                "--log.level=warn",
            ],
            f"http://{settings.prometheus}/-/ready",
            folder / "prometheus.log",
        ),
    ):
        yield RunningStack(
            PrometheusApi(f"http://{settings.prometheus}"), AlertmanagerApi(f"http://{settings.alertmanager}")
        )

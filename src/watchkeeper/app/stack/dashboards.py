"""Grafana's dashboards and what provisions them, where the library that writes them is installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from watchkeeper.render.dashboards import DASHBOARDS, Dashboard

EXTRA = "grafana"
_WRITES = "watchkeeper.render.grafana"


def dashboard_files(prometheus: str, folder: str) -> Mapping[str, str] | None:
    """The files by name, below `grafana/`; None where the extra `grafana` is not installed.

    `prometheus` is where it answers, as `host:port`; `folder` is where the files will lie.
    """
    try:
        module = importlib.import_module(_WRITES)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("grafana_foundation_sdk"):
            raise
        return None
    writes = cast(Callable[[Sequence[Dashboard], str, str], dict[str, str]], module.grafana_files)
    found = writes(DASHBOARDS, f"http://{prometheus}", f"{folder}/grafana")
    return {f"grafana/{name}": text for name, text in found.items()}

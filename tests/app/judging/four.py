"""A loop with all four monitors."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.loop import KIM, Loop, copied, new_loop, train_in
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.registry.models import approve
from watchkeeper.core.windows import month_start

RUNS = {
    "data-quality": MonitorRun("data-quality", "prod", month_start("2020-06")),
    "explainability": MonitorRun("explainability", "prod", month_start("2020-06")),
    "model-quality": MonitorRun("model-quality", "prod", month_start("2020-07")),
    "bias": MonitorRun("bias", "prod", month_start("2020-07")),
}


MONITORS = """\
  data-quality: {schedule: "cron(0 0 1 * ? *)", min_rows: 20}
  explainability: {schedule: "cron(0 0 1 * ? *)", min_rows: 20}
  bias:
    schedule: "cron(0 0 1 * ? *)"
    min_rows: 20
    labels: {delay: 1 month, coverage: 0.95}
    label_values_or_threshold: [400000]
    facet: [{name_or_index: town, value_or_threshold: [EAST]}]
"""


WITH_ALL = ('  data-quality: {schedule: "cron(0 0 1 * ? *)", min_rows: 20}\n', MONITORS)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    loop = new_loop(tmp_path_factory.mktemp("trained"), WITH_ALL)
    train_in(loop)
    approve(loop.target, 1, "prod", KIM, "good figures")
    return loop


@pytest.fixture
def loop(trained: Loop, tmp_path: Path) -> Loop:
    return copied(trained, tmp_path, WITH_ALL)

"""Every tracker keeps the port's promises: it takes what the registry tells it, in the registry's order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.model.models import example, model
from watchkeeper.adapters.local.tracking import MlflowTracker
from watchkeeper.adapters.memory.tracking import MemoryTracker
from watchkeeper.core.ports import MISSED, Tracker
from watchkeeper.core.values import ApprovalStatus
from watchkeeper.model.artefact import save

MAKERS: dict[str, Callable[[Path], Tracker]] = {
    "local": lambda folder: MlflowTracker(folder / "mlflow", "demo"),
    "memory": lambda _: MemoryTracker(),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_model_s_life_is_taken(name: str, tmp_path: Path) -> None:
    tracker, artefact = MAKERS[name](tmp_path), tmp_path / "artefact"
    save(artefact, model(), example())
    runs = [
        tracker.log_run(f"run {number}", {"rounds": "20"}, {"test_r2": 0.9}, tags, str(artefact))
        for number, tags in enumerate(({}, {MISSED: "want r2 >= 0.95"}, {"data_digest": "d"}))
    ]
    assert len(set(runs)) == 3, "each run has an id of its own"
    for version, run in ((1, runs[0]), (2, runs[2])):
        tracker.register(run, version, ApprovalStatus.PENDING)
        tracker.mirror(version, {"approval.prod": "Approved"}, ["prod"])
    tracker.register(runs[2], 2, ApprovalStatus.PENDING)

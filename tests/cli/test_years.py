"""Rehearsals of years, as processes: all three with WATCHKEEPER_SOAK=1, a few months without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.rehearsals import EXAMPLE, recomputed
from tests.resale_violations import FIRST_2_ROOMS, WATCHED, line
from tests.shared import shared

SOAK = os.environ.get("WATCHKEEPER_SOAK") == "1"
# In the bound, April's error is known on the first of June, and the model that answers it serves that month.
# Six months are too few for an error to grow where the level is forecast, so there it is not.
DAMPING = "damping: 0.9" if SOAK else "damping: 0"
LOOK_ALIKE = ("2020-01", "2022-12") if SOAK else ("2021-01", "2021-06")
REAL = ("2020-01", "2022-12") if SOAK else ("2020-01", "2020-01")

pytestmark = pytest.mark.soak


def rehearse(folder: Path, months: tuple[str, str], trials: int, *argv: object) -> dict[str, Any]:
    """The summary of the worked example's months, without the network; the loop closed."""
    text = EXAMPLE.read_text(encoding="utf-8")
    assert "trials: 25" in text
    assert "damping: 0.9" in text
    text = text.replace("trials: 25", f"trials: {trials}").replace("damping: 0.9", DAMPING)
    (folder / "watchkeeper.yaml").write_text(text, encoding="utf-8")
    environment = {**os.environ, "WATCHKEEPER_OFFLINE": "1"}
    environment.pop("WATCHKEEPER_HDB_CSV", None)
    command: Sequence[object] = (
        *(sys.executable, "-m", "watchkeeper", "rehearse", "--json", "--no-serve"),
        *("--project", folder, "--out", folder / "out", "--from", months[0], "--until", months[1], *argv),
    )
    done = subprocess.run(
        list(map(str, command)),
        stdin=subprocess.DEVNULL,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    summary: dict[str, Any] = json.loads(done.stdout)
    assert (summary["closed"], summary["problems"], summary["audit"]["verified"]) == (True, [], True)
    return summary


@pytest.fixture(scope="module")
def look_alike(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder and the summary of the look-alike's months."""
    folder = tmp_path_factory.mktemp("years")
    return folder / "out", rehearse(folder, LOOK_ALIKE, 25 if SOAK else 4)


def test_the_watched_model_stays_good_and_the_unwatched_does_not(
    look_alike: tuple[Path, dict[str, Any]],
) -> None:
    out, summary = look_alike
    assert summary["data_source"] == "look-alike"
    assert len(summary["months"]) == (36 if SOAK else 6)
    for each in (*summary["half_years"], *summary["months"]):
        assert each["watched"]["r2"] >= 0.90, each
    *_, last = summary["half_years"]
    assert last["unwatched"]["r2"] < (0.6 if SOAK else last["watched"]["r2"])
    said = recomputed(out)
    assert (said.returncode, "every figure agrees" in said.stdout) == (0, True), said.stderr


def test_an_alert_leads_to_a_retrain_whose_winner_serves(look_alike: tuple[Path, dict[str, Any]]) -> None:
    _, summary = look_alike
    alerts = {each["labels_known_in"] for each in summary["alerts"] if each["name"] == "ModelQualityDegraded"}
    won = [each for each in summary["retrains"] if each["promoted"] is not None]
    assert len(won) >= (3 if SOAK else 1)
    served = {month["month"]: month["model_version"] for month in summary["months"]}
    for retrain in won:
        assert retrain["approved_by"] == "model-owner (rehearsal)"
        assert retrain["gate"]["challenger_rmse"] < retrain["gate"]["champion_rmse"]
        assert served[retrain["month"]] == retrain["promoted"]
    assert min(retrain["month"] for retrain in won) in alerts


METRICS = {"rmse", "mae", "mape", "r2", "bias"}


def test_the_summary_has_the_shape_that_was_asked_for(look_alike: tuple[Path, dict[str, Any]]) -> None:
    """More keys may stand beside these; none of these may go."""
    _, summary = look_alike
    seconds = summary["seconds"]
    assert {"total", "train", "serve", "monitor", "retrain"} <= set(seconds)
    stages = sum(value for name, value in seconds.items() if name != "total")
    assert stages <= seconds["total"]
    assert 0 < summary["search_seconds"] < seconds["train"] + seconds["retrain"]
    assert {"requests", "captured", "rows", "labels", "scored"} <= set(summary["counts"])
    assert summary["audit"]["entries"] > 40
    for half in summary["half_years"]:
        assert {"half", "rows", "watched", "unwatched"} <= set(half)
        assert set(half["watched"]) & set(half["unwatched"]) >= METRICS
    for month in summary["months"]:
        assert {"rows", "rmse_baseline_ratio", "violations"} <= set(month)
        assert set(month["watched"]) & set(month["unwatched"]) >= METRICS
        assert isinstance(month["model_version"], int)
        assert set(month["alerts"]) <= {each["name"] for each in summary["alerts"]}
    for alert in summary["alerts"]:
        assert {"name", "environment", "month", "labels_known_in", "state"} <= set(alert)
    for retrain in summary["retrains"]:
        assert {"month", "reason", "approved_by", "gate", "promoted"} <= set(retrain)
    gates = [retrain["gate"] for retrain in summary["retrains"] if retrain["gate"]]
    assert all({"champion_rmse", "challenger_rmse", "rows"} <= set(gate) for gate in gates)


def test_the_real_months_have_no_violation_but_those_explained(tmp_path: Path) -> None:
    """Those of data quality; `tests/resale_violations.py` has the list and what explains it."""
    summary = rehearse(
        tmp_path, REAL, 25 if SOAK else 2, "--data", shared("data/hdb-resale-2017-2022.csv.gz")
    )
    found = [
        line(execution["window"]["start"][:7], each["subject"], each["check"], each["description"])
        for file in sorted((tmp_path / "out" / "executions").rglob("execution.json"))
        if (execution := json.loads(file.read_text(encoding="utf-8")))["monitor"] == "data-quality"
        for judgement in execution["judgements"]
        for each in judgement["violations"]
    ]
    assert found[: len(FIRST_2_ROOMS)] == list(FIRST_2_ROOMS[: len(summary["months"])])
    assert sorted(set(found) - WATCHED) == []
    for half in summary["half_years"]:
        assert half["watched"]["r2"] >= 0.90, half

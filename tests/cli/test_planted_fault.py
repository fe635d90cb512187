"""A fault planted in the real data: the prices of one town up by 30 % in the month that is watched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.cli.rehearsals import rehearse
from tests.shared import shared

TOWN = "PUNGGOL"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted")
    rows = pl.read_csv(shared("data/hdb-resale-2017-2022.csv.gz"), infer_schema=False)
    price = pl.col("resale_price").cast(pl.Float64)
    struck = (pl.col("month") == "2020-01") & (pl.col("town") == TOWN)
    dearer = pl.when(struck).then(price * 1.3).otherwise(price).round(0)
    rows.with_columns(resale_price=dearer).write_csv(folder / "sales.csv")
    done = rehearse("--data", folder / "sales.csv", "--out", folder / "out")
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "out"


def newest(workspace: Path, monitor: str) -> tuple[dict[str, Any], str]:
    """The monitor's last execution and its page."""
    found = sorted((workspace / "executions" / f"resale-price-prod-{monitor}").rglob("execution.json"))[-1]
    return json.loads(found.read_text()), (found.parent / "report.html").read_text()


def test_the_town_is_named_as_the_worst_segment_in_first_place(workspace: Path) -> None:
    execution, page = newest(workspace, "model-quality")
    worst, *others = execution["judgements"][0]["segments"]
    assert (worst["column"], worst["value"]) == ("town", TOWN)
    assert worst["metrics"]["mape"] > 2 * max(each["metrics"]["mape"] for each in others)
    assert f"worst town {TOWN}: mean error 2" in execution["reason"]
    assert f"worst town {TOWN}: mean error 2" in page


def test_the_other_monitors_say_what_they_saw(workspace: Path) -> None:
    """What was asked is as it was, so they have nothing of it: one unseen flat model, and no group is hit."""
    data, page = newest(workspace, "data-quality")
    assert [each["subject"] for each in data["judgements"][0]["violations"]] == ["flat_model"]
    assert "One check did not hold in January 2020" in page
    explained, page = newest(workspace, "explainability")
    assert (explained["status"], explained["judgements"][0]["violations"]) == ("Completed", [])
    assert "What the model looked at" in page
    bias, page = newest(workspace, "bias")
    assert bias["status"] in ("Completed", "CompletedWithViolations")
    assert "flat_type 1 ROOM,2 ROOM,3 ROOM" in page

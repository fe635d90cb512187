"""`watchkeeper monitor run data-quality --input`: files in, an answer and its files out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.cli.conftest import Said
from tests.shared import CHECKOUT

Cli = Callable[..., Said]
GOLDEN = CHECKOUT / "tests" / "golden" / "model_monitor" / "data_quality"


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    """Two months in which a category appears that was not there before."""
    town = ["BEDOK", "YISHUN"] * 200
    area = [float(30 + number % 90) for number in range(400)]
    pl.DataFrame({"town": town, "area": area}).write_parquet(tmp_path / "before.parquet")
    now = pl.DataFrame({"town": [*town[:-1], "TENGAH"], "area": area})
    now.write_csv(tmp_path / "now.csv")
    return tmp_path


def run(cli: Cli, *argv: object) -> Said:
    return cli("monitor", "run", "data-quality", *argv)


def test_a_new_category_is_found_with_its_row(cli: Cli, sales: Path) -> None:
    out = sales / "out"
    said = run(
        cli, "--input", sales / "now.csv", "--baseline", sales / "before.parquet", "--out", out, "--json"
    )
    found = json.loads(said.out)
    assert (said.code, found["status"]) == (1, "CompletedWithViolations")
    (evidence,) = [each for each in found["evidence"] if each["check"] == "categorical_values_check"]
    assert [(row["line"], row["value"]) for row in evidence["rows"]] == [(401, "TENGAH")]
    assert {path.name for path in out.iterdir()} == {
        "analysis.json",
        "constraint_violations.json",
        "constraints.json",
        "report.html",
        "statistics.json",
    }
    assert (out / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_the_number_of_workers_changes_no_byte(cli: Cli, sales: Path) -> None:
    said = [
        run(
            cli, "--input", sales / "now.csv", "--baseline", sales / "before.parquet",
            "--out", sales / f"out-{workers}", "--workers", workers, "--json",
        ).out
        for workers in (1, 2, 7)
    ]  # fmt: skip
    assert said[0] == said[1] == said[2]
    for name in ("statistics.json", "constraints.json", "report.html"):
        assert len({(sales / f"out-{workers}" / name).read_bytes() for workers in (1, 2, 7)}) == 1


def test_compatible_mode_leaves_the_closed_analyzers_bytes(cli: Cli, tmp_path: Path) -> None:
    said = run(
        cli, "--input", GOLDEN / "baseline_dataset.csv", "--no-header", "--mode", "compatible",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert said.code == 0
    assert (tmp_path / "out/statistics.json").read_bytes() == (GOLDEN / "statistics.json").read_bytes()
    wanted = (GOLDEN / "good_cases.constraints.json").read_bytes()
    assert (tmp_path / "out/constraints.json").read_bytes() == wanted


def test_a_file_that_is_not_there_is_named(cli: Cli, tmp_path: Path) -> None:
    said = run(cli, "--input", tmp_path / "none.csv", "--out", tmp_path / "out")
    assert (said.code, "there is no such file or folder" in said.err) == (2, True)
    assert not (tmp_path / "out").exists()

"""Rehearsals that meet a hole in the data, a full disk, a broken model, or Ctrl-C."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.cli.conftest import Said
from tests.cli.rehearsals import PATIENCE, alive, rising, small_rehearsal, wait_for
from tests.cli.workspaces import tree
from watchkeeper.adapters.sources.dataset import SourceRequest
from watchkeeper.app.replay.rehearsal import RehearsalRequest
from watchkeeper.app.replay.rehearse import interrupted, rehearse
from watchkeeper.app.setup.project import load_project
from watchkeeper.core.values import Progress

Cli = Callable[..., Said]


def executions(out: Path) -> dict[str, tuple[str, str]]:
    """Status and reason of each execution, by monitor and the month of its window."""
    found: dict[str, tuple[str, str]] = {}
    for file in sorted((out / "executions").rglob("execution.json")):
        record: dict[str, Any] = json.loads(file.read_bytes())
        month = record["window"]["start"][:7]
        found[f"{record['monitor']} {month}"] = (record["status"], record["reason"])
    return found


def test_a_month_without_rows_and_one_with_too_few_close_the_loop(tmp_path: Path) -> None:
    """Prices jump when the model goes live; the challenger, who has not seen that either, is not accepted."""
    frame = rising("2020-03")
    month, price = pl.col("month"), pl.col("resale_price").cast(pl.Float64)
    cheap = (
        pl.when(month == "2019-12").then(price / 1.5).otherwise(price).round(0).cast(pl.Int64).cast(pl.String)
    )
    thin = pl.concat([frame.filter(month < "2020-02"), frame.filter(month == "2020-03").head(10)])
    rehearsal = small_rehearsal(tmp_path, thin.with_columns(cheap.alias("resale_price")))
    done = rehearsal.run("--json")
    assert (done.returncode, done.stderr) == (0, "")
    summary = json.loads(done.stdout)
    assert (summary["closed"], summary["problems"]) == (True, [])
    counts = summary["counts"]
    assert counts["requests"] == counts["captured"]
    assert counts["rows"] == counts["labels"] == counts["scored"] == sum(m["rows"] for m in summary["months"])
    january, february, march = summary["months"]
    assert january["alerts"][-1:] == ["ModelQualityDegraded"]
    assert (february["month"], february["rows"], february["watched"], february["model_version"]) == (
        "2020-02",
        0,
        None,
        1,
    )
    assert (march["rows"], march["alerts"], march["violations"]) == (10, [], 0)
    found = executions(rehearsal.out)
    for monitor in ("data-quality", "model-quality"):
        assert found[f"{monitor} 2020-02"][0] == "NoTraffic"
        assert found[f"{monitor} 2020-03"] == ("InsufficientData", "10 rows of model v1, want at least 50")
    assert summary["retrains"][0]["outcome"] == "not accepted"
    assert (
        "2020-02" in (rehearsal.out / "report.html").read_text()
        or "Feb" in (rehearsal.out / "report.html").read_text()
    )


@pytest.mark.parametrize(("first", "until"), [("2018-11", "2020-01"), ("2020-01", "2020-04")])
def test_months_beyond_the_data_take_nothing_away(cli: Cli, tmp_path: Path, first: str, until: str) -> None:
    rehearsal = small_rehearsal(tmp_path)
    rehearsal.out.mkdir()
    (rehearsal.out / "rehearsal.json").write_text('{"finished": true}')
    (rehearsal.out / "summary.json").write_text("{}")
    before = tree(rehearsal.out)
    named = ("--project", rehearsal.project, "--data", rehearsal.data, "--out", rehearsal.out)
    said = cli("rehearse", "--no-serve", *named, "--from", first, "--until", until)
    assert said.code == 2
    assert "want months that the data covers, got none of " in said.err
    assert "which has 2018-12 to 2020-03" in said.err
    assert tree(rehearsal.out) == before


@pytest.mark.parametrize(
    ("most", "says"),
    [
        (2_000, "watchkeeper.yaml: File too large"),
        (20_000, "/ingest: File too large"),
        (400_000, "mlflow: disk I/O error: no space left, or the file too large?"),
    ],
)
def test_a_file_that_the_disk_does_not_take_is_named(tmp_path: Path, most: int, says: str) -> None:
    """The operating system's own limit on a file's size stands for the end of the disk."""
    rehearsal = small_rehearsal(tmp_path)
    done = rehearsal.run("--json", before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))
    assert (done.returncode, says in done.stderr) == (3, True), done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("watchkeeper: ")
    assert not (rehearsal.out / "summary.json").exists()
    assert interrupted(rehearsal.out)


def test_a_challenger_that_does_not_load_leaves_the_champion_and_the_loop_closes(tmp_path: Path) -> None:
    small = small_rehearsal(tmp_path)
    heard: list[str] = []

    def spoil_the_second(step: Progress) -> None:
        """The files of the second model, the challenger, lose their end before they are registered."""
        heard.append(step.step)
        if step.step == "register" and heard.count("register") == 2:
            newest = max((small.out / "training").iterdir(), key=lambda folder: folder.stat().st_mtime_ns)
            file = max((newest / "register" / "model").iterdir(), key=lambda path: path.stat().st_size)
            file.write_bytes(file.read_bytes()[:-100])

    request = RehearsalRequest(small.out, SourceRequest(small.data), "2020-01", "2020-03", lambda _: True)
    summary = rehearse(load_project(small.project), request, spoil_the_second)
    assert (summary.closed, summary.problems) == (True, ())
    assert summary.retrains[0].outcome == "failed"
    assert {month.model_version for month in summary.months} <= {1, 3}
    (failed, *_) = [
        json.loads(file.read_bytes()) for file in sorted((small.out / "retrains").rglob("outcome.json"))
    ]
    assert "want the artefact with digest" in failed["reason"] or failed["kind"] == "failed"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_ctrl_c_ends_it_in_one_line_and_the_next_one_starts_over(tmp_path: Path) -> None:
    rehearsal = small_rehearsal(tmp_path)
    process = rehearsal.start(tmp_path / "errors")

    def serving() -> bool:
        assert process.poll() is None, (tmp_path / "errors").read_text()
        return (rehearsal.out / "executions").is_dir()

    try:
        wait_for(serving, "the first execution")
        os.killpg(process.pid, signal.SIGINT)
        code = process.wait(PATIENCE)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    said = (tmp_path / "errors").read_text().strip()
    assert said == "watchkeeper: interrupted in 2020-02; run it again to start over"
    assert code == 130
    wait_for(lambda: not alive(process.pid), "the end of the server")
    assert not (rehearsal.out / "run" / "server.json").exists()
    assert interrupted(rehearsal.out)

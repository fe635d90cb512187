"""`watchkeeper labels merge`: hours of captures with their labels beside them, and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.captures.label_folders import folders as folders  # the fixture
from tests.cli.conftest import Said
from tests.readers.label_files import TIME
from watchkeeper.core.values import GroundTruth
from watchkeeper.render.records import ground_truth_line

Cli = Callable[..., Said]


def test_the_command_writes_hours_and_says_what_it_left_out(
    cli: Cli, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    asked = ("--captures", folders[0], "--ground-truth", folders[1], "--output", tmp_path / "out")
    said = cli("labels", "merge", *asked)
    assert said.code == 0, said.err
    assert said.out.splitlines() == [
        f"2 of 3 records with their labels in 1 files below {tmp_path / 'out'}",
        "  1 records without a label, left out",
        "  1 ids with labels and no record, left out",
    ]
    (file,) = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert file.parent.relative_to(tmp_path / "out").as_posix() == "prices/AllTraffic/2020/01/15/12"
    before = file.read_bytes()
    again = cli("labels", "merge", *asked, "--json")
    assert json.loads(again.out)["merged"] == 2
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [file]
    assert file.read_bytes() == before
    assert not list((tmp_path / "out").glob(".*"))


def test_the_merge_jobs_environment_is_understood(
    cli: Cli, folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("dataset_source", str(folders[0]))
    monkeypatch.setenv("ground_truth_source", str(folders[1]))
    monkeypatch.setenv("output_path", str(tmp_path / "out"))
    assert cli("labels", "merge").code == 0


def test_nothing_to_merge_is_an_error_that_counts(
    cli: Cli, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    (truth,) = folders[1].rglob("x.jsonl")
    truth.write_bytes(ground_truth_line(GroundTruth("nobody", (1.0,)), TIME))
    said = cli(
        "labels",
        "merge",
        "--captures",
        folders[0],
        "--ground-truth",
        folders[1],
        "--output",
        tmp_path / "out",
    )
    assert said.code == 2
    assert "merge labels: no captured record has a label: 3 records in 2 files, 1 labels in 1" in said.err
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").rglob("*"))

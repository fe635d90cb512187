"""The month from end to end, as a newcomer runs it: every file, every count, and a second time."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.cli.conftest import Said
from tests.cli.rehearsals import EXAMPLE, recomputed, rehearse
from tests.cli.workspaces import small_data, small_project, tree, with_text
from tests.shared import shared

Cli = Callable[..., Said]
CONTRACT = {"constraints.json", "statistics.json", "execution.json", "report.html"}


@pytest.fixture(scope="module")
def look_alike(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The worked example with two trials, on the look-alike."""
    folder = tmp_path_factory.mktemp("look-alike")
    text = EXAMPLE.read_text(encoding="utf-8")
    assert "trials: 25" in text
    (folder / "watchkeeper.yaml").write_text(text.replace("trials: 25", "trials: 2"), encoding="utf-8")
    return folder / "out", rehearse("--project", folder, "--out", folder / "out")


def records(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    """Every line of the capture or ground-truth files."""
    for file in sorted((folder / kind).rglob("*.jsonl")):
        yield from map(json.loads, file.read_text(encoding="utf-8").splitlines())


def test_the_loop_closes_on_the_look_alike(
    look_alike: tuple[Path, subprocess.CompletedProcess[str]], cli: Cli
) -> None:
    out, done = look_alike
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (out / "summary.json").read_text(encoding="utf-8")
    summary = json.loads(done.stdout)
    assert (summary["closed"], summary["problems"], summary["data_source"]) == (True, [], "look-alike")
    assert "GENERATED" in summary["data_description"]
    counts = summary["counts"]
    assert counts["requests"] == counts["captured"] > 100
    assert counts["rows"] == counts["labels"] == counts["scored"] > 1000
    assert counts["unmatched"] == 0
    (month,) = summary["months"]
    assert month["watched"]["r2"] >= 0.90
    assert (month["rows"], month["model_version"]) == (counts["rows"], 1)
    verified = cli("audit", "verify", "--workspace", out)
    assert (verified.code, f"verified: {summary['audit']['entries']} entries" in verified.out) == (0, True)
    assert json.loads(cli("models", "show", "1", "--workspace", out, "--json").out)["serving_in"] == [
        "dev",
        "uat",
        "prod",
    ]


def test_every_captured_record_is_of_exactly_one_request(
    look_alike: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, done = look_alike
    counts = json.loads(done.stdout)["counts"]
    asked = Counter(record["eventMetadata"]["inferenceId"] for record in records(out, "captures"))
    labelled = Counter(record["eventMetadata"]["eventId"] for record in records(out, "ground-truth"))
    assert set(asked.values()) == {1}
    assert asked == labelled
    assert len(asked) == counts["requests"]
    scores = pl.read_parquet(out / "scores.parquet")
    assert scores.height == counts["rows"] == scores.select("inference_id", "row").n_unique()
    assert scores.null_count().sum_horizontal().item() == 0


def test_the_files_are_there_and_none_is_half_written(
    look_alike: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, _ = look_alike
    report = (out / "report.html").read_bytes()
    assert report.rstrip().endswith(b"</html>")
    assert len(report) < 2_000_000
    quality = out / "executions" / "resale-price-prod-model-quality" / "2020" / "03" / "01" / "00"
    drift = out / "executions" / "resale-price-prod-data-quality" / "2020" / "02" / "01" / "00"
    for folder in (quality / "revision-2", drift):
        names = {path.name for path in folder.iterdir()}
        violations = json.loads((folder / "execution.json").read_text())["judgements"][0]["violations"]
        assert names == CONTRACT | ({"constraint_violations.json"} if violations else set())
    assert {path.name for path in quality.iterdir()} == {"execution.json", "report.html", "revision-2"}
    assert not [path for path in out.rglob("*") if path.name.startswith(".part-")]
    assert not list((out / "spool").rglob("*.jsonl"))
    assert not (out / "run" / "server.json").exists(), "the server is gone"


def test_a_month_says_what_its_error_is_likely_to_be_and_then_what_it_was(
    look_alike: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, _ = look_alike
    folder = out / "executions" / "resale-price-prod-model-quality" / "2020" / "03" / "01" / "00"
    first, then = (json.loads((folder / name / "execution.json").read_text()) for name in (".", "revision-2"))
    assert (first["status"], then["status"]) == ("AwaitingLabels", "Completed")
    assert first["estimates"] == then["estimates"]
    (expected,) = [each for each in first["estimates"] if each["metric"] == "rmse"]
    came = next(s["value"] for s in then["samples"] if s["metric"] == "watchkeeper_model_quality_rmse")
    assert expected["low"] < expected["value"] < expected["high"]
    assert 0.7 * came < expected["value"] < 1.3 * came
    for name, words in ((".", "awaiting labels"), ("revision-2", "Came out as")):
        page = (folder / name / "report.html").read_text(encoding="utf-8")
        assert "Before the labels came" in page
        assert words in page


def test_half_years_can_be_recomputed_from_the_scores_alone(
    look_alike: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    out, _ = look_alike
    said = recomputed(out)
    assert (said.returncode, "every figure agrees" in said.stdout) == (0, True), said.stderr
    for name in ("scores.parquet", "models.json", "summary.json"):
        shutil.copy(out / name, tmp_path / name)
    models = json.loads((tmp_path / "models.json").read_text())
    models[0]["trained_through"] = "2020-01"
    (tmp_path / "models.json").write_text(json.dumps(models))
    assert "scored by a model that knew their labels" in recomputed(tmp_path).stderr
    shutil.copy(out / "models.json", tmp_path / "models.json")
    scores = pl.read_parquet(tmp_path / "scores.parquet").with_columns(pl.col("prediction") * (1 + 1e-6))
    scores.write_parquet(tmp_path / "scores.parquet")
    assert "AssertionError: ('2020H1', 'watched'," in recomputed(tmp_path).stderr


def test_a_finished_and_an_interrupted_rehearsal_are_started_over(
    look_alike: tuple[Path, subprocess.CompletedProcess[str]], cli: Cli, tmp_path: Path
) -> None:
    """After the tests above, as it takes their files away."""
    out, _ = look_alike
    project, data = small_project(tmp_path / "project"), small_data(tmp_path / "sales.csv")
    again = ("--project", project, "--data", data, "--out", out)
    refused = cli("rehearse", "--no-serve", *again, "--approve", "ask", answers="n\n")
    assert (refused.code, "approve model v1 for prod: the answer was no" in refused.err) == (1, True)
    assert not (out / "summary.json").exists()
    assert not list((out / "captures").rglob("*.jsonl"))
    taken_up = rehearse(*again)
    assert (taken_up.returncode, "was interrupted; starting over" in taken_up.stderr) == (0, True)
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["closed"], summary["data_source"]) == (True, "file")
    assert [path.name for path in (out / "models").iterdir()] == ["v1"]


def test_what_someone_put_into_a_rehearsals_folder_is_not_lost(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "rehearsal.json").write_text('{"finished": true}')
    (tmp_path / "audit").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    said = cli("rehearse", "--out", tmp_path, "--no-serve")
    assert (said.code, "an earlier rehearsal's, got notes.txt" in said.err) == (2, True)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["notes.txt", "rehearsal.json"])
def test_a_folder_with_other_files_is_left_alone(cli: Cli, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine")
    said = cli("rehearse", "--out", out, "--no-serve")
    assert (said.code, f"want an empty folder or an earlier rehearsal's, got {name}" in said.err) == (2, True)
    assert tree(out) == [(name, b"mine")]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("--from", "2020-02", "--until", "2020-01"), "want --until 2020-01 not before --from 2020-02"),
        (("--from", "2020-1"), 'rehearse --from: want a month as YYYY-MM, got "2020-1"'),
        (("--until", "never"), 'rehearse --until: want a month as YYYY-MM, got "never"'),
        (("--project", "nowhere"), "read project file nowhere"),
    ],
)
def test_what_cannot_be_rehearsed_makes_no_folder(
    cli: Cli, tmp_path: Path, argv: tuple[str, ...], says: str
) -> None:
    said = cli("rehearse", "--out", tmp_path / "out", "--no-serve", *argv)
    assert (said.code, says in said.err) == (2, True)
    assert not (tmp_path / "out").exists()


def test_months_that_the_data_do_not_have_are_named(cli: Cli, tmp_path: Path) -> None:
    project, data = small_project(tmp_path / "project"), small_data(tmp_path / "sales.csv")
    asked = ("--project", project, "--data", data, "--out", tmp_path / "out", "--until", "2020-04")
    said = cli("rehearse", "--no-serve", *asked)
    assert (said.code, "got none of 2020-03, 2020-04 in" in said.err) == (2, True)


def test_a_month_with_a_text_that_is_no_number_is_not_sent(cli: Cli, tmp_path: Path) -> None:
    """The month comes after those that training has checked."""
    project = small_project(tmp_path / "project")
    data = small_data(tmp_path / "sales.csv", with_text("floor_area_sqm", "2020-01", "large"))
    out = tmp_path / "out"
    said = cli("rehearse", "--project", project, "--data", data, "--out", out, "--no-serve")
    assert said.code == 2
    assert 'plan requests of 2020-01, column floor_area_sqm: want numbers, got "large"' in said.err
    assert not (out / "deployments").exists()
    assert not (out / "captures").exists()


def test_january_2020_of_the_real_data(tmp_path: Path) -> None:
    data, out = shared("data/hdb-resale-2017-2022.csv.gz"), tmp_path / "out"
    done = rehearse("--data", data, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    summary = json.loads(done.stdout)
    assert (summary["closed"], summary["data_source"]) == (True, "file")
    assert "Singapore Open Data Licence" in summary["data_description"]
    counts, (month,) = summary["counts"], summary["months"]
    assert counts["requests"] == counts["captured"]
    assert counts["rows"] == counts["labels"] == counts["scored"] == 1911
    assert month["watched"]["r2"] >= 0.94
    model = json.loads((out / "models" / "v1" / "model.json").read_text())
    assert (model["trained_through"], model["labels_known_in"]) == ("2019-11", "2019-12")
    files = sorted((out / "training").rglob("*.parquet"))
    assert len(files) >= 5
    assert max(str(pl.read_parquet(file)["month"].max()) for file in files) == "2019-11"
    violations = [
        violation
        for file in (out / "executions").rglob("constraint_violations.json")
        for violation in json.loads(file.read_text())["violations"]
    ]
    assert [(each["feature_name"], each["constraint_check_type"]) for each in violations] == [
        ("flat_model", "categorical_values_check")
    ]
    assert 'Unknown: "2-room" (1).' in violations[0]["description"]
    assert [each["kind"] for each in summary["decisions"]] == ["Review"]

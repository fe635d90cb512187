"""`watchkeeper explain`: why a captured request got its answer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Said

Record = dict[str, Any]
Cli = Callable[..., Said]


def records(bad_month: Path) -> Iterator[tuple[Path, Record]]:
    for file in sorted((bad_month / "captures" / "prod").rglob("*.jsonl")):
        for line in file.read_text().splitlines():
            yield file, json.loads(line)


def answers(record: Record) -> list[float]:
    return [float(text) for text in record["captureData"]["endpointOutput"]["data"].split()]


def test_each_row_of_a_request_is_explained_up_to_the_answer_it_got(cli: Cli, bad_month: Path) -> None:
    _, record = next(each for each in records(bad_month))
    asked = record["eventMetadata"]["inferenceId"]
    said = cli("explain", "--for", "prod", "--inference-id", asked, "--workspace", bad_month, "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert [each["prediction"] for each in found] == pytest.approx(answers(record), rel=1e-5)
    for each in found:
        total = each["expected"] + sum(share["contribution"] for share in each["shares"])
        assert total == pytest.approx(each["prediction"])
        sizes = [abs(share["contribution"]) for share in each["shares"]]
        assert sizes == sorted(sizes, reverse=True)
    text = cli("explain", "--for", "prod", "--inference-id", asked, "--workspace", bad_month)
    assert text.out.count("prediction") == len(found)
    assert "town = " in text.out
    assert "█" in text.out


def test_the_page_draws_each_row(cli: Cli, bad_month: Path, tmp_path: Path) -> None:
    _, record = next(each for each in records(bad_month))
    asked = record["eventMetadata"]["inferenceId"]
    typed = ("explain", "--for", "prod", "--inference-id", asked, "--workspace", bad_month)
    said = cli(*typed, "--html", tmp_path / "why.html")
    assert said.code == 0, said.err
    assert said.out.rstrip().endswith(f"the page is {tmp_path / 'why.html'}")
    page = (tmp_path / "why.html").read_text()
    assert page.count("what each column added") == len(answers(record))
    assert "town = " in page
    assert [path.name for path in tmp_path.iterdir()] == ["why.html"]
    nowhere = cli(*typed, "--html", tmp_path / "no" / "why.html")
    assert (nowhere.code, "write " in nowhere.err) == (3, True)


def test_values_of_sensitive_columns_are_masked(cli: Cli, bad_month: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(bad_month, copy)
    file = copy / "watchkeeper.yaml"
    file.write_text(file.read_text().replace("  columns:", "  sensitive: [town]\n  columns:", 1))
    _, record = next(each for each in records(bad_month))
    asked = record["eventMetadata"]["inferenceId"]
    said = cli("explain", "--for", "prod", "--inference-id", asked, "--workspace", copy)
    assert said.code == 0, said.err
    assert "town = •••" in said.out
    assert "EAST" not in said.out


def changed(bad_month: Path, folder: Path, old: str, new: str) -> Path:
    """A copy of the workspace with another text in its capture files."""
    shutil.copytree(bad_month, folder)
    for file in (folder / "captures").rglob("*.jsonl"):
        file.write_text(file.read_text().replace(old, new))
    return folder


@pytest.mark.parametrize("written", ['caf\u00e9 \\"1\\"', 'caf\\u00e9 \\"1\\"'])
def test_an_id_is_found_however_json_writes_it(
    cli: Cli, bad_month: Path, tmp_path: Path, written: str
) -> None:
    _, record = next(each for each in records(bad_month))
    copy = changed(bad_month, tmp_path / "copy", record["eventMetadata"]["inferenceId"], written)
    said = cli("explain", "--for", "prod", "--inference-id", 'caf\u00e9 "1"', "--workspace", copy)
    assert said.code == 0, said.err


def test_a_record_without_its_model_version_is_not_explained(
    cli: Cli, bad_month: Path, tmp_path: Path
) -> None:
    _, record = next(each for each in records(bad_month))
    version = f'"modelVersion":"{record["eventMetadata"]["modelVersion"]}",'
    copy = changed(bad_month, tmp_path / "copy", version, "")
    asked = record["eventMetadata"]["inferenceId"]
    said = cli("explain", "--for", "prod", "--inference-id", asked, "--workspace", copy)
    assert said.code == 2
    assert f"explain {asked}: want a record that names its model version" in said.err


def test_an_id_that_nobody_asked_with_is_said_so(cli: Cli, bad_month: Path) -> None:
    said = cli("explain", "--for", "prod", "--inference-id", "nothing", "--workspace", bad_month)
    assert said.code == 2
    assert "explain nothing: want the id of a request that demo-prod answered" in said.err


def test_an_answer_that_the_artefact_does_not_give_is_no_explanation(
    cli: Cli, bad_month: Path, tmp_path: Path
) -> None:
    _, record = next(each for each in records(bad_month))
    copy = changed(bad_month, tmp_path / "copy", str(answers(record)[0]), "1.0")
    asked = record["eventMetadata"]["inferenceId"]
    said = cli("explain", "--for", "prod", "--inference-id", asked, "--workspace", copy)
    assert said.code == 1
    assert "row 1: 1.00 was answered, and model v1 on record gives" in said.err

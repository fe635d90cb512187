"""Data files that cannot be used: the message, the code, and that nothing half-written is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Said
from tests.cli.workspaces import small_data, small_project, small_rows, tree, with_text

Cli = Callable[..., Said]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return small_project(tmp_path / "project")


def test_data_that_can_be_used_are_described(cli: Cli, project: Path, tmp_path: Path) -> None:
    said = cli(
        "data", "show", "--workspace", project, "--data", small_data(tmp_path / "sales.csv.gz"), "--json"
    )
    summary = json.loads(said.out)
    assert (said.code, summary["source"], summary["rows"]) == (0, "file", small_rows().height)
    assert (summary["first"], summary["last"], summary["months"]) == ("2018-12", "2020-02", 15)
    assert list(summary["description"].split(". ")[:1]) == [
        f"{small_rows().height:,} sales from sales.csv.gz"
    ]


def test_without_a_file_and_the_network_the_look_alike_says_what_it_is(cli: Cli, project: Path) -> None:
    said = cli("data", "show", "--workspace", project)
    assert (said.code, "GENERATED sales" in said.out) == (0, True)
    assert "the publisher was not asked" in said.out


def test_the_variable_names_the_file(
    cli: Cli, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHKEEPER_HDB_CSV", str(tmp_path / "gone.csv"))
    said = cli("data", "show", "--workspace", project)
    assert (said.code, "gone.csv: there is no such file" in said.err) == (2, True)


def broken_files(folder: Path) -> dict[str, Path]:
    """A file for each fault."""
    header, first, *_ = small_rows().head(3).write_csv().splitlines()
    texts = {
        "empty": "",
        "header only": header + "\n",
        "missing column": small_rows().drop("town").write_csv(),
        "misspelt column": small_rows().rename({"town": "twon"}).write_csv(),
        "extra column": small_rows().with_columns(agent=small_rows()["town"]).write_csv(),
        "short line": f"{header}\n{first}\n2019-01,ANG MO KIO\n",
    }
    found = {name: folder / f"{name}.csv" for name in texts}
    for name, text in texts.items():
        found[name].write_text(text)
    whole = small_data(folder / "whole.csv.gz").read_bytes()
    found["truncated gzip"] = folder / "truncated.csv.gz"
    found["truncated gzip"].write_bytes(whole[: len(whole) // 2])
    found["absent"] = folder / "absent.csv"
    return found


SAYS = {
    "empty": "want a header line and rows, got an empty file",
    "header only": "want rows, got the header line only",
    "missing column": "column town is missing",
    "misspelt column": "column town is missing (is it twon?)",
    "extra column": "column agent is not expected",
    "short line": "line 3: want 11 fields, got 2",
    "truncated gzip": "the gzip file is cut off; copy it again",
    "absent": "there is no such file",
}


@pytest.mark.parametrize("command", [("data", "show"), ("train",)])
@pytest.mark.parametrize("fault", SAYS)
def test_a_file_that_cannot_be_used_is_named_and_leaves_nothing(
    cli: Cli, project: Path, tmp_path: Path, command: tuple[str, ...], fault: str
) -> None:
    before, file = tree(project), broken_files(tmp_path)[fault]
    said = cli(*command, "--workspace", project, "--data", file)
    assert (said.code, said.out) == (2, "")
    assert f"read table {file}" in said.err
    assert SAYS[fault] in said.err
    assert tree(project) == before


@pytest.mark.parametrize(
    ("column", "text", "says"),
    [
        (
            "floor_area_sqm",
            "large",
            "column floor_area_sqm: want a number above 0, got 1 that are not (line ",
        ),
        ("resale_price", "", "column resale_price: want a number above 0, got 1 that are not (line "),
        (
            "remaining_lease",
            "long",
            "column remaining_lease: want what kind years reads, got 1 that are not (line ",
        ),
    ],
)
def test_a_text_that_is_no_number_ends_the_training_and_registers_nothing(
    cli: Cli, project: Path, tmp_path: Path, column: str, text: str, says: str
) -> None:
    file = small_data(tmp_path / "sales.csv", with_text(column, "2019-06", text))
    said = cli("train", "--workspace", project, "--data", file, "--through", "2019-11")
    assert (said.code, said.out) == (2, "")
    assert says in said.err
    kept = [name for name, _ in tree(project)]
    assert not [name for name in kept if ".part-" in name], "only whole files"
    assert {name.split("/")[0] for name in kept} <= {
        "watchkeeper.yaml", "assets", "training", "audit", "audit-head.json", "audit.lock",
    }  # fmt: skip
    assert "no model is registered yet" in cli("models", "list", "--workspace", project).out
    assert cli("audit", "verify", "--workspace", project).code == 0


@pytest.mark.parametrize("month", ["2019-13", "soon", "2019"])
def test_a_month_that_is_none_is_refused_before_anything(cli: Cli, project: Path, month: str) -> None:
    before = tree(project)
    said = cli("train", "--workspace", project, "--through", month)
    assert (said.code, said.err) == (
        2,
        f'watchkeeper: train --through: want a month as YYYY-MM, got "{month}"\n',
    )
    assert tree(project) == before


def test_a_month_before_the_data_leaves_no_schema(cli: Cli, project: Path, tmp_path: Path) -> None:
    said = cli(
        "train", "--workspace", project, "--data", small_data(tmp_path / "s.csv"), "--through", "2010-01"
    )
    assert (said.code, "want rows of the months 2009-02 to 2010-01, got none" in said.err) == (2, True)
    assert not (project / "schemas").exists()

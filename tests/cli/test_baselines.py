"""`watchkeeper baseline` and `watchkeeper schema`, as people type them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.cli.conftest import Said
from tests.cli.workspaces import tree
from tests.training.history import sales
from watchkeeper.app.registry.baselines import detail, standings
from watchkeeper.app.registry.schema_list import schema_uses
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.core.encoding import encode

Cli = Callable[..., Said]


@pytest.fixture
def own(bad_month: Path, tmp_path: Path) -> Path:
    """A copy to be changed by one test."""
    return Path(shutil.copytree(bad_month, tmp_path / "workspace"))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    sales().tail(60).with_columns(prediction=pl.col("price")).write_csv(path)
    return path


def test_the_list_says_where_each_judges(cli: Cli, bad_month: Path) -> None:
    said = cli("baseline", "list", "--workspace", bad_month)
    assert said.code == 0
    head, _, data, quality = said.out.splitlines()
    assert head.split()[:4] == ["monitor", "version", "model", "rows"]
    assert data.split()[:3] == ["data-quality", "1", "v1"]
    assert "dev, uat, prod" in data
    assert "training-run" in quality
    one = cli("baseline", "list", "model-quality", "--workspace", bad_month)
    assert "data-quality" not in one.out
    assert cli("baseline", "list", "quality", "--workspace", bad_month).code == 2


def test_json_is_the_encoding_of_the_value(cli: Cli, bad_month: Path) -> None:
    project, store = load_project(bad_month), open_workspace(bad_month).store
    values: dict[tuple[str, ...], object] = {
        ("baseline", "list"): standings(project, store),
        ("baseline", "show", "data-quality", "1"): detail(project, store, "data-quality", 1),
        ("schema", "list"): schema_uses(store),
        ("schema", "show"): schema_uses(store)[0],
    }
    for argv, value in values.items():
        assert cli(*argv, "--json", "--workspace", bad_month).out == encode(value).decode()


def test_show_tells_the_whole_provenance(cli: Cli, bad_month: Path) -> None:
    said = cli("baseline", "show", "data-quality", 1, "--workspace", bad_month)
    assert said.code == 0
    for words in (
        "data-quality baseline v1 for model v1, schema v1, digest ",
        "training-run training/through-2020-03",
        "prod: Approved",
        "Approved for prod by kim (os-user): covered by the approval of model v1",
        "judges in dev, uat, prod; its files are in baselines/data-quality/v1/",
    ):
        assert words in said.out
    assert cli("baseline", "show", "data-quality", 9, "--workspace", bad_month).code == 2


def test_suggest_diff_approve_and_reject(cli: Cli, own: Path, rows: Path, tmp_path: Path) -> None:
    at = ("--workspace", own)
    made = cli("baseline", "suggest", "data-quality", "--for-model", 1, "--from-file", rows, *at)
    assert (made.code, "data-quality baseline v2 for model v1: 60 rows" in made.out) == (0, True)
    assert "`watchkeeper baseline approve data-quality 2 --for ENVIRONMENT`" in made.out
    page = tmp_path / "diff.html"
    compared = cli("baseline", "diff", "data-quality", "--html", page, *at)
    assert (compared.code, compared.out.splitlines()[0]) == (0, "data-quality baseline v1 → v2")
    assert "It is made of 60 rows instead of " in compared.out
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    shown = json.loads(cli("baseline", "diff", "data-quality", 2, 1, "--json", *at).out)
    assert (shown["before"]["version"], shown["after"]["version"]) == (2, 1)
    dev = cli("baseline", "approve", "data-quality", 2, "--for", "dev", *at)
    assert (dev.code, "data-quality baseline v2 is Approved for dev, says " in dev.out) == (0, True)
    own_word = cli("baseline", "approve", "data-quality", 2, "--for", "prod", *at)
    assert (own_word.code, "want another person than " in own_word.err) == (1, True)
    no = cli("baseline", "reject", "data-quality", 2, "--for", "dev", "--why", "too new", *at)
    assert (no.code, "is Rejected for dev" in no.out) == (0, True)
    log = cli("audit", "list", *at).out
    assert all(action in log for action in ("baseline.suggest", "baseline.approve", "baseline.reject"))


def test_suggest_from_windows_says_what_was_left_out(cli: Cli, own: Path) -> None:
    at = ("--workspace", own)
    ask = ("baseline", "suggest", "model-quality", "--for-model", 1, "--env", "prod", "--from-windows")
    refused = cli(*ask, "2020-05..2020-06", *at)
    assert refused.code == 1
    assert "left out 2020-05-01T00:00:00Z to 2020-06-01T00:00:00Z: 4 violations in 60 rows" in refused.err
    made = cli(*ask, "2020-05..2020-06", "--no-leave-out-violations", *at)
    assert made.code == 0
    assert "2020-05-01T00:00:00Z to 2020-06-01T00:00:00Z: 60 rows (4 violations in 60 rows)" in made.out


@pytest.mark.parametrize(
    "argv",
    [
        ("--from-windows", "2020-05..2020-06"),
        ("--env", "prod"),
        ("--from-file", "x.csv", "--from-windows", "2020-05..2020-06", "--env", "prod"),
        ("--from-windows", "2020-05", "--env", "prod"),
        ("--from-windows", "2020-06..2020-05", "--env", "prod"),
        ("--from-windows", "2020-05..2020-06", "--env", "prd"),
        ("--from-file", "x.csv"),
    ],
)
def test_what_cannot_be_suggested_is_wrong_usage_and_leaves_nothing(
    cli: Cli, bad_month: Path, argv: tuple[str, ...]
) -> None:
    before = tree(bad_month / "baselines")
    said = cli("baseline", "suggest", "data-quality", "--for-model", 1, *argv, "--workspace", bad_month)
    assert (said.code, said.out) == (2, "")
    assert "Traceback" not in said.err
    assert tree(bad_month / "baselines") == before


def test_schemas_are_shown_and_compared(cli: Cli, own: Path) -> None:
    at = ("--workspace", own)
    listed = cli("schema", "list", *at)
    assert (listed.code, listed.out.splitlines()[-1].split()) == (0, ["1", "5", "model", "v1", "v1"])
    shown = cli("schema", "show", *at)
    assert "schema v1; models that speak it: v1" in shown.out
    assert shown.out.splitlines()[3].split() == ["1", "month", "String", "time"]
    second = json.loads((own / "schemas/v1.json").read_text())
    second["version"], second["columns"][2]["name"] = 2, "area_sqm"
    (own / "schemas/v2.json").write_text(json.dumps(second))
    compared = cli("schema", "diff", *at)
    assert compared.code == 0
    assert compared.out.splitlines() == [
        "schema v1 → v2",
        "  renamed (a guess): area may be called area_sqm now: same type and role",
    ]
    assert cli("schema", "diff", 1, 1, *at).out.strip() == "schema v1 → v1: no column differs"
    assert cli("schema", "show", 7, *at).code == 2

"""A new project from a template."""

import gzip
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from tests.training.history import sales
from watchkeeper.adapters.sources import SourceRequest
from watchkeeper.app.retraining.train import dataset_of
from watchkeeper.app.setup.drafting import Rows, project_name
from watchkeeper.app.setup.init import init, template_folder
from watchkeeper.app.setup.project import load_project
from watchkeeper.core.errors import InputError


@pytest.mark.parametrize("there", [False, True])
def test_a_new_project_can_be_used_as_it_is(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "new"
    if there:
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
    made = init(folder, "resale-price")
    assert (made.files[-1], made.template) == ("watchkeeper.yaml", "resale-price")
    assert {name.split("/")[0] for name in made.files[:-1]} == {"assets"}
    assert load_project(folder).environments == ("dev", "uat", "prod")
    template = template_folder("resale-price") / "watchkeeper.yaml"
    assert (folder / "watchkeeper.yaml").read_bytes() == template.read_bytes()


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "watchkeeper.yaml").write_text("mine")
    with pytest.raises(InputError, match=r"want none of its files there, got watchkeeper\.yaml"):
        init(tmp_path, "resale-price")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("watchkeeper.yaml", "mine")]


def test_an_unknown_template_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='find template "house-price": want one of resale-price, blank'):
        init(tmp_path / "new", "house-price")
    assert not (tmp_path / "new").exists()


def test_a_blank_project_has_the_folder_s_name_and_a_file_that_is_fine(tmp_path: Path) -> None:
    made = init(tmp_path / "My Prices", "blank")
    assert (made.files, made.drafted) == (("watchkeeper.yaml",), False)
    assert load_project(tmp_path / "My Prices").name == "my-prices"


@pytest.mark.parametrize(("folder", "name"), [("a_b", "a-b"), ("2020", "project-2020"), ("Ünïq", "n-q")])
def test_a_project_s_name_is_made_of_what_names_may_have(folder: str, name: str) -> None:
    assert project_name(Path(folder)) == name


def drafted(tmp_path: Path, columns: Mapping[str, pl.Series], label: str = "price") -> Path:
    """A project drafted from sales with further columns."""
    sales().with_columns(**columns).write_csv(tmp_path / "sales.csv")
    init(tmp_path / "own", "blank", Rows(tmp_path / "sales.csv", "month", label))
    return tmp_path / "own"


def test_columns_and_features_are_drafted_from_rows(tmp_path: Path) -> None:
    height = sales().height
    further = {
        "yes": pl.Series(["a", None] * (height // 2)),
        "id": pl.Series([f"r{place}" for place in range(height)]),
        "empty": pl.Series([None] * height, dtype=pl.String),
    }
    project = load_project(drafted(tmp_path, further))
    assert dict(project.settings.data.columns) == {
        "month": "time",
        "town": "feature",
        "area": "feature",
        "price": "label",
        "yes": "feature",
        "id": "text",
        "empty": "text",
    }
    assert {each.name: each.kind for each in project.settings.training.features} == {
        "month": "month",
        "town": "mean_target",
        "area": "number",
        "yes": "mean_target",
    }
    found = dataset_of(project, SourceRequest())
    assert found.frame.height == height
    assert found.description == f"{height:,} rows from sales.csv"


def test_a_file_in_the_folder_is_named_from_there_and_may_be_gzipped(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(sales().write_csv().encode()))
    init(tmp_path, "blank", Rows(tmp_path / "rows.csv.gz", "month", "price"))
    assert load_project(tmp_path).settings.data.files == ["rows.csv.gz"]


@pytest.mark.parametrize(
    ("text", "rows", "message"),
    [
        ("a,b\n", ("a", "b"), "want rows, got the header line only"),
        ("a,b\n2020-01,1\n", ("month", "b"), 'want the time column "month", got a, b'),
        ("a,b\n2020,1\n", ("a", "b"), 'column "a": want a month as YYYY-MM, got "2020"'),
        ("a,b\n2020-01,x\n", ("a", "b"), 'column "b": want a number, got "x"'),
        ("a,b\n2020-01,1\n", ("a", "b"), "want a column to learn from beside a, b"),
        ("a,b\n2020-01\n", ("a", "b"), "want 2 fields in each row, got 1"),
        ("a,a\n", ("a", "a"), "want a header with each column's name once"),
        ('a,b\n"x', ("a", "b"), "want a CSV file with a header, in UTF-8"),
    ],
)
def test_rows_that_make_no_project_are_refused_and_nothing_is_made(
    tmp_path: Path, text: str, rows: tuple[str, str], message: str
) -> None:
    (tmp_path / "rows.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        init(tmp_path / "own", "blank", Rows(tmp_path / "rows.csv", *rows))
    assert not (tmp_path / "own").exists()


def test_rows_are_for_the_blank_template_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="want the template blank, got resale-price"):
        init(tmp_path / "own", "resale-price", Rows(tmp_path / "rows.csv", "a", "b"))

"""A new project from a template."""

from pathlib import Path

import pytest

from watchkeeper.app.init import init, template_folder
from watchkeeper.app.project import load_project
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
    with pytest.raises(InputError, match='find template "house-price": want one of resale-price'):
        init(tmp_path / "new", "house-price")
    assert not (tmp_path / "new").exists()

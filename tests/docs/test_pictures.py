"""The pictures of the architecture page are those that the code gives, of types that are there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from docs.pictures import LOOP, Stage, pictures, rooms
from tests.docs.markdown import ROOT


@pytest.mark.parametrize("path", pictures(), ids=lambda path: path.name)
def test_a_picture_is_fresh(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == pictures()[path], "`make docs` draws it anew"


@pytest.mark.parametrize("stage", LOOP, ids=lambda stage: stage.name)
def test_a_stage_of_the_loop_is_a_type_of_the_code(stage: Stage) -> None:
    tree = ast.parse((ROOT / "src" / "watchkeeper" / stage.file).read_text(encoding="utf-8"))
    assert stage.type in {node.name for node in tree.body if isinstance(node, ast.ClassDef)}


def test_every_room_is_drawn() -> None:
    folder = ROOT / "src" / "watchkeeper"
    packages = [
        path.parent.name for path in (*folder.glob("*/__init__.py"), *folder.glob("app/*/__init__.py"))
    ]
    drawn = rooms()
    assert [name for name in packages if f">{name}/</text>" not in drawn] == []

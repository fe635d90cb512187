"""From a file of rows to a model that serves, by the commands that the how-to page names."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Said
from tests.docs.markdown import ROOT, blocks
from tests.training.history import sales

PAGE = ROOT / "docs" / "how-to" / "start-a-project.md"


def test_a_project_is_drafted_trained_and_scores_a_file(
    cli: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sales().write_csv("sales.csv")
    (text,) = [block for block in blocks(PAGE, "console") if "--template blank" in block]
    command, *shown = text.splitlines()
    assert cli(*command.removeprefix("$ watchkeeper ").split()).out.splitlines() == shown
    trained = cli("train", "--workspace", "sales", "--through", "2020-03")
    assert "registered model v1, pending approval" in trained.out
    assert cli("config", "check", "--workspace", "sales").code == 0
    shutil.copy("sales.csv", "new.csv")
    scored = cli("batch", "new.csv", "--for", "dev", "--model", "1", "--workspace", "sales")
    assert "1,800 rows scored by model version 1 of sales-dev" in scored.out

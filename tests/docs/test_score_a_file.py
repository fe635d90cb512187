"""The how-to page on scoring files: its commands, typed as they stand in a workspace that serves a model."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import polars as pl

from tests.app.loop import bring_to_prod, new_loop, train_in
from tests.cli.rehearsals import offline
from tests.cli.workspaces import put_down
from tests.docs.markdown import ROOT, blocks
from tests.training.history import sales

PAGE = ROOT / "docs" / "how-to" / "score-a-file.md"


def test_the_page_s_commands_score_look_and_bring_in(tmp_path: Path) -> None:
    loop = new_loop(tmp_path)
    train_in(loop)
    bring_to_prod(loop)
    put_down(loop, tmp_path)
    rows = sales("2020-05", "2020-05")
    ids = pl.Series("sale", [f"s{place}" for place in range(rows.height)])
    rows.with_columns(ids).write_csv(tmp_path / "rows.csv")
    environment = {**offline(), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    def typed(command: str) -> str:
        done = subprocess.run(
            shlex.split(command), cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    text = "\n".join(blocks(PAGE, "console"))
    (manifest, *others) = [line for line in text.splitlines() if line.startswith("$ ")]
    said = typed(manifest[2:])
    (path,) = (tmp_path / "batch").glob("prod/*/*/output/*/*/*/*/*.json")
    found = path.relative_to(tmp_path).as_posix()
    assert f"to have them watched: watchkeeper capture import {found} --for prod --model 1" in said
    for command in others:
        said += typed(command[2:].replace("MANIFEST", found))
    shown = [line for line in text.splitlines() if line and not line.startswith("$ ")]
    assert all(line in said for line in shown)
    statistics = json.loads((tmp_path / "findings" / "statistics.json").read_text())
    assert statistics["dataset"]["item_count"] == 60
    assert len(statistics["features"]) == 4

"""`watchkeeper stack check`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.app.stack.files import ToolCheck, check_stack
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.cli.stack_render import FOLDER
from watchkeeper.core.errors import Refused


@click.command()
@workspace_option
@click.option("--for", "environments", multiple=True, help="As it was rendered for.")
@json_option
def check(workspace: Path, environments: Sequence[str], as_json: bool) -> None:
    """Ask promtool and amtool of the files in stack/, and where each rule's alerts go.

    Exit code 1 when something is wrong, or a tool is not there to ask.
    """
    project = load_project(workspace)
    folder = open_workspace(workspace).folder / FOLDER
    if not folder.is_dir():
        raise Refused(f"check {folder}: want the files that `watchkeeper stack render` writes, got none")
    found = check_stack(project, tuple(environments) or project.environments, folder)
    answer(found, as_json, lambda: "\n".join(map(_line, found)))
    sys.exit(0 if all(each.fine for each in found) else 1)


def _line(found: ToolCheck) -> str:
    mark = "fine" if found.fine else "WRONG" if found.ran else "not asked"
    said = "" if found.fine else f": {found.said}"
    return f"{mark:9}  {found.what}{said}"

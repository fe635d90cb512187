"""`watchkeeper backup` and `restore`."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.setup.backups import Backup, Manifest, back_up, restore
from watchkeeper.app.setup.formats import FORMAT, format_of, migrate
from watchkeeper.app.setup.project import load_project
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.cli.progress import progress_bars


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--migrate", "bring", is_flag=True, help="Then bring it to this watchkeeper's format.")
@workspace_option
@json_option
def backup(file: Path | None, bring: bool, workspace: Path, as_json: bool) -> None:
    """Write the workspace into FILE, `.tar.gz` or `.tar`; by default beside it, named after it and the time.

    What can be made anew is left out (the index, the stack's files), and so are captures that a running
    server has not shipped yet; `watchkeeper restore` makes a workspace of it again.
    """
    folder = workspace.resolve()
    project = load_project(folder)
    named = file or folder.with_name(f"{folder.name}-{WallClock().now():%Y%m%dT%H%M%SZ}.tar.gz")
    with progress_bars(quiet=as_json) as report:
        made = back_up(folder, named, os_user(), report, project.name)
    came = migrate(folder, FolderStore(folder)) if bring else ()
    answer(made, as_json, lambda: "\n".join([*_backed_up(made), *_brought(folder, bring, came)]))


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@json_option
def restore_(file: Path, folder: Path, as_json: bool) -> None:
    """Make the workspace FOLDER of a backup; it must not be there, or be empty.

    Every part is held against its digest and the audit log is verified before the folder appears.
    """
    with progress_bars(quiet=as_json) as report:
        made = restore(file, folder.resolve(), os_user(), report)
    answer(made, as_json, lambda: _restored(made, folder))


def _backed_up(made: Backup) -> list[str]:
    manifest = made.manifest
    lines = [f"{made.file}: {len(manifest.parts):,} files, {made.size / 1e6:,.1f} MB, sha256 {made.digest}"]
    if manifest.waiting:
        lines.append(f"{manifest.waiting:,} captured files were not in the store yet, and are not in it")
    return lines


def _brought(folder: Path, bring: bool, came: tuple[int, ...]) -> list[str]:
    if came:
        return [f"{folder} has format {came[-1]} now"]
    return (
        [f"{folder} has format {format_of(folder)} of {FORMAT}: nothing to bring up to date"] if bring else []
    )


def _restored(made: Manifest, folder: Path) -> str:
    when = f"{made.time:%Y-%m-%d %H:%M} UTC"
    return f"{folder}: project {made.project} as of {when}, {len(made.parts):,} files, audit log verified"

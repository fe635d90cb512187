"""`watchkeeper labels import`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.captures.label_import import Delivery, LabelImport, Place, import_labels
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, read_moment, workspace_option
from watchkeeper.cli.progress import progress_bars
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import Progress
from watchkeeper.readers.label_tables import LabelColumns, read_label_table

_BIG = 1024 * 1024  # bytes of a file from which on progress is shown


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--id", "id_", metavar="COLUMN", help="The column with the id of the request.")
@click.option("--label", metavar="COLUMN", help="The column with the label.")
@click.option("--row", metavar="COLUMN", help="The column with the row's number in its request, from 0.")
@click.option("--for", "environment", required=True, help="The environment whose requests they are of.")
@click.option(
    "--collected-at",
    metavar="TIME",
    help="When they were collected (default: now): for history that is brought in afterwards.",
)
@click.option("--strict", is_flag=True, help="Refuse labels of ids that no captured request carries.")
@click.option("--dry-run", is_flag=True, help="Say what would be stored, and store nothing.")
@workspace_option
@json_option
def import_(
    file: Path,
    id_: str | None,
    label: str | None,
    row: str | None,
    environment: str,
    collected_at: str | None,
    strict: bool,
    dry_run: bool,
    workspace: Path,
    as_json: bool,
) -> None:
    """Store the labels in FILE: CSV (also gzipped), Parquet or JSON Lines.

    One line for each row of a request, with the inference id (else the event id) it was captured
    under. Several lines of one id are the request's rows in their order, or by --row. Ground-truth
    records are taken as they are, without --id and --label.

    The whole file is checked before anything is stored. Labels that are on record already are left
    out, so that importing a file again adds nothing; changed ones are stored, and the later counts.
    """
    project, opened = load_project(workspace), open_workspace(workspace)
    place = Place(opened.store, opened.trail, environment, project.endpoint(environment))
    data, now = _read(file), WallClock().now()
    with progress_bars(quiet=as_json or len(data) < _BIG) as report:
        report(Progress("read", 0, 1, file.name))
        table = read_label_table(data, file.name, LabelColumns(id_, label, row))
        report(Progress("read", 1, 1, f"{table.lines:,} labels"))
        delivery = Delivery(
            table=table,
            source=file.name,
            digest=digest(data),
            collected_at=read_moment(collected_at, "read --collected-at") if collected_at else now,
            imported_at=now if collected_at else None,
            actor=os_user(),
            strict=strict,
            dry_run=dry_run,
        )
        done = import_labels(place, delivery, report)
    answer(done, as_json, lambda: _text(done))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"read labels {file}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"read labels {file}: want a file, got a folder") from None
    except PermissionError as error:
        raise InputError(f"read labels {file}: {error.strerror}") from None
    except OSError as error:
        raise PlatformError(f"read labels {file}: {error.strerror or error}", retryable=True) from error


def _text(done: LabelImport) -> str:
    samples, lines = done.samples, [_head(done)]
    if done.already and done.stored:
        lines.append(f"  {done.already:,} already on record, left out")
    if done.conflicting:
        pairs = [f"{each.id} {_values(each.before)} → {_values(each.after)}" for each in samples.conflicting]
        lines.append(f"  {done.conflicting:,} changed, the later counts: {_some(pairs, done.conflicting)}")
    if done.unknown:
        lines.append(
            f"  {done.unknown:,} of ids that no captured request carries (yet): "
            f"{_some(samples.unknown, done.unknown)}"
        )
    if done.mismatched:
        wrong = [
            f"{each.id} ({each.labels} labels, {'unclear' if each.rows is None else each.rows} rows)"
            for each in samples.mismatched
        ]
        lines.append(
            f"  {done.mismatched:,} with another number of labels than rows, which no monitor joins: "
            f"{_some(wrong, done.mismatched)}"
        )
    return "\n".join(lines)


def _head(done: LabelImport) -> str:
    what = f"{done.labels:,} labels of {done.received:,} requests of {done.endpoint}"
    if not done.stored:
        return f"{what}: nothing to add, all of them are on record"
    would = "would store" if done.dry_run else "stored"
    return f"{what}: {would} those of {done.stored:,} requests"


def _values(labels: Sequence[float | str]) -> str:
    return ", ".join(label if isinstance(label, str) else f"{label:.15g}" for label in labels)


def _some(said: Sequence[str], count: int) -> str:
    return "; ".join(said) + (f"; and {count - len(said):,} more" if count > len(said) else "")

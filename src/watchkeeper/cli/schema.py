"""`watchkeeper schema`."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.app.registry.schema_list import SchemaDiff, SchemaUse, schema_diff, schema_use, schema_uses
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.core.errors import InputError


@click.group()
def schema() -> None:
    """Show the columns that models were made for, and what changed."""


@schema.command("list")
@workspace_option
@json_option
def list_(workspace: Path, as_json: bool) -> None:
    """Print every schema version, and since which model it is spoken."""
    found = schema_uses(open_workspace(workspace).store)
    head = ("version", "columns", "since", "models")
    answer(found, as_json, lambda: table(head, [_row(each) for each in found], "no model was trained yet"))


@schema.command()
@click.argument("version", type=int, required=False)
@workspace_option
@json_option
def show(version: int | None, workspace: Path, as_json: bool) -> None:
    """Print the columns of schema VERSION, or of the newest, in their order on the wire."""
    store = open_workspace(workspace).store
    wanted = version if version is not None else _newest(schema_uses(store))
    found = schema_use(store, wanted)
    answer(found, as_json, lambda: _page(found))


@schema.command()
@click.argument("before", type=int, required=False)
@click.argument("after", type=int, required=False)
@workspace_option
@json_option
def diff(before: int | None, after: int | None, workspace: Path, as_json: bool) -> None:
    """Say what changed from schema version BEFORE to AFTER (default: from the one before the newest)."""
    store = open_workspace(workspace).store
    last = after if after is not None else _newest(schema_uses(store))
    found = schema_diff(store, before if before is not None else last - 1, last)
    answer(found, as_json, lambda: _text(found))


def _newest(found: tuple[SchemaUse, ...]) -> int:
    if not found:
        raise InputError("find the newest schema: want one on record, there is none yet; train first")
    return found[-1].schema.version


def _row(each: SchemaUse) -> tuple[object, ...]:
    models = ", ".join(f"v{model}" for model in each.models)
    since = f"model v{each.models[0]}" if each.models else "no model"
    return each.schema.version, len(each.schema.columns), since, models or "–"


def _page(each: SchemaUse) -> str:
    rows = [(at, c.name, c.type, c.role) for at, c in enumerate(each.schema.columns, start=1)]
    spoken = ", ".join(f"v{model}" for model in each.models) or "none"
    head = f"schema v{each.schema.version}; models that speak it: {spoken}"
    return "\n".join([head, table(("place", "column", "type", "role"), rows, "it has no columns")])


def _text(found: SchemaDiff) -> str:
    head = f"schema v{found.before} → v{found.after}"
    said = [f"  {each.kind}{' (a guess)' if each.guess else ''}: {each.words}" for each in found.changes]
    return "\n".join([head, *said]) if said else f"{head}: no column differs"

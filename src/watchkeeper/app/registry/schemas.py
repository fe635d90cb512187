"""Schemas: versioned, one record each; the newest is what endpoints speak."""

from __future__ import annotations

from watchkeeper.app.registry.records import create_record, read_record, read_records
from watchkeeper.app.setup.formats import mark
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Schema


def settle_schema(store: Store, proposed: Schema) -> Schema:
    """The stored schema with the proposed columns, or the proposed one as the next version, not stored."""
    known = schemas(store)
    for schema in known:
        if schema.columns == proposed.columns:
            return schema
    return Schema(len(known) + 1, proposed.columns)


def keep_schema(store: Store, settled: Schema) -> None:
    """Store a settled schema, unless it is there: a run that comes to nothing leaves none."""
    if settled not in schemas(store):
        mark(store)
        create_record(store, f"schemas/v{settled.version}.json", settled)


def schemas(store: Store) -> tuple[Schema, ...]:
    """Every schema, oldest first."""
    return tuple(sorted(read_records(store, "schemas/", Schema), key=lambda schema: schema.version))


def schema(store: Store, version: int) -> Schema:
    """One schema. Raises InputError when there is none of that version."""
    return read_record(store, f"schemas/v{version}.json", Schema)

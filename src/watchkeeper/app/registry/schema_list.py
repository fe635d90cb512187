"""Schemas as people look at them: each with the model that brought it, and two beside each other."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.schemas import schemas
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Store
from watchkeeper.core.schemas import SchemaChange, schema_changes
from watchkeeper.core.values import Schema


@dataclass(frozen=True, slots=True)
class SchemaUse:
    """One schema version, and the model versions that speak it, oldest first."""

    schema: Schema
    models: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SchemaDiff:
    """What two schema versions do not agree on."""

    before: int
    after: int
    changes: tuple[SchemaChange, ...]


def schema_uses(store: Store) -> tuple[SchemaUse, ...]:
    """Every schema version, oldest first."""
    versions = catalogue(store).versions
    return tuple(
        SchemaUse(each, tuple(model.version for model in versions if model.schema_version == each.version))
        for each in schemas(store)
    )


def schema_use(store: Store, version: int) -> SchemaUse:
    """One schema version. Raises InputError, with the versions there are, when it is not on record."""
    found = schema_uses(store)
    for each in found:
        if each.schema.version == version:
            return each
    known = ", ".join(str(each.schema.version) for each in found) or "none yet"
    raise InputError(f"find schema version {version}: want one on record ({known})")


def schema_diff(store: Store, before: int, after: int) -> SchemaDiff:
    """What became of the columns between two versions. Raises InputError when one is not on record."""
    old, new = schema_use(store, before).schema, schema_use(store, after).schema
    return SchemaDiff(before, after, schema_changes(old, new))

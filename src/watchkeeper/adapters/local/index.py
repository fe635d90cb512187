"""An index of records in SQLite, for questions that would have every record read.

It is no truth of its own: whatever is in it was read from a record, and it may be thrown away at any time.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from watchkeeper.core.errors import PlatformError

VERSION = 2  # of the tables; an index of another version is made anew
_META = MetaData()

# `object` is the key of the record that a row was read from.
RECORDS = Table("records", _META, Column("object", String, primary_key=True), Column("kind", String))
EXECUTIONS = Table(
    "executions",
    _META,
    Column("object", String, primary_key=True),
    Column("key", String, nullable=False),
    Column("schedule", String, nullable=False),
    Column("monitor", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("endpoint", String, nullable=False),
    Column("window_start", String, nullable=False),
    Column("window_end", String, nullable=False),
    Column("scheduled_at", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("status", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("violations", Integer, nullable=False),
)
SAMPLES = Table(
    "samples",
    _META,
    Column("object", String, nullable=False),
    Column("metric", String, nullable=False),
    Column("labels", String, nullable=False),
    Column("value", Float, nullable=False),
    Column("window_end", String, nullable=False),
    Column("scheduled_at", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Index("samples_by_metric", "metric", "window_end"),
)
ALERTS = Table(
    "alerts",
    _META,
    Column("object", String, primary_key=True),
    Column("environment", String, nullable=False),
    Column("name", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("state", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("since", String, nullable=False),
    Column("summary", String, nullable=False),
)
TABLES: Mapping[str, Table] = {table.name: table for table in (EXECUTIONS, SAMPLES, ALERTS)}

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SqliteIndex:
    """The index in one file, in WAL mode: others may read while one writes."""

    path: Path

    def known(self) -> dict[str, str]:
        """The keys of the records that are in it, each with its kind."""
        with self._connected() as connection:
            rows = connection.execute(select(RECORDS.c.object, RECORDS.c.kind)).all()
        return {row.object: row.kind for row in rows}

    def add(self, kind: str, records: Mapping[str, Iterable[tuple[str, Row]]]) -> None:
        """Put records in, each with its rows as (table, row), all or none; one that is there is left."""
        with self._connected() as connection:
            for key, rows in records.items():
                record = insert(RECORDS).prefix_with("OR IGNORE").values(object=key, kind=kind)
                if connection.execute(record).rowcount:
                    for table, row in rows:
                        connection.execute(insert(TABLES[table]).values(object=key, **row))

    def remove(self, keys: Iterable[str]) -> None:
        """Take records out, with their rows."""
        with self._connected() as connection:
            for key in keys:
                for table in (RECORDS, *TABLES.values()):
                    connection.execute(table.delete().where(table.c.object == key))

    def rows(self, table: str, order: Sequence[str], **wanted: object) -> list[dict[str, Any]]:
        """The rows of a table in which these columns hold these values, in the order of columns."""
        found = TABLES[table]
        query = select(found).order_by(*(found.c[name] for name in order))
        for name, value in wanted.items():
            query = query.where(found.c[name] == value)
        with self._connected() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Everything in it, in an order that does not depend on how it came there."""
        return {
            name: sorted(self.rows(name, ("object",)), key=lambda row: sorted(map(repr, row.items())))
            for name in TABLES
        }

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            with self._engine() as engine, engine.begin() as connection:
                yield connection
        except (DBAPIError, SQLAlchemyError) as error:
            reason = getattr(error, "orig", None) or error
            raise PlatformError(
                f"use the index {self.path}: {reason}; `watchkeeper index rebuild` makes it anew",
                retryable=False,
            ) from error

    @contextlib.contextmanager
    def _engine(self) -> Iterator[Engine]:
        engine = create_engine(f"sqlite:///{self.path}", poolclass=NullPool)
        event.listen(engine, "connect", _in_wal_mode)
        try:
            yield engine
        finally:
            engine.dispose()


def opened_index(path: Path) -> SqliteIndex:
    """The index in a file, made when there is none, or one of another version or that cannot be read."""
    if not _usable(path):
        new_index(path)
    return SqliteIndex(path)


def new_index(path: Path) -> SqliteIndex:
    """An empty index in place of whatever is there: made under another name, then moved."""
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with SqliteIndex(half)._engine() as engine, engine.begin() as connection:
            _META.create_all(connection)
            connection.execute(text(f"PRAGMA user_version = {VERSION}"))
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        half.replace(path)
    except OSError as error:
        raise PlatformError(f"make the index {path}: {error.strerror or error}", retryable=False) from error
    return SqliteIndex(path)


def _usable(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with SqliteIndex(path)._connected() as connection:
            return bool(connection.execute(text("PRAGMA user_version")).scalar() == VERSION)
    except PlatformError:
        return False


def _in_wal_mode(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()

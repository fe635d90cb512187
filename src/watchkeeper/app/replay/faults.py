"""Faults to do to requests in a rehearsal: what callers get wrong in earnest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.core.errors import InputError
from watchkeeper.core.values import NUMERIC, Schema
from watchkeeper.model.parsing import number
from watchkeeper.readers.payloads import Columns, nearest

KINDS = {
    "drop": "drop:COLUMN leaves the column out",
    "scale": "scale:COLUMN:FACTOR changes its unit",
    "category": "category:COLUMN:VALUE puts a value there that nobody knows",
    "empty": "empty:COLUMN leaves its value out",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One of `KINDS`, done to a column."""

    kind: str
    column: str
    value: str = ""

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read `scale:floor_area_sqm:10.76` and the like. Raises InputError."""
        kind, _, rest = text.partition(":")
        column, _, value = rest.partition(":")
        wants_value = kind in ("scale", "category")
        if kind not in KINDS or not column or bool(value) != wants_value:
            raise InputError(f'read fault "{text}": want one of {"; ".join(KINDS.values())}')
        if kind == "scale":
            try:
                number(value)
            except ValueError as error:
                raise InputError(f'read fault "{text}": {error}') from None
        return cls(kind, column, value)


def check_faults(faults: Sequence[Fault], schema: Schema) -> None:
    """Raise InputError for a column that a request does not have, and a unit of what is no number."""
    names = [column.name for column in schema.inputs]
    for fault in faults:
        if fault.column not in names:
            close = nearest(fault.column, names)
            raise InputError(f'do a fault to column "{fault.column}": there is none{close}')
        numeric = next(column.type in NUMERIC for column in schema.inputs if column.name == fault.column)
        if fault.kind == "scale" and not numeric:
            raise InputError(f'scale column "{fault.column}": want a column of numbers, it has texts')


def spoilt(columns: Columns, schema: Schema, faults: Sequence[Fault]) -> Columns:
    """The rows with every fault done to them."""
    check_faults(faults, schema)
    changed = dict(columns)
    for fault in faults:
        match fault.kind:
            case "drop":
                changed.pop(fault.column, None)
            case "scale" if fault.column in changed:
                changed[fault.column] = [_scaled(cell, fault.value) for cell in changed[fault.column]]
            case "category" if fault.column in changed:
                changed[fault.column] = [fault.value] * len(changed[fault.column])
            case "empty" if fault.column in changed:
                changed[fault.column] = [None] * len(changed[fault.column])
    return changed


def _scaled(cell: str | None, factor: str) -> str | None:
    if cell is None:
        return None
    try:
        return repr(number(cell) * float(factor))
    except ValueError:
        return cell  # no number as it stands: a fault already

"""The one JSON encoder: a frozen value to plain data, to bytes, and back again.

`--json`, `/api/v1` and every object of our own that is stored give these bytes. The contract's
files have a spelling of their own, in `render.contract`.
"""

from __future__ import annotations

import hashlib
import json
import math
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from watchkeeper.core.windows import parse_utc, utc_text

T = TypeVar("T")


def plain(value: object) -> Any:
    """The value as dicts, lists, text, numbers, booleans and None; dataclass fields in their order.

    Raises ValueError for NaN and infinities, which JSON cannot say, and TypeError for anything
    that is not a value.
    """
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | str():
            return value
        case float():
            if not math.isfinite(value):
                raise ValueError(f"encode a number: want a finite one, got {value}")
            return value
        case datetime():
            return utc_text(value)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case AbstractSet():
            return sorted(plain(item) for item in value)
        case Sequence() if not isinstance(value, bytes | bytearray):
            return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(
        f"encode {type(value).__name__}: want a value (dataclass, mapping, sequence, text, number)"
    )


def encode(value: object) -> bytes:
    """The value as indented JSON with a newline at the end."""
    return (json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def canonical(value: object) -> bytes:
    """The one compact spelling that digests are taken of: sorted keys, no blanks, ASCII.

    >>> canonical({"b": 1.0, "a": None})
    b'{"a":null,"b":1.0}'
    """
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest(value: object) -> str:
    """sha256 of bytes as they are, or of a value's canonical spelling, in hexadecimal.

    >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    True
    """
    return hashlib.sha256(value if isinstance(value, bytes) else canonical(value)).hexdigest()


def decode(kind: type[T], data: bytes | str) -> T:
    """Read back what `encode` wrote.

    Raises ValueError, saying where, when the data is not such a value; unknown keys are ignored,
    so that an older version can read what a newer one wrote.
    """
    return restore(kind, json.loads(data))


def restore(kind: type[T], data: Any) -> T:
    """Plain data (see `plain`) back to a value of type `kind`."""
    found: T = _restore(kind, data, kind.__name__)
    return found


def _restore(kind: Any, data: Any, at: str) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any or kind is object:
        return data
    if origin in (Union, types.UnionType):
        return _restore_union(args, data, at)
    if origin is tuple:
        return _restore_tuple(args, _expect(list, data, at), at)
    if origin in (dict, Mapping):
        items = _expect(dict, data, at)
        if _are_all(args[1], items.values()):
            return items
        return {key: _restore(args[1], item, f"{at}.{key}") for key, item in items.items()}
    if is_dataclass(kind):
        return _restore_dataclass(kind, _expect(dict, data, at), at)
    if kind is datetime:
        return _placed(parse_utc, _expect(str, data, at), at)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _placed(kind, data, at)
    if kind is float:
        return _placed(_finite, data if type(data) is int else _expect(float, data, at), at)
    return _expect(kind, data, at)


def _restore_tuple(args: tuple[Any, ...], data: list[Any], at: str) -> Any:
    if args[-1] is Ellipsis and _are_all(args[0], data):
        return tuple(data)
    kinds = args[:1] * len(data) if args[-1] is Ellipsis else args
    if len(kinds) != len(data):
        raise ValueError(f"read {at}: want {len(kinds)} items, got {len(data)}")
    return tuple(_restore(kind, data[i], f"{at}[{i}]") for i, kind in enumerate(kinds))


def _are_all(kind: Any, items: Collection[Any]) -> bool:
    """Whether many plain items are of their kind as JSON has them, which is quicker to see of all at once."""
    if kind not in (float, int, str) or not set(map(type, items)) <= {kind}:
        return False
    return kind is not float or all(map(math.isfinite, items))


def _restore_union(args: Sequence[Any], data: Any, at: str) -> Any:
    if data is None and types.NoneType in args:
        return None
    reasons = []
    for kind in args:
        if kind is types.NoneType:
            continue
        try:
            return _restore(kind, data, at)
        except ValueError as error:
            reasons.append(str(error))
    raise ValueError("; ".join(reasons))


def _restore_dataclass(kind: Any, data: dict[str, Any], at: str) -> Any:
    known = {
        name: _restore(hint, data[name], f"{at}.{name}")
        for name, hint in _hints(kind).items()
        if name in data
    }
    try:
        return kind(**known)
    except (TypeError, ValueError) as error:
        raise ValueError(f"read {at}: {error}") from None


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """The types of a dataclass' fields, in their order; working them out costs more than reading a value."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _placed(read: Callable[[Any], Any], data: Any, at: str) -> Any:
    try:
        return read(data)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"read {at}: {error}") from None


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(f"want a finite number, got {number}")
    return float(number)


def _expect(kind: Any, data: Any, at: str) -> Any:
    if isinstance(data, kind) and not (kind is int and isinstance(data, bool)):
        return data
    raise ValueError(f"read {at}: want {getattr(kind, '__name__', kind)}, got {type(data).__name__}")

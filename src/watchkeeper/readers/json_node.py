"""JSON values that know where they stand, so that an error names the file and the key."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from watchkeeper.core.errors import InputError
from watchkeeper.core.windows import parse_utc

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON value at `path` (such as `features[2].completeness`) of `file`. Methods raise InputError."""

    file: str
    path: str
    value: Any

    def key(self, name: str) -> Node:
        """The value under a key that has to be there."""
        found = self.maybe(name)
        return found if found is not None else self.fail(f"a key {name}")

    def maybe(self, *names: str) -> Node | None:
        """The value down a path of keys; None when one is absent or null."""
        node = self
        for name in names:
            value = node._of(dict, "a JSON object").get(name)
            if value is None:
                return None
            node = Node(node.file, f"{node.path}.{name}" if node.path else name, value)
        return node

    def items(self) -> Iterator[tuple[str, Node]]:
        """Keys and values of an object, in the file's order."""
        for name in self._of(dict, "a JSON object"):
            found = self.maybe(name)
            if found is not None:
                yield name, found

    def __iter__(self) -> Iterator[Node]:
        """Values of a list."""
        for number, value in enumerate(self._of(list, "a list")):
            yield Node(self.file, f"{self.path}[{number}]", value)

    def text(self) -> str:
        """A text."""
        return str(self._of(str, "a text"))

    def number(self) -> float:
        """A finite number; an integer will do."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.fail("a number")
        try:
            number = float(self.value)
        except OverflowError:
            number = math.inf
        return number if math.isfinite(number) else self.fail("a finite number")

    def numbers(self) -> tuple[float, ...]:
        """A list of finite numbers; a long one is mostly doubles, which are looked at all at once."""
        values = self._of(list, "a list")
        if all(type(value) is float and math.isfinite(value) for value in values):
            return tuple(values)
        return tuple(node.number() for node in self)

    def count(self) -> int:
        """A whole number of at least 0; `3.0` will do."""
        number = self.number()
        return int(number) if number >= 0 and number == int(number) else self.fail("a count")

    def switch(self) -> bool:
        """`Enabled` or `Disabled`, in any case, or a JSON boolean."""
        known = {"enabled": True, "disabled": False, "true": True, "false": False}
        value = str(self.value).lower()
        return known[value] if value in known else self.fail("Enabled or Disabled")

    def time(self) -> datetime:
        """A time with a zone, as UTC."""
        try:
            return parse_utc(self.text())
        except ValueError:
            self.fail("a time such as 2020-01-31T23:59:59Z")

    def one_of(self, choices: dict[str, T]) -> T:
        """The choice of this name."""
        name = self.text()
        return choices[name] if name in choices else self.fail(f"one of {', '.join(choices)}")

    def _of(self, kind: type, noun: str) -> Any:
        return self.value if isinstance(self.value, kind) else self.fail(noun)

    def fail(self, wanted: str) -> NoReturn:
        """Say what was wanted here and what there is. Raises InputError, always."""
        shown = json.dumps(self.value, ensure_ascii=False)
        shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
        raise InputError(f"read {self.file}, {self.path or 'the top'}: want {wanted}, got {shown}")


def parse(data: bytes | str, file: str) -> Node:
    """The top value of a JSON file. Raises InputError when it is none, with line and column."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        return Node(file, "", json.loads(text, parse_constant=_no_constant))
    except UnicodeDecodeError as error:
        raise InputError(f"read {file}: want UTF-8 text, got byte {error.start} that is not") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"read {file}, {place}: want JSON, got {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"read {file}: want JSON, got {error}") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"the bare word {name}")

"""A function's zip: the modules that it imports, its plan, and nothing else; the same bytes for the same
code."""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from watchkeeper.app.aws.functions.told import PLAN
from watchkeeper.app.setup.here import PACKAGE
from watchkeeper.core.encoding import digest, encode

_ROOT = "watchkeeper"
_FUNCTIONS = f"{_ROOT}.app.aws.functions"
_DAY = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say


@dataclass(frozen=True, slots=True)
class FunctionCode:
    """What Lambda is given: the zip, and what it calls in it."""

    name: str
    data: bytes

    @property
    def key(self) -> str:
        """Another zip lies under another key, which is what makes CloudFormation see the change."""
        return f"functions/{self.name}-{digest(self.data)[:16]}.zip"

    @property
    def handler(self) -> str:
        return f"{_FUNCTIONS}.{self.name}.handler"


def function_code(name: str, told: object) -> FunctionCode:
    """The function `name` with its plan."""
    files = {
        path.relative_to(PACKAGE.parent).as_posix(): path
        for path in modules_of(f"{_FUNCTIONS}.{name}").values()
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for place in sorted(files):
            made.writestr(_entry(place), files[place].read_bytes())
        made.writestr(_entry(PLAN), encode(told))
    return FunctionCode(name, packed.getvalue())


@cache
def modules_of(name: str) -> Mapping[str, Path]:
    """The modules of ours that a module imports, and they import, with the packages that hold them."""
    found: dict[str, Path] = {}
    waiting = [name]
    while waiting:
        each = waiting.pop()
        path = None if each in found else _file(each)
        if path is None:
            continue
        found[each] = path
        waiting += [parent for parent in (each.rpartition(".")[0],) if parent]
        waiting += _imported(path)
    return found


def _imported(path: Path) -> Iterator[str]:
    """Names below our package that a file imports; some are of modules, some of what is in them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == _ROOT:
            yield str(node.module)
            yield from (f"{node.module}.{each.name}" for each in node.names)


def _file(name: str) -> Path | None:
    place = PACKAGE.parent / Path(*name.split("."))
    of_package, of_module = place / "__init__.py", place.with_suffix(".py")
    return next((path for path in (of_package, of_module) if path.is_file()), None)


def _entry(place: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(place, _DAY)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return entry

"""A row's trip, as docs/explanation/architecture.md tells it, against the code."""

import ast
import re
from functools import cache

import pytest

from tests.docs.markdown import ROOT

_STEP = re.compile(r"^\| (\d+) \| `([\w.]+)` \| `([\w/]+\.py)` \|", re.MULTILINE)
PAGE = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
STEPS = [(int(number), function, file) for number, function, file in _STEP.findall(PAGE)]


@cache
def functions(file: str) -> frozenset[str]:
    """Functions of a module, and the methods of its classes as `Class.method`."""
    tree = ast.parse((ROOT / "src/watchkeeper" / file).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = {node.name for node in tree.body if isinstance(node, kinds)}
    for owner in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        found |= {f"{owner.name}.{node.name}" for node in owner.body if isinstance(node, kinds)}
    return frozenset(found)


def test_the_trip_goes_all_the_way() -> None:
    assert [number for number, _, _ in STEPS] == list(range(1, len(STEPS) + 1))
    assert {"Invocations.__call__", "decide"} <= {function for _, function, _ in STEPS}


@pytest.mark.parametrize(("function", "file"), [step[1:] for step in STEPS])
def test_a_function_of_the_trip_is_in_its_file(function: str, file: str) -> None:
    assert function in functions(file)


def rooms(folder: str) -> set[str]:
    """The packages right below a folder."""
    return {path.parent.name for path in (ROOT / "src/watchkeeper" / folder).glob("*/__init__.py")}


def test_every_room_has_its_line() -> None:
    assert rooms("") == set(re.findall(r"^\| `(\w+)/` \|", PAGE, re.MULTILINE))
    assert rooms("app") == set(re.findall(r"^\| `app/(\w+)/` \|", PAGE, re.MULTILINE))

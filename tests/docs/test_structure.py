"""The figures of docs/explanation/structure.md that are limits hold; each of them is counted as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.structure import Structure, cycles, structure
from tests.docs.markdown import ROOT

PAGE = (ROOT / "docs" / "explanation" / "structure.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def found() -> Structure:
    return structure()


def test_the_limits_that_the_page_names_hold(found: Structure) -> None:
    limits = {name: int(limit) for limit, name in re.findall(r"at most (\d+) \(`(\w+)`\)", PAGE)}
    assert len(limits) >= 5
    values = {name: getattr(found, name) for name in limits}
    sizes = {name: value[1] if isinstance(value, tuple) else value for name, value in values.items()}
    assert {name: size for name, size in sizes.items() if size > limits[name]} == {}, values
    assert found.annotated == 1.0


def test_a_small_package_is_counted_as_it_is(tmp_path: Path) -> None:
    package = tmp_path / "src" / "watchkeeper"
    package.mkdir(parents=True)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("one = 1\n")
    (package / "__init__.py").write_text("")
    example = '"""\n    >>> f(1)\n    1\n    """'
    (package / "a.py").write_text(
        f"from watchkeeper.b import B\n\n\ndef f(x: int) -> int:\n    {example}\n    return x\n"
    )
    classes = "class A:\n    pass\n\n\nclass B(A):\n    def g(self, y):\n        return a.f(y)\n"
    (package / "b.py").write_text(f"from watchkeeper import a\n\n\n{classes}")
    found = structure(tmp_path)
    assert (found.files, found.lines, found.test_lines) == (3, 19, 1)
    assert found.largest_function == ("watchkeeper.a.f", 6)
    assert (found.largest_cycle, found.depth) == (2, 2)
    assert (found.public_names, found.with_example, found.annotated) == (3, 0.333, 0.5)


def test_cycles_are_found_and_a_chain_is_none() -> None:
    chain = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("d"), "d": frozenset()}
    assert list(cycles(chain)) == []
    assert [sorted(group) for group in cycles({**chain, "c": frozenset("bd")})] == [["b", "c"]]

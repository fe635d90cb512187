"""The examples in docstrings run as they are printed, wherever they stand."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

from tests.docs.markdown import ROOT

SOURCES = [path for path in (ROOT / "src").rglob("*.py") if ">>>" in path.read_text(encoding="utf-8")]
MODULES = sorted(".".join(path.relative_to(ROOT / "src").with_suffix("").parts) for path in SOURCES)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    found = doctest.testmod(import_module(name))
    assert found.attempted
    assert not found.failed


def test_examples_are_looked_for_everywhere() -> None:
    assert {"watchkeeper.core.statistics.presence", "watchkeeper.render.records"} <= set(MODULES)

"""The examples in the docstrings of statistics and monitors run as they are printed."""

import doctest
from types import ModuleType

import pytest

from watchkeeper.core.statistics import (
    categories,
    distances,
    distinct,
    duplicates,
    freshness,
    hours,
    lengths,
    moments,
    presence,
    signs,
    sketch,
    types,
)
from watchkeeper.monitors import wording

EXAMPLES = [
    categories,
    distances,
    distinct,
    duplicates,
    freshness,
    hours,
    lengths,
    moments,
    presence,
    signs,
    sketch,
    types,
    wording,
]


@pytest.mark.parametrize("module", EXAMPLES)
def test_examples_run(module: ModuleType) -> None:
    failed, attempted = doctest.testmod(module)
    assert attempted > 0
    assert failed == 0

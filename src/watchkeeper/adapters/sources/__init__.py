"""Where training data comes from: one module per kind of source, named in `SOURCES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from watchkeeper.adapters.sources.dataset import Dataset, SourceRequest
from watchkeeper.core.errors import InputError

__all__ = ["SOURCES", "Dataset", "SourceRequest", "load_dataset"]

# `data.source` in the project file → `module:function` of type SourceRequest → Dataset.
SOURCES: Mapping[str, str] = {
    "files": "watchkeeper.adapters.sources.files:load",
    "hdb": "watchkeeper.adapters.sources.hdb:load",
    "look-alike": "watchkeeper.adapters.sources.lookalike:load",
}


def load_dataset(name: str, request: SourceRequest) -> Dataset:
    """The data of the source `name`. Raises InputError for a source that is not in `SOURCES`."""
    if name not in SOURCES:
        raise InputError(f'load data: want a source of {", ".join(SOURCES)}, got "{name}"')
    module, _, function = SOURCES[name].partition(":")
    load: Callable[[SourceRequest], Dataset] = getattr(import_module(module), function)
    return load(request)

"""`watchkeeper data`."""

from __future__ import annotations

from watchkeeper.cli.by_name import ByName, Named

data = ByName(
    "data",
    "Show where the rows come from.",
    {"show": Named("watchkeeper.cli.data_show:show", "Load the project's data and say what it is.")},
)

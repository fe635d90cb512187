"""`watchkeeper data`."""

from __future__ import annotations

from watchkeeper.cli.by_name import ByName, Named

data = ByName(
    "data",
    "Show where the rows come from, and fetch them.",
    {
        "show": Named("watchkeeper.cli.data_show:show", "Load the project's data and say what it is."),
        "fetch": Named("watchkeeper.cli.data_fetch:fetch_", "Copy HDB's resale prices from the publisher."),
    },
)

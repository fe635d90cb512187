"""`watchkeeper monitor`."""

from __future__ import annotations

from watchkeeper.cli.by_name import ByName, Named

monitor = ByName(
    "monitor",
    "Run monitors and show their executions.",
    {
        "list": Named("watchkeeper.cli.monitor_list:list_", "Print every execution."),
        "run": Named("watchkeeper.cli.monitor_run:run", "Run one monitor now, on a window or on files."),
    },
)

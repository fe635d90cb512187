"""`watchkeeper monitor`."""

from __future__ import annotations

from watchkeeper.cli.by_name import ByName, Named

monitor = ByName(
    "monitor",
    "Run monitors and show their executions.",
    {
        "list": Named("watchkeeper.cli.monitor_list:list_", "Print every execution."),
        "show": Named("watchkeeper.cli.monitor_show:show", "Print one execution with its findings."),
        "run": Named("watchkeeper.cli.monitor_run:run", "Run one monitor now, on a window or on files."),
        "push": Named("watchkeeper.cli.monitor_push:push", "Push metrics by Prometheus' remote write."),
        "trend": Named("watchkeeper.cli.monitor_trend:trend_", "Print a metric by window."),
        "watch": Named(
            "watchkeeper.cli.monitor_watch:watch", "Run every schedule, evaluate rules, tell and decide."
        ),
        "backfill": Named(
            "watchkeeper.cli.monitor_backfill:backfill", "Run one monitor on every window of a range."
        ),
    },
)

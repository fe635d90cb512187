"""`watchkeeper stack`."""

from __future__ import annotations

from watchkeeper.cli.by_name import ByName, Named

stack = ByName(
    "stack",
    "Write and run Prometheus and Alertmanager with this project's rules and receivers.",
    {
        "render": Named("watchkeeper.cli.stack_render:render", "Write both servers' configuration."),
        "check": Named("watchkeeper.cli.stack_check:check", "Ask promtool and amtool of it."),
        "up": Named("watchkeeper.cli.stack_up:up", "Write it, and run both servers until Ctrl-C."),
        "alarms": Named("watchkeeper.cli.stack_alarms:alarms", "Print the rules as CloudWatch alarms."),
        "permissions": Named(
            "watchkeeper.cli.stack_permissions:permissions",
            "Say who may look into which of Grafana's folders.",
        ),
    },
)

"""`watchkeeper traffic`."""

from __future__ import annotations

from watchkeeper.cli.by_name import ByName, Named

traffic = ByName(
    "traffic",
    "Send requests to an endpoint.",
    {"replay": Named("watchkeeper.cli.traffic_replay:replay_", "Send those of a file or a capture folder.")},
)

"""`watchkeeper retrain`."""

from __future__ import annotations

from watchkeeper.cli.by_name import ByName, Named

retrain = ByName(
    "retrain",
    "Show retrains that decisions asked for, and answer them.",
    {
        "list": Named("watchkeeper.cli.retrain_list:list_", "Print every retrain and where it stands."),
        "approve": Named("watchkeeper.cli.retrain_answer:approve", "Say yes to a retrain, and run it."),
        "reject": Named("watchkeeper.cli.retrain_answer:reject", "Say no to a retrain."),
    },
)

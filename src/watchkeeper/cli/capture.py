"""`watchkeeper capture`."""

from __future__ import annotations

from watchkeeper.cli.by_name import ByName, Named

capture = ByName(
    "capture",
    "Bring in what models were asked elsewhere, see why nothing is there, and erase what may not be kept.",
    {
        "check": Named("watchkeeper.cli.capture_check:check_", "Say why a span of time has no records."),
        "import": Named("watchkeeper.cli.capture_import:import_", "Store the records of a file or folder."),
        "erase": Named("watchkeeper.cli.capture_erase:erase_", "Remove a request for good."),
    },
)

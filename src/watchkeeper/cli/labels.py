"""`watchkeeper labels`."""

from __future__ import annotations

from watchkeeper.cli.by_name import ByName, Named

labels = ByName(
    "labels",
    "Bring labels, and show which are still awaited.",
    {
        "import": Named("watchkeeper.cli.labels_import:import_", "Store the labels of a file."),
        "merge": Named("watchkeeper.cli.labels_merge:merge", "Put labels beside captured records, as files."),
        "status": Named("watchkeeper.cli.labels_status:status", "Show how far each window is labelled."),
    },
)

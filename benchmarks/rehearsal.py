"""Where the seconds of a rehearsal go: stages of the whole loop, the share of each, and that of the search.

Usage: rehearsal.py [UNTIL], from 2020-01 to UNTIL (default 2020-01; 2022-12 takes some four minutes).
Data: `WATCHKEEPER_HDB_CSV`, else the look-alike. Prints its figures as one JSON object on the last line.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from watchkeeper.adapters.sources.dataset import SourceRequest
from watchkeeper.app.replay.rehearsal import RehearsalRequest
from watchkeeper.app.replay.rehearse import rehearse
from watchkeeper.app.setup.init import template_folder
from watchkeeper.app.setup.project import load_project

FIRST = "2020-01"


def main(until: str) -> None:
    """Rehearse the months once and print each stage's seconds, longest first."""
    named = os.environ.get("WATCHKEEPER_HDB_CSV")
    source = SourceRequest(environment_path=Path(named) if named else None)
    with tempfile.TemporaryDirectory() as folder:
        request = RehearsalRequest(Path(folder), source, FIRST, until, approves=lambda _: True)
        summary = rehearse(load_project(template_folder("resale-price")), request, lambda _: None)
    seconds = {name: value for name, value in summary.seconds.items() if name != "total"}
    total = summary.seconds["total"]
    for name, value in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"{name:<10} {value:6.2f} s  {value / total:6.1%}")
    search = summary.search_seconds
    print(f"the search, within train and retrain: {search:.2f} s, {search / total:.1%} of {total:.2f} s")
    print(
        json.dumps(
            {
                "benchmark": "rehearsal",
                "months": len(summary.months),
                "data": summary.data_source,
                "seconds": {name: round(value, 3) for name, value in summary.seconds.items()},
                "search_seconds": round(search, 3),
                "search_share": round(search / total, 4),
                "requests_per_second": round(summary.counts.requests / seconds["serve"], 1),
                "rows": summary.counts.rows,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else FIRST)

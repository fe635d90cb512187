"""The server as a process of its own, for tests: `process.py WORKSPACE` and any of these words.

`rehearsal` believes requests' own times; a `broken` version is deployed; with `serve` requests are answered
although their record cannot be written; with `small` the spool is on a disk of 256 KiB that is mounted for
this process alone. A number is that of workers, of which a `brittle` one cannot be started anew.
"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.serving.running import DEPLOYED, load, settings_of
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.app.endpoints.serving import record_capture, record_withdrawal
from watchkeeper.render.exposition import exposition
from watchkeeper.serving.run import Served, serve
from watchkeeper.serving.server import Hooks
from watchkeeper.serving.settings import CapturePolicy, OnFailure
from watchkeeper.serving.workers import VARIABLE

if __name__ == "__main__":
    workspace, *how = sys.argv[1:]
    policy = CapturePolicy(on_failure=OnFailure.SERVE if "serve" in how else OnFailure.REFUSE)
    workers = next((int(word) for word in how if word.isdigit()), 1)
    settings = settings_of(Path(workspace), rehearsal="rehearsal" in how, capture=policy)
    settings = replace(settings, workers=workers)
    if "brittle" in how and '"again": true' in os.environ.get(VARIABLE, ""):
        sys.exit(7)
    if "small" in how:
        settings.spool.mkdir(parents=True)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(settings.spool)],
            check=True,
        )
    deployed = replace(DEPLOYED, version=666 if "broken" in how else 1)
    store = FolderStore(Path(workspace))
    trail = FolderTrail(store, WallClock())
    hooks = Hooks(
        load,
        exposition,
        capture_changed=lambda each, why: record_capture(store, trail, each, why),
        withdrawn=lambda candidate, why: record_withdrawal(store, trail, candidate, why),
    )
    serve(settings, store, Served([deployed]), hooks)

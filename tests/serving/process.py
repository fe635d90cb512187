"""The server as a process of its own, for tests: `python process.py WORKSPACE [rehearsal|broken]`."""

import sys
from dataclasses import replace
from pathlib import Path

from tests.serving.running import DEPLOYED, load, settings_of
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.render.exposition import exposition
from watchkeeper.serving.run import serve
from watchkeeper.serving.server import Hooks

if __name__ == "__main__":
    workspace, *how = sys.argv[1:]
    settings = settings_of(Path(workspace), rehearsal="rehearsal" in how)
    deployed = replace(DEPLOYED, version=666 if "broken" in how else 1)
    serve(settings, FolderStore(Path(workspace)), [deployed], Hooks(load, exposition))

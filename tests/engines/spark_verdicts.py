"""Run in the environment that has PySpark: verdicts of sets of files, as one JSON object."""

import json
import sys
from pathlib import Path

from tests.engines.judging import verdict
from watchkeeper.app.files.engines import open_engine

if __name__ == "__main__":
    sets, out = Path(sys.argv[1]), Path(sys.argv[2])
    engine = open_engine("spark", 2)
    found = {each.name: verdict(each, out / each.name, engine) for each in sorted(sets.iterdir())}
    json.dump(found, sys.stdout)

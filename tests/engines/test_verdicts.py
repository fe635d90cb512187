"""One verdict to the byte, whatever the engine and the workers: on dirty files, and on HDB resales."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.engines.judging import FILES, ROWS, SETS, verdict, write_months, write_sets
from tests.engines.spark_python import PYTHON
from tests.shared import CHECKOUT, shared
from watchkeeper.app.files.engines import open_engine

WANTED = {"analysis.json", "constraints.json", "constraint_violations.json", "statistics.json"}


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dirty")
    write_sets(folder)
    return folder


@pytest.fixture(scope="module")
def hdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = shared("data/hdb-resale-2017-2022.csv.gz")
    folder = tmp_path_factory.mktemp("hdb")
    write_months(source, folder)
    return folder


def on_spark(sets: Path, out: Path) -> dict[str, Any]:
    """The verdicts of every set by the engine `spark`."""
    if not PYTHON.exists():
        pytest.skip(f"no {PYTHON}: make test-deps installs PySpark there (see WATCHKEEPER_SPARK_PYTHON)")
    command = [str(PYTHON), "-m", "tests.engines.spark_verdicts", str(sets), str(out)]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    run = subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def locally(folder: Path, out: Path, workers: int) -> dict[str, str]:
    return verdict(folder, out, open_engine("local", workers))


@pytest.mark.parametrize("name", SETS)
def test_one_two_and_seven_workers_leave_the_same_files_of_dirty_data(
    name: str, dirty: Path, tmp_path: Path
) -> None:
    alone = locally(dirty / name, tmp_path / "1", 1)
    assert alone.keys() > WANTED, "dirty data break a constraint, and leave their bad lines"
    for workers in (2, 7):
        assert locally(dirty / name, tmp_path / str(workers), workers) == alone
    found = json.loads((tmp_path / "1" / "analysis.json").read_bytes())
    assert found["bad_lines"] >= FILES / 2
    assert found["rows"] > 0.8 * FILES * ROWS, "most rows are read"


def test_spark_leaves_them_too(dirty: Path, tmp_path: Path) -> None:
    found = on_spark(dirty, tmp_path / "spark")
    assert found == {name: locally(dirty / name, tmp_path / name, 2) for name in SETS}


def test_every_engine_leaves_the_same_files_of_hdb_resales(hdb: Path, tmp_path: Path) -> None:
    alone = locally(hdb / "hdb", tmp_path / "1", 1)
    assert alone.keys() >= WANTED
    for workers in (2, 7):
        assert locally(hdb / "hdb", tmp_path / str(workers), workers) == alone
    assert on_spark(hdb, tmp_path / "spark") == {"hdb": alone}

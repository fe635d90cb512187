"""Runs and models in MLflow: what is kept, that a model loads from there, that nothing leaves loopback."""

import os
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from tests.model.models import ROWS, example, model
from tests.shared import CHECKOUT
from watchkeeper.adapters.local.tracking import MlflowTracker, requirements
from watchkeeper.core.errors import IntegrityError, PlatformError
from watchkeeper.core.values import ApprovalStatus
from watchkeeper.model.artefact import save

PENDING, APPROVED = ApprovalStatus.PENDING, ApprovalStatus.APPROVED


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One MLflow for all tests, as making its tables takes seconds; each test has a project of its own."""
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def artefact(folder: Path) -> Path:
    save(folder / "artefact", model(), example())
    return folder / "artefact"


def log(tracker: MlflowTracker, artefact: Path, **tags: str) -> str:
    return tracker.log_run(
        "train", {"rounds": "20"}, {"test_r2": 0.95}, {"data_digest": "d", **tags}, str(artefact)
    )


def client(tracker: MlflowTracker) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(tracker.uri, tracker.uri)


def test_a_run_is_kept_with_what_was_told_of_it(folder: Path, artefact: Path) -> None:
    tracker = MlflowTracker(folder, "kept")
    run = client(tracker).get_run(log(tracker, artefact, code_version="abc"))
    assert (run.info.status, run.info.run_name) == ("FINISHED", "train")
    assert (run.data.params, run.data.metrics) == ({"rounds": "20"}, {"test_r2": 0.95})
    assert (run.data.tags["data_digest"], run.data.tags["code_version"]) == ("d", "abc")
    assert (folder / "mlflow.db").is_file()


def test_a_run_that_missed_a_threshold_is_a_failed_one(folder: Path, artefact: Path) -> None:
    tracker = MlflowTracker(folder, "missed")
    run = client(tracker).get_run(log(tracker, artefact, missed="want r2 >= 0.9, got 0.8"))
    assert (run.info.status, run.data.tags["missed"]) == ("FAILED", "want r2 >= 0.9, got 0.8")


def test_a_registered_model_answers_as_ours_and_holds_no_pickle(folder: Path, artefact: Path) -> None:
    tracker = MlflowTracker(folder, "loads")
    tracker.register(log(tracker, artefact), 1, PENDING)
    loaded = mlflow.pyfunc.load_model("models:/loads/1")
    assert np.array_equal(loaded.predict(pd.DataFrame(ROWS)), model().predict(ROWS).values)
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".cloudpickle")]
    stored = next(path for path in (folder / "artifacts").rglob("requirements.txt"))
    assert stored.read_text().split()[1:] == requirements()  # MLflow puts itself before them


def test_version_numbers_are_ours(folder: Path, artefact: Path) -> None:
    tracker = MlflowTracker(folder, "numbers")
    first, second = log(tracker, artefact), log(tracker, artefact)
    with pytest.raises(IntegrityError, match="want it to come next, got 0 as the newest"):
        tracker.register(first, 2, PENDING)
    tracker.register(first, 1, PENDING)
    tracker.register(first, 1, APPROVED)
    tracker.register(second, 2, PENDING)
    with pytest.raises(IntegrityError, match=f"want run {second}, got run {first}"):
        tracker.register(second, 1, PENDING)
    held = client(tracker).search_model_versions("name = 'numbers'")
    assert {int(v.version): (v.run_id, v.tags["approval_status"]) for v in held} == {
        1: (first, "PendingManualApproval"),
        2: (second, "PendingManualApproval"),
    }


def test_tags_and_aliases_are_mirrored_and_aliases_move(folder: Path, artefact: Path) -> None:
    tracker = MlflowTracker(folder, "mirrored")
    for version in (1, 2):
        tracker.register(log(tracker, artefact), version, PENDING)
    tracker.mirror(1, {"approval_status": "Approved"}, ["dev", "prod"])
    tracker.mirror(2, {}, ["dev"])
    by_alias = {
        name: client(tracker).get_model_version_by_alias("mirrored", name) for name in ("dev", "prod")
    }
    assert {name: int(held.version) for name, held in by_alias.items()} == {"dev": 2, "prod": 1}
    assert by_alias["prod"].tags["approval_status"] == "Approved"


def test_mlflows_errors_are_ours(folder: Path) -> None:
    with pytest.raises(PlatformError, match="mirror version 7 in MLflow"):
        MlflowTracker(folder, "nobody").mirror(7, {"a": "b"}, [])


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "mlflow").write_text("a file where the folder should be")
    with pytest.raises(PlatformError, match="mirror version 1 in MLflow"):
        MlflowTracker(tmp_path / "mlflow", "nowhere").mirror(1, {}, [])


# Looks at every address a socket is asked to reach, or a name to be resolved, before it is.
WATCHED = """
import sys
reached = []
def watch(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        reached.append(str(arguments[1][0]))
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        reached.append(str(arguments[0]))
sys.addaudithook(watch)

from pathlib import Path
from tests.training.history import request
from watchkeeper.adapters.local.tracking import MlflowTracker
from watchkeeper.core.values import ApprovalStatus
from watchkeeper.training.pipeline import train

folder = Path(sys.argv[1])
if sys.argv[2:]:
    import socket
    try:
        socket.create_connection((sys.argv[2], 9), timeout=0.01)
    except OSError:
        sys.exit(str(reached))
tracker = MlflowTracker(folder / "mlflow", "watched")
result = train(request(), folder / "run", tracker, lambda progress: None)
tracker.register(result.run_id, 1, ApprovalStatus.PENDING)

import mlflow, pandas
model = mlflow.pyfunc.load_model("models:/watched/1")
model.predict(pandas.DataFrame({"month": ["2020-05"], "town": ["NORTH"], "area": ["90"]}))
from mlflow.telemetry import get_telemetry_client
print(sorted(set(reached) - {"127.0.0.1", "::1", "localhost"}), get_telemetry_client())
"""

# MLflow keeps its telemetry to itself under CI and pytest by looking for these: they must not help us.
CI = ("CI", "PYTEST_", "GITHUB_", "GITLAB_", "MLFLOW_", "DO_NOT_TRACK")


def watched(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(CI)}
    command = [sys.executable, "-c", WATCHED, str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=CHECKOUT, env=environment)


def test_the_watch_would_see_another_address(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        watched(tmp_path, "192.0.2.1")
    assert "192.0.2.1" in caught.value.stderr


def test_training_with_mlflow_stays_on_loopback_and_prints_nothing(tmp_path: Path) -> None:
    found = watched(tmp_path)
    assert found.stdout.strip() == "[] None"
    assert found.stderr == ""

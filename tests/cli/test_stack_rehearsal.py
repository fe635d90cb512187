"""A rehearsal with Prometheus and Alertmanager says, does and tells what the embedded one does."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.rehearsals import small_rehearsal
from tests.webhooks import Heard, listener, status

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None or shutil.which("amtool") is None,
    reason="Prometheus or Alertmanager is not installed (make test-deps)",
)

REPEAT = ("repeat_interval: 90 days", "repeat_interval: 5000 days")  # no repeats, whatever a month takes
RECEIVER = "mlops: [{kind: file, path: notifications/mlops}]"


@dataclass(frozen=True, slots=True)
class Run:
    """What one rehearsal came to, and what its receiver heard."""

    folder: Path
    said: str
    summary: dict[str, Any]
    heard: Heard

    def notifications(self) -> Counter[tuple[str, ...]]:
        """Each notification by what it tells, its times aside: those of Prometheus are the wall's."""
        found = []
        for _, body in self.heard:
            told = json.loads(body)
            alerts = sorted(
                json.dumps([each["status"], each["labels"], each["annotations"]["summary"]], sort_keys=True)
                for each in told["alerts"]
            )
            found.append((told["status"], json.dumps(told["groupLabels"], sort_keys=True), *alerts))
        return Counter(found)


def run(folder: Path, *more: str) -> Run:
    with listener(status(200)) as (url, heard):
        receiver = f"mlops: [{{kind: webhook, url: '{url}'}}, {{kind: file, path: notifications/mlops}}]"
        rehearsal = small_rehearsal(folder, None, (RECEIVER, receiver), REPEAT)
        done = rehearsal.run(*more)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((rehearsal.out / "summary.json").read_text())
    return Run(rehearsal.out, done.stdout, summary, heard)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("embedded"))


@pytest.fixture(scope="module")
def stacked(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("stacked"), "--stack")


def test_at_every_check_all_three_name_the_same_alerts(stacked: Run) -> None:
    checks = stacked.summary["stack"]["checks"]
    assert len(checks) >= 6
    for check in checks:
        assert check["embedded"] == check["prometheus"]
        assert check["door"] == [each for each in check["prometheus"] if each["state"] == "firing"]
    found = {each["alert"] for check in checks for each in check["prometheus"]}
    assert found == {"BiasWorse", "DataQualityViolations", "DriftPersists", "ModelQualityDegraded"}
    assert f"said what ours says at {len(checks)} of {len(checks)} checks" in stacked.said


def test_the_same_is_decided_and_retrained(embedded: Run, stacked: Run) -> None:
    for part in ("decisions", "alerts", "retrains", "months"):
        ours, theirs = (timeless(each.summary[part]) for each in (embedded, stacked))
        assert ours == theirs, part
    assert any(each["kind"] == "Retrain" for each in stacked.summary["decisions"])
    log = [json.loads(path.read_text()) for path in sorted((stacked.folder / "audit").glob("*.json"))]
    actors = {each["event"]["actor"]["name"] for each in log if each["event"]["action"] == "alert.firing"}
    assert actors == {"alertmanager"}  # it came back through the webhook, and from nowhere else


def timeless(part: Any) -> Any:
    """The part without wall seconds."""
    if isinstance(part, dict):
        return {key: timeless(value) for key, value in part.items() if "seconds" not in key}
    return [timeless(each) for each in part] if isinstance(part, list) else part


def test_a_receiver_is_told_the_same_by_alertmanager_and_of_each_incident_once(
    embedded: Run, stacked: Run
) -> None:
    assert embedded.notifications() == stacked.notifications()
    assert set(stacked.notifications().values()) == {1}


def test_what_alertmanager_cannot_reach_is_told_by_us(embedded: Run, stacked: Run) -> None:
    names = [
        sorted(path.name[-12:] for path in (each.folder / "notifications" / "mlops").iterdir())
        for each in (embedded, stacked)
    ]
    assert names[0] == names[1] != []

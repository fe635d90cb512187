"""A full disk, a real one of 256 KiB: requests are refused or capture is off, as the project chose."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.serving.running import captured_in
from tests.shared import CHECKOUT
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.endpoint import LocalEndpointHost, started_server
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.app.setup.audit import log

OWN_DISKS = ["unshare", "--user", "--map-root-user", "--mount"]
LARGE = 600  # rows, some 3 KiB with the answer


@pytest.fixture(autouse=True)
def _own_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)
    try:
        subprocess.run([*OWN_DISKS, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk can be mounted for one process here: {error}")


def argv(workspace: Path, *how: str) -> list[str]:
    return [*OWN_DISKS, sys.executable, "-m", "tests.serving.process", str(workspace), "small", *how]


def ask(host: LocalEndpointHost, client: httpx.Client) -> httpx.Response:
    body = "\n".join(f"TAMPINES,{row}" for row in range(LARGE))
    url = f"{host.url()}/endpoints/prices/invocations"
    return client.post(url, content=body, headers={"content-type": "text/csv"})


def metric(host: LocalEndpointHost, name: str) -> float:
    (found,) = (each.value for each in host.samples() if each.metric == f"watchkeeper_endpoint_{name}")
    return found


def test_requests_are_refused_until_there_is_room(tmp_path: Path) -> None:
    with (
        started_server(argv(tmp_path), tmp_path / "run" / "server.json") as host,
        httpx.Client(trust_env=False, timeout=30) as client,
    ):
        answers = [ask(host, client)]
        while answers[-1].status_code == 200:
            answers.append(ask(host, client))
            assert len(answers) < 1000
        refused = answers.pop()
        assert refused.status_code == 503
        assert "No space left on device" in refused.json()["Message"] or "bytes were taken" in refused.text
        host.flush()  # makes room: the store is on another disk
        answers.append(ask(host, client))
        assert answers[-1].status_code == 200
        assert metric(host, "dropped_records_total") == 0
    captured = captured_in(FolderStore(tmp_path))
    assert (captured.bad, captured.requests) == ((), len(answers))
    assert set(captured.frame["_event_id"]) == {each.headers["x-amzn-requestid"] for each in answers}


def test_capture_is_off_and_says_so_until_there_is_room(tmp_path: Path) -> None:
    with (
        started_server(argv(tmp_path, "serve"), tmp_path / "run" / "server.json") as host,
        httpx.Client(trust_env=False, timeout=30) as client,
    ):
        answers = [ask(host, client)]
        while not metric(host, "capture_off"):
            answers.append(ask(host, client))
            assert len(answers) < 1000
        answers.append(ask(host, client))
        assert Counter(each.status_code for each in answers) == {200: len(answers)}
        kept, dropped = metric(host, "captured_records_total"), metric(host, "dropped_records_total")
        assert kept + dropped == len(answers)
        assert metric(host, "capture_coverage_ratio") == kept / len(answers) < 1
    captured = captured_in(FolderStore(tmp_path))
    assert (captured.bad, captured.requests) == ((), kept)
    (event,) = (entry.event for entry in log(FolderTrail(FolderStore(tmp_path), WallClock())))
    assert (event.action, event.subject, str(event.actor)) == (
        "capture.off",
        "prices",
        "endpoint-server (service)",
    )
    assert "nothing of it is kept" in event.why

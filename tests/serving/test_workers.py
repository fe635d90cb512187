"""Several workers behind one port: each request answered and captured once, every change made by all."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.serving.running import DEPLOYED, captured_in
from tests.serving.trials import CANARY
from tests.shared import CHECKOUT
from watchkeeper.adapters.local.endpoint import running_server, started_server
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.values import Deployment, Sample, Samples
from watchkeeper.serving.workers import VARIABLE, Place

WORKERS = 3


def processes(server: int) -> dict[int, tuple[int, Place]]:
    """The workers' processes and places by their numbers, as the system knows them."""
    found = {}
    for child in Path(f"/proc/{server}/task/{server}/children").read_text().split():
        held = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        place = next(text for text in held if text.startswith(f"{VARIABLE}=".encode()))
        told = decode(Place, place.partition(b"=")[2])
        found[told.number] = (int(child), told)
    return found


@dataclass(frozen=True, slots=True)
class Shared:
    """A server of several workers; each can also be asked by itself, at its own port."""

    workspace: Path
    pid: int
    port: int
    token: str
    ports: tuple[int, ...]

    def client(self, worker: int = 0) -> httpx.Client:
        """Of one worker, or of whichever takes the connection."""
        port = self.ports[worker - 1] if worker else self.port
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=30)

    def ask(self, body: str, worker: int = 0, **headers: str) -> httpx.Response:
        with self.client(worker) as client:
            return invoke(client, body, **headers)

    def deploy(self, deployment: Deployment, worker: int) -> httpx.Response:
        with self.client(worker) as client:
            return client.put("/api/v1/endpoints/prices", content=encode(deployment))

    def each(self, body: str, **headers: str) -> list[httpx.Response]:
        """What every worker answers."""
        return [self.ask(body, worker, **headers) for worker in range(1, WORKERS + 1)]

    def samples(self, worker: int) -> tuple[Sample, ...]:
        with self.client(worker) as client:
            return decode(Samples, client.get("/api/v1/samples").content).samples

    def flush(self, worker: int = 2) -> None:
        with self.client(worker) as client:
            assert client.post("/api/v1/captures/flush").status_code == 204


def invoke(client: httpx.Client, body: str, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(
        "/endpoints/prices/invocations", content=body, headers={"content-type": "text/csv", **named}
    )


@contextlib.contextmanager
def shared(workspace: Path, *how: str) -> Iterator[Shared]:
    argv = [sys.executable, "-m", "tests.serving.process", str(workspace), str(WORKERS), *how]
    with contextlib.chdir(CHECKOUT), started_server(argv, workspace / "run" / "server.json"):
        here = running_server(workspace / "run" / "server.json")
        _, place = processes(here.pid)[1]
        yield Shared(workspace, here.pid, here.port, here.token, place.ports)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """One whose version stays as it is."""
    with shared(tmp_path_factory.mktemp("workers")) as found:
        yield found


def test_every_answer_is_captured_once_and_no_file_is_two_workers(tmp_path: Path) -> None:
    with shared(tmp_path) as server:

        def asked(number: int) -> tuple[int, list[str]]:
            worker = number % WORKERS + 1
            with server.client(worker) as client:
                return worker, [
                    invoke(client, f"T{number},{place}").headers["x-amzn-requestid"] for place in range(40)
                ]

        with ThreadPoolExecutor(2 * WORKERS) as pool:
            told = list(pool.map(asked, range(2 * WORKERS)))
        server.flush()
        store = FolderStore(tmp_path)
        captured = captured_in(store)
        files = [store.read(key) for key in store.list("captures/")]
    by_worker: dict[int, set[str]] = {}
    for worker, ids in told:
        by_worker.setdefault(worker, set()).update(ids)
    assert captured.bad == ()
    events = captured.frame["_event_id"].to_list()
    assert sorted(events) == sorted(id_ for ids in by_worker.values() for id_ in ids)
    for file in files:
        assert [worker for worker, ids in by_worker.items() if any(id_.encode() in file for id_ in ids)] in (
            [1],
            [2],
            [3],
        )


def answered(server: Shared, worker: int) -> dict[str, float]:
    """How many requests each worker has answered, by one of them."""
    return {
        dict(each.labels)["worker"]: each.value
        for each in server.samples(worker)
        if each.metric == "watchkeeper_endpoint_requests_total"
    }


def test_the_port_is_shared_and_samples_are_of_all(server: Shared) -> None:
    before = sum(answered(server, 1).values())
    assert {server.ask("A,2").text for _ in range(20)} == {"2.0"}
    server.each("A,2")
    for worker in range(1, WORKERS + 1):
        counts = answered(server, worker)
        assert sorted(counts) == ["1", "2", "3"]
        assert sum(counts.values()) == before + 23
        assert all(counts.values())
    with server.client(3) as client:
        text = client.get("/metrics").text
    assert text.count("watchkeeper_endpoint_requests_total{") == WORKERS


def test_a_deployment_told_to_any_is_served_by_all_and_no_request_fails(tmp_path: Path) -> None:
    over, statuses = Event(), set[int]()

    def ask_on(server: Shared, worker: int) -> None:
        with server.client(worker) as client:
            while not over.is_set():
                response = invoke(client, "A,2")
                statuses.add(response.status_code)
                version = int(response.headers["x-watchkeeper-model-version"])
                assert response.text == f"{2.0 * version}"

    with shared(tmp_path) as server, ThreadPoolExecutor(WORKERS) as pool:
        asking = [pool.submit(ask_on, server, worker) for worker in range(1, WORKERS + 1)]
        try:
            for version in range(2, 8):
                told = server.deploy(replace(DEPLOYED, version=version), version % WORKERS + 1)
                assert told.json()["deployment"]["version"] == version
                assert [each.text for each in server.each("A,2")] == [f"{2.0 * version}"] * WORKERS
        finally:
            over.set()
        for each in asking:
            each.result()
    assert statuses == {200}


def test_what_cannot_be_loaded_nobody_serves(server: Shared) -> None:
    told = server.deploy(replace(DEPLOYED, version=666), 2)
    assert told.status_code == 500
    assert "booster.ubj is not what the manifest says" in told.json()["Message"]
    assert [each.text for each in server.each("A,2")] == ["2.0"] * WORKERS


def test_a_change_wants_the_token_at_any_worker(server: Shared) -> None:
    with server.client(3) as client:
        refused = client.put(
            "/api/v1/endpoints/prices", content=encode(DEPLOYED), headers={"authorization": "Bearer x"}
        )
        assert (refused.status_code, refused.headers["x-amzn-errortype"]) == (401, "AccessDeniedException")
        labels = client.post("/endpoints/prices/ground-truth", content=b'[{"inferenceId":"a","label":10}]')
        assert (labels.status_code, "keeps none" in labels.json()["Message"]) == (404, True)


@pytest.mark.parametrize("worker", [1, 2])
def test_a_worker_that_was_killed_comes_back_with_what_the_others_serve(tmp_path: Path, worker: int) -> None:
    with shared(tmp_path) as server:
        assert server.deploy(replace(DEPLOYED, version=5), 1).is_success  # which no record holds
        told = server.each("A,2")
        before, _ = processes(server.pid)[worker]
        ended = os.pidfd_open(before)
        os.kill(before, signal.SIGKILL)
        assert select.select([ended], [], [], 30) == ([ended], [], [])
        os.close(ended)
        told += server.each("A,2")  # one of them waits for the new one
        assert {each.text for each in told} == {"10.0"}
        assert processes(server.pid)[worker][0] != before
        server.flush()
        events = captured_in(FolderStore(tmp_path)).frame["_event_id"].to_list()
    assert sorted(events) == sorted(each.headers["x-amzn-requestid"] for each in told)
    assert list((tmp_path / "spool").rglob("*.jsonl")) == []


def test_a_canary_that_fails_in_one_worker_ends_in_all_and_is_told_of_once(tmp_path: Path) -> None:
    with shared(tmp_path) as server:
        with server.client(3) as client:
            tried = client.put("/api/v1/endpoints/prices/candidate", content=encode(CANARY))
            assert tried.is_success
        canary = {"x_amzn_sagemaker_target_variant": "Canary"}
        assert [each.text for each in server.each("A,2", **canary)] == ["4.0"] * WORKERS
        failed = [server.ask("bug,2", 2, **canary).status_code for _ in range(6)]
        assert failed == [424] * 6
        with server.client(
            1
        ) as client:  # worker 2 tells worker 1, beside the answer, and that one the others
            entries = wait_for_entries(tmp_path)
            assert client.get("/api/v1/endpoints").json()[0]["candidate"] is None
    assert len(entries) == 1
    assert b"endpoint.canary-withdrawn" in entries[0].read_bytes()


def wait_for_entries(workspace: Path) -> list[Path]:
    """The audit log's entries, once there are any; it has a few seconds."""
    folder = workspace / "audit"
    folder.mkdir(exist_ok=True)
    over = Event()
    for _ in range(600):
        if found := sorted(folder.glob("*.json")):
            return found
        over.wait(0.01)
    pytest.fail("nothing is in the audit log")


def test_workers_end_with_who_looks_after_them(tmp_path: Path) -> None:
    def live() -> None:
        with shared(tmp_path) as server:
            server.each("A,2")
            watched.extend(os.pidfd_open(pid) for pid, _ in processes(server.pid).values())
            os.kill(server.pid, signal.SIGKILL)

    watched: list[int] = []
    with pytest.raises(PlatformError, match="ended with -9"):
        live()
    for watch in watched:
        assert select.select([watch], [], [], 30)[0] == [watch]
        os.close(watch)
    assert captured_in(FolderStore(tmp_path)).requests == WORKERS
    assert list((tmp_path / "spool").rglob("*.jsonl")) == []


def test_what_workers_left_is_recovered_by_a_server_without_any(tmp_path: Path) -> None:
    def live() -> None:
        with shared(tmp_path) as server:
            server.each("A,2")
            pids = [pid for pid, _ in processes(server.pid).values()]
            for pid in (server.pid, *pids):
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(PlatformError, match="ended with -9"):
        live()
    assert len(list((tmp_path / "spool").rglob("*.jsonl"))) == WORKERS
    argv = [sys.executable, "-m", "tests.serving.process", str(tmp_path)]
    with contextlib.chdir(CHECKOUT), started_server(argv, tmp_path / "run" / "server.json"):
        pass
    assert captured_in(FolderStore(tmp_path)).requests == WORKERS


def test_a_worker_that_cannot_be_started_anew_ends_the_server(tmp_path: Path) -> None:
    def live() -> None:
        with shared(tmp_path, "brittle") as server:
            watch = os.pidfd_open(server.pid)
            os.kill(processes(server.pid)[2][0], signal.SIGKILL)
            assert select.select([watch], [], [], 60)[0] == [watch]
            os.close(watch)

    with pytest.raises(PlatformError, match=r"worker 2 ended with 7, 3 times in a row within 5 s"):
        live()

"""A version tried beside the one that serves: its share, its copies, and when it is withdrawn by itself."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from tests.serving.running import DEPLOYED, Running, running, settings_of
from tests.serving.trials import CANARY, LIMITS, SHADOW, load
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.values import Candidate
from watchkeeper.serving.canary import Watch
from watchkeeper.serving.endpoint import drawn


@dataclass(slots=True)
class Told:
    """What a server's hook hears."""

    heard: list[tuple[int, str]] = field(default_factory=list)

    def withdrawn(self, candidate: Candidate, why: str) -> None:
        self.heard.append((candidate.version, why))


def try_out(server: Running, candidate: Candidate) -> httpx.Response:
    path = f"/api/v1/endpoints/{candidate.endpoint}/candidate"
    return server.client.put(path, content=encode(candidate), headers=server.authorised())


def test_a_canary_answers_its_share_and_is_captured_as_itself(tmp_path: Path) -> None:
    with running(settings_of(tmp_path), load) as server:
        assert try_out(server, CANARY).json()["candidate"]["version"] == 2
        answers = [server.ask("A,2") for _ in range(300)]
        chosen = [
            server.ask("A,2", x_amzn_sagemaker_target_variant=name) for name in ("AllTraffic", "Canary")
        ]
        frame = server.captured().frame
        folders = Counter(key.split("/")[4] for key in server.store.list("captures/"))
    by_variant = Counter(each.headers["x-amzn-invoked-production-variant"] for each in answers)
    assert 80 <= by_variant["Canary"] <= 160
    for each in (*answers, *chosen):
        canary = each.headers["x-amzn-invoked-production-variant"] == "Canary"
        assert (each.text, each.headers["x-watchkeeper-model-version"]) == (
            ("4.0", "2") if canary else ("2.0", "1")
        )
    assert [each.text for each in chosen] == ["2.0", "4.0"]
    assert dict(frame.group_by("_model_version").len().iter_rows()) == {
        1: by_variant["AllTraffic"] + 1,
        2: by_variant["Canary"] + 1,
    }
    assert set(folders) == {"AllTraffic", "Canary"}


def test_a_variant_that_is_not_there_is_named(tmp_path: Path) -> None:
    with running(settings_of(tmp_path), load) as server:
        response = server.ask("A,2", x_amzn_sagemaker_target_variant="Canary")
        assert 'want one of AllTraffic, got "Canary"' in response.json()["Message"]
        try_out(server, SHADOW)
        response = server.ask("A,2", x_amzn_sagemaker_target_variant="Shadow")
        assert 'want one of AllTraffic, got "Shadow"' in response.json()["Message"]


def test_a_shadow_gets_a_copy_and_nobody_its_answer(tmp_path: Path) -> None:
    with running(settings_of(tmp_path), load) as server:
        try_out(server, replace(SHADOW, version=3))
        answers = [server.ask(f"T{number % 5},2") for number in range(50)]
        assert {each.text for each in answers} == {"2.0"}
        text = server.client.get("/metrics").text
        captured = server.captured()
        copies = [
            line
            for key in server.store.list("shadow-captures/")
            for line in server.store.read(key).splitlines()
        ]
    assert captured.requests == 50
    assert set(captured.frame["_model_version"]) == {1}
    assert len(copies) == 40
    labels = 'endpoint="prices",environment="prod",project="demo",variant="Shadow"'
    assert f'watchkeeper_endpoint_requests_total{{code="500",{labels}}} 10\n' in text


def test_a_deployment_and_a_withdrawal_end_the_trial(tmp_path: Path) -> None:
    with running(settings_of(tmp_path), load) as server:
        try_out(server, replace(CANARY, weight=99))
        path = "/api/v1/endpoints/prices/candidate"
        assert server.client.delete(path).status_code == 401
        assert server.client.delete(path, headers=server.authorised()).json()["candidate"] is None
        assert {server.ask("A,2").text for _ in range(20)} == {"2.0"}
        try_out(server, replace(CANARY, weight=99))
        body = encode(replace(DEPLOYED, version=2))
        server.client.put("/api/v1/endpoints/prices", content=body, headers=server.authorised())
        variants = {server.ask("A,2").headers["x-amzn-invoked-production-variant"] for _ in range(20)}
        assert variants == {"AllTraffic"}


def test_a_canary_that_fails_a_fifth_of_requests_is_withdrawn_by_itself(tmp_path: Path) -> None:
    told = Told()
    with running(settings_of(tmp_path), load, withdrawn=told.withdrawn) as server:
        try_out(server, replace(CANARY, version=3))
        codes = [server.ask(f"T{number % 5},2").status_code for number in range(400)]
        assert codes.count(424) == 6
        assert set(codes[-50:]) == {200}
        (state,) = server.client.get("/api/v1/endpoints").json()
        assert state["candidate"] is None
    ((version, why),) = told.heard
    assert version == 3
    assert why.startswith("6 of its last ")
    assert why.endswith("requests failed, and at most 5 of 100 may (5%)")


def test_a_withdrawal_that_cannot_be_recorded_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise PlatformError("append to the audit log: No space left on device", retryable=True)

    with running(settings_of(tmp_path), load, withdrawn=broken) as server:
        try_out(server, replace(CANARY, version=3))
        codes = [server.ask(f"T{number % 5},2").status_code for number in range(400)]
    assert (codes.count(424), set(codes[-50:])) == (6, {200})
    assert "that its canary was withdrawn is not on record: append to the audit log" in caplog.text


def test_a_full_disk_is_no_fault_of_a_canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    with running(settings_of(tmp_path), load, withdrawn=told.withdrawn) as server:
        try_out(server, replace(CANARY, weight=99))
        write = os.write
        monkeypatch.setattr(os, "write", lambda at, data: write(at, data[: len(data) // 2]))
        assert {server.ask("A,2").status_code for _ in range(20)} == {503}
        monkeypatch.undo()
        assert server.ask("A,2", x_amzn_sagemaker_target_variant="Canary").text == "4.0"
    assert told.heard == []


def test_the_watch_counts_failures_among_the_newest() -> None:
    watch = Watch(LIMITS)
    assert not any(watch.saw(number % 20 == 0, 0.001) for number in range(1000)), "5% is allowed"
    assert [bool(watch.saw(True, 0.001)) for _ in range(2)] == [False, True]


def test_the_watch_compares_latency_once_it_has_enough_of_both() -> None:
    watch = Watch(LIMITS)
    for _ in range(100):
        watch.beside(0.010)
    assert not any(watch.saw(False, 0.030) for _ in range(99))
    assert watch.saw(False, 0.030) == (
        "95 of 100 of its requests took up to 30.0 ms, 3.0 times "
        "the 10.0 ms of the version that serves; at most 2 may be"
    )
    alike = Watch(LIMITS)
    for _ in range(300):
        alike.beside(0.010)
        assert not alike.saw(False, 0.019)


@pytest.mark.parametrize("weight", [1, 10, 50])
def test_the_draw_is_of_about_the_weight(weight: int) -> None:
    taken = sum(drawn(f"event-{number}") < weight for number in range(20_000))
    assert abs(taken - 200 * weight) < 5 * (2 * weight * (100 - weight)) ** 0.5

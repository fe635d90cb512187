"""What is pushed is what a real Prometheus then has, to the label and the millisecond."""

from __future__ import annotations

import shutil
import struct
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.app.loop import ANA, Loop, bring_to_prod, model_of, new_loop, train_in
from tests.webhooks import listener, status
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.programs import free_ports, program
from watchkeeper.adapters.local.prometheus import PrometheusApi
from watchkeeper.adapters.local.remote_write import RemoteWrite
from watchkeeper.app.monitoring.pushing import samples_to_push
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.registry.executions import Exposures
from watchkeeper.app.watching.jobs import one_by_one
from watchkeeper.app.watching.watch import Watch
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import Sample
from watchkeeper.core.windows import month_start
from watchkeeper.render.remote_write import write_request

NOW = WallClock().now()
ODD = (("endpoint", "p-prod"), ("feature", 'say "ä\\n"'), ("environment", "prod"))
SAMPLES = [
    Sample("watchkeeper_monitor_rows", (("endpoint", "p-prod"), ("environment", "prod")), 1911.0, NOW),
    Sample("watchkeeper_data_quality_drift_distance", ODD, 0.1 + 0.2, NOW),
    Sample("watchkeeper_data_quality_violations", (("endpoint", "p-dev"),), 0.0, NOW),
]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if shutil.which("prometheus") is None:
        pytest.skip("Prometheus is not installed (make test-deps)")
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text("global: {}\n")
    (port,) = free_ports(1)
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
    ]
    with program(command, f"http://127.0.0.1:{port}/-/ready", folder / "log"):
        yield f"http://127.0.0.1:{port}"


def receiver(prometheus: str) -> RemoteWrite:
    return RemoteWrite(f"{prometheus}/api/v1/write")


def test_prometheus_has_every_series_as_it_was_sent(prometheus: str) -> None:
    at = WallClock().now()
    receiver(prometheus).push(SAMPLES, at)
    for sample in SAMPLES:
        (found,) = PrometheusApi(prometheus).query(f"{sample.metric}[1m]")
        labels = {name: value for name, value in found["metric"].items() if name != "__name__"}
        assert labels == dict(sample.labels)
        time, value = found["values"][-1]
        assert (float(value), round(time * 1000)) == (sample.value, round(at.timestamp() * 1000))


def test_what_a_receiver_refuses_is_said_with_its_words(prometheus: str) -> None:
    receiver(prometheus).push(SAMPLES, WallClock().now())
    with pytest.raises(PlatformError, match=r"it answered 4\d\d|it answered 500"):
        receiver(prometheus).push(SAMPLES, WallClock().now() - timedelta(days=30))
    (port,) = free_ports(1)
    with pytest.raises(PlatformError, match="ConnectError"):
        RemoteWrite(f"http://127.0.0.1:{port}/write").push(SAMPLES, NOW)


def test_a_token_goes_along_and_nothing_is_sent_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSH_TOKEN", "let-me-in")
    with listener(status(204)) as (url, heard):
        to = RemoteWrite(url, "${env:PUSH_TOKEN}")
        to.push([], NOW)
        to.push(SAMPLES, NOW)
    ((headers, _),) = heard
    assert headers["authorization"] == "Bearer let-me-in"
    assert (headers["content-encoding"], headers["x-prometheus-remote-write-version"]) == ("snappy", "0.1.0")


def test_the_message_is_the_bytes_that_the_specification_says() -> None:
    at = datetime.fromtimestamp(1.5, tz=NOW.tzinfo)
    said = write_request([Sample("up", (("a", "b"),), 2.0, NOW)], at)
    label = b"\x0a\x0e\x0a\x08__name__\x12\x02up" + b"\x0a\x06\x0a\x01a\x12\x01b"
    sample = b"\x12\x0c\x09" + struct.pack("<d", 2.0) + b"\x10\xdc\x0b"  # 1500 as a varint
    assert said == b"\x0a" + bytes([len(label + sample)]) + label + sample
    with pytest.raises(ValueError, match="want a finite value"):
        write_request([Sample("up", (), float("nan"), NOW)], at)


def judged(folder: Path, *changes: tuple[str, str]) -> Loop:
    loop = new_loop(folder, *changes)
    train_in(loop)
    bring_to_prod(loop)
    loop.send(loop.plan(), model_of(loop))
    loop.clock.move_to(month_start("2020-06"))
    run_monitor(loop.target, MonitorRun("data-quality", "prod", loop.clock.now()), ANA)
    return loop


def test_an_environment_s_own_samples_are_pushed(tmp_path: Path) -> None:
    loop = judged(tmp_path)
    found = samples_to_push(loop.target, Exposures(loop.store))
    assert {dict(each.labels)["environment"] for each in found["prod"]} == {"prod"}
    assert any(each.metric == "watchkeeper_monitor_window_end_timestamp_seconds" for each in found["prod"])
    assert {dict(each.labels)["environment"] for each in found["dev"]} <= {"dev"}


def test_the_watch_pushes_and_says_once_what_is_wrong(tmp_path: Path) -> None:
    with listener(status(204)) as (url, heard), listener(status(500)) as (broken, tried):
        section = f"telemetry: {{remote_write: [{{url: '{url}'}}, {{url: '{broken}'}}]}}\n"
        loop = judged(tmp_path, ("receivers:\n", f"{section}receivers:\n"))
        stop, said = threading.Event(), list[str]()
        watch = Watch(loop.target, said.append, one_by_one(loop.target), interval=0.01, stop=stop)
        thread = threading.Thread(target=watch.run)
        thread.start()
        while len(heard) < 5 or len(tried) < 5:
            assert thread.is_alive()
            stop.wait(0.01)
        stop.set()
        thread.join()
    assert len([line for line in said if "it answered 500" in line and "prod:" in line]) == 1


def test_a_token_in_the_file_is_refused(tmp_path: Path) -> None:
    section = "telemetry: {remote_write: [{url: 'http://x/write', token: abc}]}\n"
    with pytest.raises(InputError, match=r"telemetry\.remote_write\.0\.token: .*want a reference"):
        new_loop(tmp_path, ("receivers:\n", f"{section}receivers:\n"))

"""A window without records says why: each cause is planted, told apart, and looked for again by a command."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.app.loop import ANA, Loop, bring_to_prod, model_of, new_loop, train_in
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.app.captures.absence import capture_checks
from watchkeeper.app.captures.changes import CaptureChange, record_change
from watchkeeper.app.captures.rows import source_of
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.setup.check import Finding
from watchkeeper.core.errors import DeniedError
from watchkeeper.core.values import Execution, Status
from watchkeeper.core.windows import Window, month_start

MAY = Window(month_start("2020-05"), month_start("2020-06"))
DUE = month_start("2020-06")


@dataclass(slots=True)
class Guarded:
    """A store that refuses whoever asks for keys below this one."""

    inner: MemoryStore
    below: str

    def read(self, key: str) -> bytes:
        self._may(key)
        return self.inner.read(key)

    def write(self, key: str, data: bytes) -> None:
        self.inner.write(key, data)

    def create(self, key: str, data: bytes) -> None:
        self.inner.create(key, data)

    def list(self, prefix: str) -> Sequence[str]:
        self._may(prefix)
        return self.inner.list(prefix)

    def _may(self, key: str) -> None:
        if key.startswith(self.below):
            raise DeniedError(f"list {key}: Permission denied")


def live(folder: Path, *changes: tuple[str, str]) -> Loop:
    loop = new_loop(folder, *changes)
    train_in(loop)
    bring_to_prod(loop)
    return loop


def judged(loop: Loop, monitor: str = "data-quality") -> Execution:
    loop.clock.move_to(DUE)
    return run_monitor(loop.target, MonitorRun(monitor, "prod", DUE), ANA)


def asked(loop: Loop) -> None:
    loop.send(loop.plan(), model_of(loop))


def moved(loop: Loop, key_to: Callable[[str], str]) -> None:
    """Every capture under another key."""
    for key in loop.store.list("captures/"):
        loop.store.objects[key_to(key)] = loop.store.objects.pop(key)


def shifted(loop: Loop, days: int) -> None:
    """Every record's time by so many days, in the file that it is in."""
    for key in loop.store.list("captures/"):
        text = loop.store.objects[key].decode()
        loop.store.objects[key] = re.sub(
            r"2020-05-(\d\d)T", lambda found: f"2020-0{4 if days < 0 else 6}-{found[1]}T", text
        ).encode()


def changed(loop: Loop, time: datetime, *, off: bool) -> None:
    """The server could not write captures from then on, or can again."""
    change = CaptureChange("demo-prod", off, "no space left" if off else "room again", time)
    record_change(loop.store, loop.target.trail, change, ANA)


def test_nobody_asked(tmp_path: Path) -> None:
    found = judged(live(tmp_path))
    assert found.status is Status.NO_TRAFFIC
    assert found.reason == (
        "no request was captured in the window; `watchkeeper capture check --for prod "
        "--from 2020-05-01T00:00:00Z --to 2020-06-01T00:00:00Z` looks again"
    )


def test_capture_is_off_by_the_project_file(tmp_path: Path) -> None:
    loop = live(
        tmp_path, ("prod: {approval: required}", "prod: {approval: required, capture: {sampling: 0}}")
    )
    found = judged(loop)
    assert (found.status, found.reason.split(";")[0]) == (
        Status.CAPTURE_OFF,
        "environments.prod.capture.sampling is 0",
    )


def test_capture_went_off_and_came_on_again(tmp_path: Path) -> None:
    loop = live(tmp_path)
    before = MAY.start - timedelta(days=2)
    changed(loop, before, off=True)
    found = judged(loop)
    assert (found.status, found.reason.split(";")[0]) == (
        Status.CAPTURE_OFF,
        "capture is off since 2020-04-29T00:00:00Z: no space left",
    )
    again = live(tmp_path / "again")
    changed(again, before, off=True)
    changed(again, before + timedelta(hours=1), off=False)
    assert judged(again).status is Status.NO_TRAFFIC


@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("captures/prod/schema-v1/demo-blue/AllTraffic/", "captures/prod/schema-v1/demo-blue/AllTraffic/"),
        ("captures/demo-prod/AllTraffic/", "captures/demo-prod/AllTraffic/"),  # SageMaker's own layout
        ("captures/production/schema-v1/demo-prod/AllTraffic/", "captures/production/"),
    ],
)
def test_the_records_lie_elsewhere(tmp_path: Path, place: str, named: str) -> None:
    loop = live(tmp_path)
    asked(loop)
    moved(loop, lambda key: place + "/".join(key.split("/")[5:]))
    found = judged(loop)
    assert found.status is Status.WRONG_PREFIX
    assert f"and some below {named}" in found.reason
    assert "no file of the window below captures/prod/schema-v…/demo-prod/" in found.reason


def test_another_environment_s_records_are_no_wrong_prefix(tmp_path: Path) -> None:
    loop = live(tmp_path)
    asked(loop)
    moved(loop, lambda key: key.replace("captures/prod/", "captures/uat/").replace("demo-prod", "demo-uat"))
    assert judged(loop).status is Status.NO_TRAFFIC


@pytest.mark.parametrize(("days", "way"), [(31, "ahead"), (-30, "behind")])
def test_the_clock_of_who_wrote_them_is_off(tmp_path: Path, days: int, way: str) -> None:
    loop = live(tmp_path)
    asked(loop)
    shifted(loop, days)
    found = judged(loop)
    assert found.status is Status.CLOCK_SKEW
    assert f"the clock of who wrote them is {way} by" in found.reason


@pytest.mark.parametrize(
    ("below", "monitor"),
    [
        ("captures/prod/", "data-quality"),
        ("captures/prod/", "model-quality"),
        ("ground-truth/", "model-quality"),
    ],
)
def test_the_records_may_not_be_read(tmp_path: Path, below: str, monitor: str) -> None:
    loop = live(tmp_path)
    asked(loop)
    loop.target = replace(loop.target, store=Guarded(loop.store, below))
    found = judged(loop, monitor)
    assert found.status is Status.NO_PERMISSION
    assert f"the records may not be read: list {below}" in found.reason
    status = {
        dict(s.labels)["status"]: s.value for s in found.samples if s.metric == "watchkeeper_monitor_status"
    }
    assert (status["NoPermission"], sum(status.values())) == (1.0, 1.0)


def test_a_folder_that_the_disk_refuses_is_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "captures").mkdir()

    def refused(*_: object, onerror: Callable[[OSError], None], **__: object) -> list[object]:
        onerror(PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "captures")))
        return []

    monkeypatch.setattr("watchkeeper.adapters.local.store.os.walk", refused)
    with pytest.raises(DeniedError, match="Permission denied"):
        FolderStore(tmp_path).list("captures/")


def test_the_command_looks_at_everything(tmp_path: Path) -> None:
    loop = live(tmp_path)
    asked(loop)
    source = source_of(loop.target.project, "prod", MAY)
    checks = capture_checks(loop.target, source)
    assert [each.what for each in checks] == ["permission", "capture", "place", "clock", "requests"]
    assert {each.finding for each in checks} == {Finding.FINE}
    nobody = capture_checks(loop.target, source_of(loop.target.project, "dev", MAY))
    assert [each.what for each in nobody if each.finding is not Finding.FINE] == ["place", "requests"]


def test_requests_of_which_none_can_be_used_are_no_silence(tmp_path: Path) -> None:
    loop = live(tmp_path)
    asked(loop)
    for key in loop.store.list("captures/"):
        text = loop.store.objects[key].decode()
        loop.store.objects[key] = re.sub(r'"data":"[^"]*"', '"data":"1,2,3,4,5,6,7"', text).encode()
    found = judged(loop)
    assert found.status is Status.INSUFFICIENT_DATA, found.reason
    assert "records of the window, none of which can be used as rows" in found.reason
    assert any("capture lines that cannot be used" in note for note in found.notes)

"""Several processes find what one finds, and one that is killed loses nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.app.loop import Loop, bring_to_prod, model_of, new_loop, train_in
from tests.cli.workspaces import put_down
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.memory.endpoint import MemoryEndpointHost
from watchkeeper.adapters.memory.tracking import MemoryTracker
from watchkeeper.app.registry.executions import executions
from watchkeeper.app.registry.records import RememberingStore
from watchkeeper.app.setup.audit import verify_log
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import Target
from watchkeeper.app.watching.agenda import Agenda, Due
from watchkeeper.app.watching.jobs import one_by_one, side_by_side
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.values import Execution
from watchkeeper.core.windows import month_start


def opened(folder: Path) -> Target:
    clock, files = MovedClock(month_start("2020-05")), FolderStore(folder)
    return Target(
        project=load_project(folder),
        folder=folder,
        store=RememberingStore(files),
        clock=clock,
        trail=FolderTrail(files, clock),
        tracker=MemoryTracker(),
        host=MemoryEndpointHost(),
    )


def deadly(folder: Path) -> Target:
    """The target of a process that is killed as soon as it has one."""
    if (folder / "killed").exists():
        return opened(folder)
    (folder / "killed").touch()
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    loop = new_loop(tmp_path_factory.mktemp("served"))
    train_in(loop)
    bring_to_prod(loop)
    loop.send(loop.plan(), model_of(loop))
    return loop


def due_in(loop: Loop, folder: Path) -> tuple[Target, Sequence[Due]]:
    """The same workspace in a folder, and what is due there three months on."""
    put_down(loop, folder)
    (folder / "watchkeeper.yaml").write_text(loop.target.project.text, encoding="utf-8")
    target = opened(folder)
    assert isinstance(target.clock, MovedClock)
    target.clock.move_to(month_start("2020-08"))
    return target, Agenda(target).take(target.clock.now())


def found(target: Target) -> list[Execution]:
    return sorted(executions(target.store), key=lambda each: (each.schedule, each.scheduled_at))


def test_two_processes_find_what_one_finds(loop: Loop, tmp_path: Path) -> None:
    alone, dues = due_in(loop, tmp_path / "alone")
    ran = list(one_by_one(alone)(dues))
    both, _ = due_in(loop, tmp_path / "both")
    with side_by_side(partial(opened, both.folder), both, 2) as runs:
        assert [each.due for each in runs(dues)] == [each.due for each in ran]
    assert found(alone) == found(both) != []
    assert verify_log(both.trail).verified


def test_one_that_is_killed_is_told_and_the_next_call_has_another(loop: Loop, tmp_path: Path) -> None:
    target, dues = due_in(loop, tmp_path / "killed")
    with side_by_side(partial(deadly, target.folder), target, 1) as runs:
        with pytest.raises(PlatformError, match="a process that ran one was killed"):
            list(runs(dues))
        assert len(list(runs(dues))) == len(dues)

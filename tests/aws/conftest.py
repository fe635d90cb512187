"""A project that is deployed on the doubles, trained once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.loop import Loop
from tests.aws.doubles import Doubles
from tests.aws.running import Deployed, deployed_project, trained_loop
from watchkeeper.adapters.aws import stacks


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    return trained_loop(tmp_path_factory.mktemp("loop"))


@pytest.fixture
def deployed(doubles: Doubles, tmp_path: Path, trained: Loop) -> Deployed:
    return deployed_project(doubles, tmp_path, trained)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stacks of the doubles are there in no time, so they are looked at sooner than AWS's."""
    monkeypatch.setattr(stacks, "_FIRST_PAUSE", 0.01)

"""Who acts is what the system says, not what the environment says."""

from __future__ import annotations

import os
import pwd

import pytest

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.core.errors import PlatformError


def test_a_name_in_the_environment_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "somebody-else")
    assert os_user().name == pwd.getpwuid(os.getuid()).pw_name
    assert os_user().how == "os-user"


def test_a_user_without_a_name_cannot_act(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)
    with pytest.raises(PlatformError, match="no name for user id 2147483641"):
        os_user()

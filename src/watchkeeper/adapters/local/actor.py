"""Who is at the keyboard."""

from __future__ import annotations

import os
import pwd

from watchkeeper.core.errors import PlatformError
from watchkeeper.core.values import Actor


def os_user() -> Actor:
    """The user this process runs as, by its user id: `LOGNAME` and `USER` are anybody's to set.

    Raises PlatformError when the system has no name for it.
    """
    try:
        return Actor(pwd.getpwuid(os.getuid()).pw_name, "os-user")
    except KeyError:
        raise PlatformError(
            f"find out who runs this command: the system has no name for user id {os.getuid()}",
            retryable=False,
        ) from None

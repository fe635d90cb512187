"""Who is at the keyboard."""

from __future__ import annotations

import getpass

from watchkeeper.core.errors import PlatformError
from watchkeeper.core.values import Actor


def os_user() -> Actor:
    """The user this process runs as. Raises PlatformError when the system has no name for it."""
    try:
        return Actor(getpass.getuser(), "os-user")
    except (KeyError, OSError) as error:
        raise PlatformError(
            f"find out who runs this command: the system does not say ({error})", retryable=False
        ) from error

"""The three kinds of error, by what the caller can do about them, and being stopped.

    WatchkeeperError
    ├── InputError       mend data, settings or the command           exit code 2
    │   └── Refused      a rule of the project says no                exit code 1
    ├── PlatformError    try again (retryable) or call someone        exit code 3
    │   ├── DeniedError  whoever runs this may not do it              exit code 3
    │   └── ExistsError  an object that is written once is there      exit code 3
    ├── IntegrityError   stop: what is stored is not what was written exit code 1
    └── Interrupted      whoever runs it said stop (Ctrl-C)           exit code 130

A message says what was being done, on what, what was wanted and what was got. A broken
precondition of a pure function is a plain ``ValueError``.
"""

from __future__ import annotations


class WatchkeeperError(Exception):
    """Root of every error this package raises on purpose."""


class InputError(WatchkeeperError):
    """Data, settings or a command cannot be used as they are."""


class Refused(InputError):
    """The input is well formed, and a rule of the project says no to it."""


class PlatformError(WatchkeeperError):
    """Disk, network or a server failed; `retryable` says whether trying again may help."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


class DeniedError(PlatformError):
    """Disk or service refuses it to whoever runs this; trying again does not help."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


class ExistsError(PlatformError):
    """`Store.create` found an object under that key; nothing was written."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"create {key}: it exists already, and objects like it are written once", retryable=False
        )
        self.key = key


class IntegrityError(WatchkeeperError):
    """What is stored does not agree with its own digest or with the audit log."""


class Interrupted(WatchkeeperError):
    """Whoever runs it said stop; the message says how to go on."""

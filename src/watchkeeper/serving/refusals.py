"""Requests that are not answered, in the error shapes of SageMaker's runtime."""

from __future__ import annotations

from watchkeeper.core.errors import InputError, PlatformError

BODY_LIMIT = 6 * 1024 * 1024  # bytes, SageMaker's limit for one request


class RequestRefused(InputError):
    """The request cannot be answered as it is; the message says what to mend."""

    def __init__(self, message: str, status: int = 400, code: str = "ValidationError") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ModelFailed(PlatformError):
    """The model did not answer a request that was well formed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


def too_large() -> RequestRefused:
    """The body is over the limit."""
    return RequestRefused(f"want a body of at most {BODY_LIMIT} bytes, got a larger one", status=413)

"""What botocore raises, as errors of ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from watchkeeper.core.errors import DeniedError, InputError, PlatformError, WatchkeeperError

DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "NotAuthorized",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
RETRYABLE = frozenset(
    {
        "ConditionalRequestConflict",
        "InternalError",
        "InternalFailure",
        "InternalServerException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_NOBODY = (
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
_SERVER_ERRORS = 500  # and above


def code_of(error: ClientError) -> str:
    """The service's own code, such as `NoSuchKey`."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextlib.contextmanager
def translated(doing: str) -> Iterator[None]:
    """Calls of AWS in the block raise our errors: denied, worth another try, or neither; none is swallowed.

    Source of the codes: the common errors of each service's API reference.
    """
    try:
        yield
    except ClientError as error:
        raise _of_service(doing, error) from error
    except _NOBODY as error:
        raise InputError(
            f"{doing}: want credentials of an AWS account (`aws configure`, AWS_PROFILE or a role), "
            f"got none: {error}"
        ) from error
    except ParamValidationError as error:
        raise InputError(f"{doing}: {error}") from error
    except BotoCoreError as error:
        raise PlatformError(f"{doing}: {error}", retryable=True) from error


def _of_service(doing: str, error: ClientError) -> WatchkeeperError:
    code = code_of(error)
    said = error.response.get("Error", {}).get("Message") or "no message"
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    message = f"{doing}: {said} ({code or status})"
    if code in DENIED:
        return DeniedError(message)
    return PlatformError(message, retryable=code in RETRYABLE or status >= _SERVER_ERRORS)

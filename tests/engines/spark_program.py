"""Run in the environment that has PySpark: what its engine answers, as one JSON object on standard output."""

import hashlib
import json
import sys

from tests.engines.profiling import failing_at_three, folded, items, profiled
from watchkeeper.core.errors import ExistsError, InputError, PlatformError, WatchkeeperError
from watchkeeper.engines.spark import run


def doubled(number: int) -> int:
    """Work that has errors with more to them than a message, and one that is none of ours."""
    if number == 100:
        raise ExistsError("baselines/v1")
    if number == 101:
        raise KeyError("no such thing")
    return 2 * number


def raised(number: int) -> WatchkeeperError | None:
    """The error that this number ends in."""
    try:
        list(run(doubled, [1, number], 2))
    except WatchkeeperError as error:
        return error
    return None


def before_the_error() -> tuple[list[int], str]:
    """What came before the error, and the error."""
    given = []
    try:
        for result in run(failing_at_three, range(9), 2):
            given.append(result)
    except InputError as error:
        return given, str(error)
    return given, ""


def main() -> None:
    """Answer."""
    exists, other = raised(100), raised(101)
    answers = {
        "profile": hashlib.sha256(folded(list(run(profiled, items(20_000), 2)))).hexdigest(),
        "counts": [
            list(run(doubled, range(size), 2)) == [2 * n for n in range(size)] for size in (0, 1, 7, 23)
        ],
        "before the error": before_the_error(),
        "exists": [
            type(exists).__name__,
            str(exists),
            getattr(exists, "key", None),
            getattr(exists, "retryable", None),
        ],
        "other": [isinstance(other, PlatformError), str(other)],
    }
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()

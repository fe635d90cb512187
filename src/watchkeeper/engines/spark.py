"""The engine of a Spark cluster: items go out pickled, workers read what they name, results come in order.

PySpark is the extra `watchkeeper[spark]`. The master is that of `spark-submit`, else `SPARK_MASTER`, else the
cores of this machine. Workers import this package: it is in their image with its dependencies, or these are
and the package is sent along (`spark-submit --py-files watchkeeper.zip`).
"""

from __future__ import annotations

import os
import pickle
import shutil
import sys
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from watchkeeper.core.errors import PlatformError, WatchkeeperError

try:
    import pyarrow
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    _ABSENT = None
except ImportError as error:
    _ABSENT = error.name

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

T = TypeVar("T")
R = TypeVar("R")

WAVES = 4  # items a core gets in a job: enough to make up for a slow one, few enough to be held together
_SENT = "number long, item binary"
_RETURNED = "number long, succeeded boolean, result binary"


def run(work: Callable[[T], R], items: Iterable[T], workers: int | None = None) -> Generator[R, None, None]:
    """The result of `work` for each item, in item order.

    `workers` is the number of this machine's cores to take, by default all; a session or a master that is
    there already keeps its own. Items are sent in jobs of four a core, and the results of one job are held
    here together: Spark's own `toLocalIterator` would run partition after partition. The first error in
    item order that is one of this package's is raised as it was. Raises PlatformError when PySpark,
    PyArrow or Java is missing and when Spark or the work fails in another way, and ValueError for fewer
    workers than one.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"run an engine: want at least 1 worker, got {workers}")
    return _in_jobs(work, iter(items), workers)


def _in_jobs(work: Callable[[T], R], waiting: Iterator[T], workers: int | None) -> Generator[R, None, None]:
    session = _session(workers)
    at_once = WAVES * session.sparkContext.defaultParallelism
    while batch := list(islice(waiting, at_once)):
        for succeeded, result in _collected(session, work, batch):
            if not succeeded:
                raise _error(*result)
            yield result


def _collected(
    session: SparkSession, work: Callable[[Any], Any], batch: list[Any]
) -> Iterator[tuple[bool, Any]]:
    try:
        rows = _sent(session, work, batch).collect()
    except (Py4JError, PySparkException) as error:
        raise PlatformError(f"run {len(batch)} parts on Spark: {_reason(error)}", retryable=True) from None
    for row in sorted(rows, key=lambda row: row["number"]):
        yield row["succeeded"], pickle.loads(row["result"])  # noqa: S301 - our own workers wrote it


def _sent(session: SparkSession, work: Callable[[Any], Any], batch: list[Any]) -> DataFrame:
    rows = [(number, pickle.dumps(item)) for number, item in enumerate(batch)]

    def returned(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        for sent in batches:
            for row in sent.to_pylist():
                yield pyarrow.RecordBatch.from_pylist([_done(work, row)])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # about the version of pandas, which is not used
        return session.createDataFrame(rows, _SENT).mapInArrow(returned, _RETURNED)


def _done(work: Callable[[Any], Any], row: dict[str, Any]) -> dict[str, Any]:
    """What a worker sends back: the result, or one of our errors; any other error ends the job."""
    try:
        succeeded, result = True, work(pickle.loads(row["item"]))  # noqa: S301 - the driver wrote it
    except WatchkeeperError as error:
        succeeded, result = False, (type(error), error.args, error.__dict__)
    return {"number": row["number"], "succeeded": succeeded, "result": pickle.dumps(result)}


def _error(kind: type[WatchkeeperError], args: tuple[Any, ...], more: dict[str, Any]) -> WatchkeeperError:
    """An error from its pieces: those whose constructor wants more than a message do not unpickle."""
    made = kind.__new__(kind, *args)
    made.__dict__.update(more)
    return made


def _session(workers: int | None) -> SparkSession:
    if _ABSENT is not None:
        wanted = f"want the package {_ABSENT}, which is not installed (pip install 'watchkeeper[spark]')"
        raise PlatformError(f"start Spark: {wanted}", retryable=False)
    if active := SparkSession.getActiveSession():
        return active
    builder = SparkSession.builder.appName("watchkeeper").config("spark.ui.showConsoleProgress", "false")
    if (
        "PYSPARK_GATEWAY_PORT" not in os.environ
    ):  # spark-submit has not started us, so the driver is made here
        builder = builder.master(os.environ.get("SPARK_MASTER") or f"local[{workers or '*'}]")
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        _expect_java()
    try:
        with _quiet():
            return builder.getOrCreate()
    except (Py4JError, PySparkException) as error:
        raise PlatformError(f"start Spark: {_reason(error)}", retryable=True) from None


def _expect_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else "java"
    if shutil.which(java) is None:
        raise PlatformError(
            f"start Spark: want Java 17 or newer, found no program {java} (JAVA_HOME says where)",
            retryable=False,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Spark's own log goes nowhere: its processes keep the standard error they were started with.

    What fails is told by the errors that are raised.
    """
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _reason(error: Exception) -> str:
    """Of what Spark says, the error of the Python code where there is one, else the first line."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines[1:] if not line.startswith((" ", "\t")) and "Error" in line.split(":")[0]]
    return (told or lines or [type(error).__name__])[0]

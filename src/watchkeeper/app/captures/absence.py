"""Why there is nothing to judge: nobody asked, capture is off, or the records are where nobody looks.

Each cause has a check; what a monitor says of a window without records is the first that is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from watchkeeper.app.captures.changes import changes
from watchkeeper.app.captures.rows import Source
from watchkeeper.app.setup.check import Check, Finding
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.errors import DeniedError
from watchkeeper.core.ports import ANY, Store
from watchkeeper.core.values import CaptureRecord, Status
from watchkeeper.core.windows import Window, hour_folder, utc_text
from watchkeeper.readers.records import read_capture_lines

PERMISSION, CAPTURE, PLACE, CLOCK, REQUESTS = "permission", "capture", "place", "clock", "requests"
_CAUSES: Mapping[str, Status] = MappingProxyType(
    {
        PERMISSION: Status.NO_PERMISSION,
        CAPTURE: Status.CAPTURE_OFF,
        PLACE: Status.WRONG_PREFIX,
        CLOCK: Status.CLOCK_SKEW,
    }
)
_PLACES = 3  # other places that are named
SLACK = timedelta(minutes=5)  # by which two clocks may differ
_SAMPLE = 200  # files whose records' times are looked at


def why_nothing(books: Books, source: Source) -> tuple[Status, str]:
    """The status of a window that gives no row, and its reason with the command to check it."""
    checks = capture_checks(books, source)
    wrong = next((each for each in checks if each.finding is Finding.WRONG), None)
    span = f"--from {utc_text(source.window.start)} --to {utc_text(source.window.end)}"
    again = f"`watchkeeper capture check --for {source.environment} {span}` looks again"
    there = checks[-1]
    if wrong is None and there.what == REQUESTS and there.finding is Finding.FINE:
        return Status.INSUFFICIENT_DATA, f"{there.found}, none of which can be used as rows; {again}"
    if wrong is None:
        return Status.NO_TRAFFIC, f"no request was captured in the window; {again}"
    return _CAUSES[wrong.what], f"{wrong.found}; {again}"


def capture_checks(books: Books, source: Source) -> tuple[Check, ...]:
    """Whether the window's records may be read, are captured, lie where they should and are of its time."""
    own = f"captures/{source.environment}/"
    try:
        keys = _in_window(books.store, f"{own}{ANY}/{source.endpoint}/{ANY}/", source.window)
        if keys:
            books.store.read(keys[0])
    except DeniedError as error:
        mend = f"let whoever runs monitors read {own}"
        return (Check(PERMISSION, Finding.WRONG, f"the records may not be read: {error}", mend),)
    times = _times(books.store, keys)
    return (
        Check(PERMISSION, Finding.FINE, f"{len(keys):,} files of the window may be read"),
        _capture(books, source),
        _place(books, source, keys),
        _clock(source.window, times),
        _requests(sum(time in source.window for time in times)),
    )


def _capture(books: Books, source: Source) -> Check:
    """Whether it was on, by the project file and by what the server put on record."""
    sampling = books.project.environment(source.environment).environments[source.environment].capture.sampling
    if sampling == 0:
        place = f"environments.{source.environment}.capture.sampling"
        return Check(CAPTURE, Finding.WRONG, f"{place} is 0", f"set {place} above 0")
    before = [each for each in changes(books.store, source.endpoint) if each.time < source.window.end]
    if before and before[-1].off and before[-1].time <= source.window.start + SLACK:
        said = f"capture is off since {utc_text(before[-1].time)}: {before[-1].why}"
        return Check(CAPTURE, Finding.WRONG, said, "make room on the spool's disk")
    return Check(CAPTURE, Finding.FINE, f"{sampling} % of requests are captured")


def _place(books: Books, source: Source, keys: Sequence[str]) -> Check:
    """Whether files of the window lie somewhere else than they are looked for."""
    where = f"captures/{source.environment}/schema-v…/{source.endpoint}/"
    if keys:
        return Check(PLACE, Finding.FINE, f"{len(keys):,} files below {where}")
    project = books.project
    ours = {(name, project.endpoint(name)) for name in project.environments}
    elsewhere = Counter(
        "/".join(key.split("/")[:-5]) + "/"
        for key in _elsewhere(books.store, source)
        if not _is_ours(key.split("/"), ours)
    )
    if not elsewhere:
        return Check(PLACE, Finding.MISSING, f"no file of the window below {where}, nor elsewhere")
    named = ", ".join(f"{place} ({count:,})" for place, count in elsewhere.most_common(_PLACES))
    said = f"no file of the window below {where}, and some below {named}"
    mend = (
        "`watchkeeper capture import` brings them to where they belong, or name the endpoint as it is there"
    )
    return Check(PLACE, Finding.WRONG, said, mend)


def _is_ours(parts: Sequence[str], ours: set[tuple[str, str]]) -> bool:
    """Whether it is where an environment of this project looks."""
    return (parts[1], parts[3]) in ours if len(parts) > 3 else False


def _clock(window: Window, times: Sequence[datetime]) -> Check:
    """Whether records in the window's files are of another time: who wrote them goes by another clock."""
    outside = sorted(time for time in times if time not in window)
    if not outside or len(outside) < len(times):
        return Check(CLOCK, Finding.FINE, "records are of their files' time")
    middle = outside[len(outside) // 2]
    off = middle - window.end if middle >= window.end else middle - window.start
    way = "ahead" if off > timedelta() else "behind"
    said = (
        f"all {len(outside):,} records in the window's files are of another time, {utc_text(outside[0])} to "
        f"{utc_text(outside[-1])}: the clock of who wrote them is {way} by {_span(abs(off))} or more"
    )
    return Check(CLOCK, Finding.WRONG, said, "set the clock (NTP) where requests are answered")


def _requests(count: int) -> Check:
    if count:
        return Check(REQUESTS, Finding.FINE, f"{count:,} records of the window")
    mend = "`watchkeeper traffic replay` sends some; callers may ask another endpoint"
    return Check(REQUESTS, Finding.MISSING, "none: nobody asked, as far as records tell", mend)


def _span(length: timedelta) -> str:
    minutes = length.total_seconds() / 60
    return f"{minutes:,.0f} minutes" if minutes < 120 else f"{minutes / 60:,.1f} hours"


def _in_window(store: Store, folder: str, window: Window) -> list[str]:
    """The keys below the folder that lie in an hour of the window, listed day by day."""
    hours = {hour_folder(hour) for hour in window.hours()}
    days = sorted({hour.rpartition("/")[0] for hour in hours})
    keys = (key for day in days for key in store.list(f"{folder}{day}/"))
    return [key for key in keys if "/".join(key.split("/")[-5:-1]) in hours]


def _elsewhere(store: Store, source: Source) -> Iterator[str]:
    """Files of the window where a slip would put them, and where SageMaker's own layout does."""
    for place in (
        f"captures/{source.environment}/{ANY}/{ANY}/{ANY}/",  # another endpoint's name
        f"captures/{ANY}/{ANY}/{source.endpoint}/{ANY}/",  # another environment's
        f"captures/{source.endpoint}/{ANY}/",  # no environment, as SageMaker writes
    ):
        yield from _in_window(store, place, source.window)


def _times(store: Store, keys: Sequence[str]) -> list[datetime]:
    """The times of the records in a sample of the files, spread over them."""
    step = max(1, len(keys) // _SAMPLE)
    return [
        item.time
        for key in keys[::step]
        for _, item in read_capture_lines(key, store.read(key))
        if isinstance(item, CaptureRecord)
    ]

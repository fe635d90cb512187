"""A customer of Model Monitor comes over: schedules, baselines and constraints become a project's.

Nothing of theirs is changed. The project file is drafted from what the constraints know of the columns; the
baselines' files are taken as they are, to be imported and approved; and what will not be as it was is said,
each with its reason.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from watchkeeper.adapters.aws.model_monitor import ModelMonitor
from watchkeeper.adapters.aws.store import S3Store
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.setup.drafting import DraftColumn, column_blocks, project_name, with_blocks
from watchkeeper.app.setup.init import BLANK, template_folder
from watchkeeper.app.setup.project import FILE, load_project
from watchkeeper.core.cron import Cron
from watchkeeper.core.errors import InputError, WatchkeeperError
from watchkeeper.core.values import ColumnType, Role
from watchkeeper.monitors.data_quality_values import DataQualityConstraints
from watchkeeper.readers.contract import data_quality_constraints
from watchkeeper.readers.monitoring_schedules import CustomerSchedule, customer_schedule

_CONSTRAINTS, _STATISTICS = "constraints.json", "statistics.json"
_NUMBERS = (ColumnType.INTEGRAL, ColumnType.FRACTIONAL)
_QUALITY = "model-quality"
_HOURLY = "cron(0 * ? * * *)"
_ENVIRONMENT = "prod"  # what a customer has of it is in production


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose endpoint, what its time and label columns are called, and where the project is to be."""

    endpoint: str
    time: str
    label: str
    folder: Path
    region: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What will not be as it was, and why; `what` is a schedule or a setting."""

    what: str
    theirs: str
    ours: str
    why: str


@dataclass(frozen=True, slots=True)
class Migrated:
    """The files that were written, and what will differ."""

    schedules: tuple[CustomerSchedule, ...]
    files: tuple[str, ...]
    differences: tuple[Difference, ...]


def migrate(service: ModelMonitor, s3: object, asked: Asked) -> Migrated:
    """Read what Model Monitor has of an endpoint, and write a project beside it.

    Raises InputError where the endpoint has no schedule, its data-quality constraints cannot be had, and
    for a folder that holds a project; nothing is written then.
    """
    if (asked.folder / FILE).exists():
        raise InputError(f"migrate into {asked.folder}: want a folder without {FILE}, it has one")
    found, differences = _schedules(service, asked.endpoint)
    files, missing = _baselines(s3, found)
    quality = next((each for each in found if each.monitor == "data-quality"), None)
    name = f"baselines/data-quality/{_CONSTRAINTS}"
    if quality is None or name not in files:
        raise InputError(
            f"migrate {asked.endpoint}: want a data-quality schedule with constraints, from which the "
            f"columns are known; got {', '.join(each.name for each in found)}"
        )
    constraints = data_quality_constraints(files[name], quality.constraints)
    files[FILE] = _project_text(asked, found, constraints).encode()
    with tempfile.TemporaryDirectory() as scratch:  # what is written is a project
        (Path(scratch) / FILE).write_bytes(files[FILE])
        load_project(Path(scratch))
    store = FolderStore(asked.folder.resolve())
    for place, data in sorted(files.items(), key=lambda each: each[0] == FILE):  # which counts, last
        store.write(place, data)
    said = (*differences, *missing, *_differences(found, constraints))
    return Migrated(tuple(found), tuple(sorted(files)), tuple(said))


def _schedules(service: ModelMonitor, endpoint: str) -> tuple[list[CustomerSchedule], list[Difference]]:
    found, left = [], []
    for schedule, definition in service.schedules(endpoint):
        try:
            found.append(customer_schedule(schedule, definition))
        except ValueError as error:
            left.append(Difference(schedule["MonitoringScheduleName"], "watched", "left out", str(error)))
    if not found:
        raise InputError(f"migrate {endpoint}: want schedules of Model Monitor on that endpoint, got none")
    return found, left


def _baselines(s3: object, found: Sequence[CustomerSchedule]) -> tuple[dict[str, bytes], list[Difference]]:
    """Each baseline's files as they are, and those that cannot be read."""
    files: dict[str, bytes] = {}
    missing = []
    for each in found:
        for name, place in ((_CONSTRAINTS, each.constraints), (_STATISTICS, each.statistics)):
            if not place:
                continue
            where = urlsplit(place)
            try:
                files[f"baselines/{each.monitor}/{name}"] = S3Store(s3, where.netloc).read(
                    where.path.lstrip("/")
                )
            except WatchkeeperError as error:
                missing.append(Difference(f"{each.name}, {name}", place, "not taken", str(error)))
    return files, missing


def _project_text(
    asked: Asked, found: Sequence[CustomerSchedule], constraints: DataQualityConstraints
) -> str:
    """The blank template with the customer's columns and schedules."""
    template = (template_folder(BLANK) / FILE).read_text(encoding="utf-8")
    text = with_blocks(
        template, column_blocks(project_name(asked.folder), list(_columns(asked, constraints)))
    )
    monitors = "monitors:    # as Model Monitor had them\n" + "".join(map(_monitor, _watched(found)))
    environments = f"environments:\n  {_ENVIRONMENT}: {{}}\n"
    text = with_blocks(text, {"monitors": monitors, "environments": environments})
    aws = f"targets:\n  local: {{}}\n  aws: {{region: {asked.region}, schedule: eventbridge}}\n"
    return f"{text.rstrip()}\n\n{aws}"


def _columns(asked: Asked, constraints: DataQualityConstraints) -> Iterator[DraftColumn]:
    yield DraftColumn(asked.time, Role.TIME, "month")
    for each in constraints.features:
        if each.name not in (asked.time, asked.label):
            kind = "number" if each.inferred_type in _NUMBERS else "mean_target"
            yield DraftColumn(each.name, Role.FEATURE, kind)
    yield DraftColumn(asked.label, Role.LABEL)


def _one_each(found: Sequence[CustomerSchedule]) -> list[CustomerSchedule]:
    """The first schedule of each monitor that a project can be told of as it is."""
    once: dict[str, CustomerSchedule] = {}
    for each in found:
        if each.monitor in ("data-quality", _QUALITY):
            once.setdefault(each.monitor, each)
    return list(once.values())


def _watched(found: Sequence[CustomerSchedule]) -> list[CustomerSchedule]:
    """Those that are taken, and model quality beside data quality where the customer had none of it."""
    taken = _one_each(found)
    if any(each.monitor == _QUALITY for each in taken):
        return taken
    return [*taken, replace(taken[0], monitor=_QUALITY, offset_hours=24)]


def _monitor(schedule: CustomerSchedule) -> str:
    labels = f", bootstrap: 1000, labels: {{delay: {schedule.offset_hours} hours}}"
    own = labels if schedule.monitor == _QUALITY else ""
    return f'  {schedule.monitor}: {{schedule: "{_expression(schedule)}", min_rows: 100{own}}}\n'


def _expression(schedule: CustomerSchedule) -> str:
    try:
        return Cron.parse(schedule.expression).text
    except ValueError:  # `NOW`, or nothing: a time that AWS picks
        return _HOURLY


def _differences(
    found: Sequence[CustomerSchedule], constraints: DataQualityConstraints
) -> Iterator[Difference]:
    taken = _one_each(found)
    for each in found:
        if each not in taken:
            why = "bias and explainability want settings of the model's own: `monitors:` in the project file"
            again = f"one schedule of {each.monitor} a project is taken"
            told = again if each.monitor in ("data-quality", _QUALITY) else why
            yield Difference(each.name, each.monitor, "left out", told)
        if _expression(each) != each.expression:
            why = "Model Monitor picks the time, or runs it once"
            yield Difference(each.name, each.expression or "no expression", _HOURLY, why)
        if each.status == "Stopped":
            yield Difference(each.name, "Stopped", "runs", "a project's schedules run while it has them")
        for extra in each.extras:
            why = "a project's monitors read columns by their roles; `watchkeeper analyze` still runs scripts"
            yield Difference(each.name, extra, "not used", why)
    if len(_watched(found)) > len(taken):
        why = "labels show what inputs do not; take it out of `monitors:` where none ever come"
        yield Difference(_QUALITY, "not watched", "watched, labels a day later", why)
    yield from _of_checks(constraints)


def _of_checks(constraints: DataQualityConstraints) -> Iterator[Difference]:
    """What the same constraints come to here (docs/reference/data-quality-checks.md)."""
    distribution = constraints.monitoring_config.distribution
    yield Difference(
        "drift of numbers",
        f"{distribution.comparison_method} distance over {distribution.comparison_threshold:g}",
        "Wasserstein's distance, in shares of the baseline's spread",
        "the closed analyzer's distance is moved by repeated values; WATCHKEEPER_MODE=compatible keeps it",
    )
    yield Difference(
        "an empty window",
        "a failed execution",
        "an execution without a verdict, with its reason",
        "nobody asked, capture is off and labels that are late are different things",
    )
    yield Difference(
        "baselines",
        "used as they lie",
        "imported, approved by a person, and judged by version",
        "`watchkeeper baseline suggest` and `approve`; who approved what is on record",
    )

"""Two baselines of a monitor beside each other: what would change, in words and in pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace

from watchkeeper.app.baselines.making import files_of
from watchkeeper.app.files.column_distributions import column_distribution
from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.registry.baselines import (
    BaselineRecord,
    Baselines,
    baseline_record,
    baselines,
    check_monitor,
    how_to_get_one,
)
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.setup.project import Project
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Store
from watchkeeper.monitors import data_quality
from watchkeeper.monitors.data_quality_diff import Change
from watchkeeper.readers import contract as read
from watchkeeper.render.baseline_page import BaselineDiffView, baseline_page
from watchkeeper.render.charts import Distribution


@dataclass(frozen=True, slots=True)
class BaselineDiff:
    """What the baseline `after` says otherwise than `before`."""

    before: BaselineRecord
    after: BaselineRecord
    changes: tuple[Change, ...]


def baseline_diff(store: Store, before: BaselineRecord, after: BaselineRecord) -> BaselineDiff:
    """Compare two baselines of one monitor. Raises IntegrityError when a file is not as it was written."""
    changes = JUDGES[before.monitor].diff(files_of(store, before), files_of(store, after))
    return BaselineDiff(before, after, changes)


def chosen(
    project: Project, store: Store, monitor: str, versions: tuple[int | None, int | None], environment: str
) -> tuple[BaselineRecord, BaselineRecord]:
    """The two to compare; what is not given is the one in use in an environment, and the newest.

    The newest is that of the model version that the environment serves. Raises InputError when a version
    is not on record, or there is none in use or none but that one.
    """
    check_monitor(project, monitor)
    project.environment(environment)
    before, after = (baseline_record(store, monitor, each) if each else None for each in versions)
    known = baselines(store, monitor)
    if before is None:
        before = _in_use(store, known, monitor, environment)
    if after is None:
        after = _newest(known, before)
    return before, after


def diff_page(project: Project, store: Store, found: BaselineDiff) -> str:
    """The comparison as one HTML page, with both distributions of each changed column."""
    view = BaselineDiffView(
        project=project.name,
        monitor=found.before.monitor,
        before=_titled(found.before),
        after=_titled(found.after),
        changes=tuple((change.column, change.what) for change in found.changes),
        distributions=_distributions(store, found),
        classification=project.classification,
    )
    return baseline_page(view)


def _in_use(store: Store, known: Baselines, monitor: str, environment: str) -> BaselineRecord:
    serving = catalogue(store).serving(environment)
    if serving is None:
        raise InputError(
            f"find the {monitor} baseline in use in {environment}: no model serves there; name two versions"
        )
    record = known.in_use(serving.version, environment)
    if record is None:
        wanted = how_to_get_one(known, monitor, serving.version, environment)
        raise InputError(
            f"find the {monitor} baseline in use in {environment}: none of model v{serving.version} is "
            f"approved: {wanted}"
        )
    return record


def _newest(known: Baselines, before: BaselineRecord) -> BaselineRecord:
    newest = known.of_model(before.model_version)[-1]
    if newest == before:
        raise InputError(
            f"compare {before.name}: it is the newest of model v{before.model_version}, there is none to "
            f"compare it with; `watchkeeper baseline suggest {before.monitor} --for-model "
            f"{before.model_version} …` makes one"
        )
    return newest


def _titled(record: BaselineRecord) -> str:
    return f"v{record.version} of model v{record.model_version}: {record.rows:,} rows, {record.source}"


def _distributions(store: Store, found: BaselineDiff) -> tuple[Distribution, ...]:
    """Of each column that a change is about; empty for a monitor without columns."""
    if found.before.monitor != data_quality.MONITOR.name:
        return ()
    before, after = (
        read.data_quality_statistics(files_of(store, each).statistics, f"{each.folder}statistics.json")
        for each in (found.before, found.after)
    )
    changed = dict.fromkeys(change.column for change in found.changes)
    return tuple(
        replace(drawn, series=(f"v{found.before.version}", f"v{found.after.version}"))
        for feature in after.features
        if feature.name in changed
        and (earlier := before.feature(feature.name)) is not None
        and (drawn := column_distribution(earlier, feature)) is not None
    )

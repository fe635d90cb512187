"""Suggest a baseline for a model version that is on record: from a file, its training run, or windows."""

from __future__ import annotations

from pathlib import Path

from watchkeeper.app.baselines.making import BaselineFor, BaselineRows, keep_suggestion
from watchkeeper.app.baselines.sources import rows_of_file, rows_of_training
from watchkeeper.app.baselines.windows import WindowChoice, rows_of_windows
from watchkeeper.app.registry.baselines import BaselineRecord, ChosenWindow, check_monitor
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.setup.sections import MonitorSection
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.errors import Refused
from watchkeeper.core.values import Actor

LISTED = 5  # windows left out that a refusal names


def suggest_baseline(
    target: Target, wanted: BaselineFor, source: Path | WindowChoice | None, actor: Actor
) -> BaselineRecord:
    """Put a new baseline on record, waiting for approval; without a source from the training run again.

    Raises Refused when fewer rows are left than the monitor's `min_rows`, and InputError for a monitor,
    model version, file or range that is not there, and for rows that nothing can be learnt from.
    """
    check_monitor(target.project, wanted.monitor)
    catalogue(target.store).version(wanted.model_version)
    rows = _rows(target, wanted, source)
    least = _section(target, wanted.monitor, source).min_rows
    if rows.frame.height < least:
        raise Refused(
            f"suggest a {wanted.monitor} baseline for model v{wanted.model_version}: want at least "
            f"{least:,} rows, got {rows.frame.height:,} from {rows.source}{_left_out(rows.origin.windows)}"
        )
    return keep_suggestion(target, wanted, rows, actor)


def _rows(target: Target, wanted: BaselineFor, source: Path | WindowChoice | None) -> BaselineRows:
    match source:
        case WindowChoice():
            return rows_of_windows(target, wanted, source)
        case Path():
            return rows_of_file(target, wanted, source)
    return rows_of_training(target, wanted.model_version)


def _section(target: Target, monitor: str, source: Path | WindowChoice | None) -> MonitorSection:
    settings = target.project.settings
    if isinstance(source, WindowChoice):
        settings = target.project.environment(source.environment)
    return next(section for name, section in settings.monitors.items() if name == monitor)


def _left_out(windows: tuple[ChosenWindow, ...]) -> str:
    left = [f"{each.window}: {each.note}" for each in windows if not each.used]
    if not left:
        return ""
    more = f" and {len(left) - LISTED} more" if len(left) > LISTED else ""
    return f"; left out {'; '.join(left[:LISTED])}{more}"

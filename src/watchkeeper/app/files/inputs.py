"""What an analysis of files reads: data of one layout, and a baseline that is files of ours or data too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from watchkeeper.app.files.analysis import Analysis, AnalysisRequest, Tools, Yardstick, analyse
from watchkeeper.app.files.profiling import DataSet
from watchkeeper.app.files.suggestion import Suggestion
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.values import Schema
from watchkeeper.core.windows import Window
from watchkeeper.readers.blobs import Blob, blobs_of, with_content
from watchkeeper.readers.manifests import is_manifest, manifest_base, manifest_blobs
from watchkeeper.readers.parts import CaptureLayout, CsvLayout, JsonLayout, Layout, Limits, layout_of

STATISTICS, CONSTRAINTS = "statistics.json", "constraints.json"


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are to be read, beyond what their content says.

    `header` says whether CSV files begin with their columns' names. Of captures only records inside the
    window are read, and with a schema only payloads that fit it. A line longer than `limits` say is a bad
    line, and a JSON document longer than that is refused.
    """

    header: bool | None = None
    schema: Schema | None = None
    window: Window | None = None
    limits: Limits = field(default_factory=Limits)


_BY_CONTENT = Reading()


def data_set(paths: Sequence[str], reading: Reading = _BY_CONTENT) -> DataSet:
    """The files, and those in the folders, as one data set.

    A batch transform's manifest stands for the files it names. Raises InputError for
    a path that is not there or must not be read, for empty files alone, and for files of several layouts.
    """
    blobs = tuple(blob for each in blobs_of(paths) for blob in _named(each))
    filled, _ = with_content(blobs)
    layouts = [_layout(blob, reading) for blob in filled]
    for blob, layout in zip(filled, layouts, strict=True):
        if layout != layouts[0]:
            raise InputError(
                f"read {_words(paths)}: want files of one layout, got {_kind(layouts[0])} in "
                f"{filled[0].name} and {_kind(layout)} in {blob.name}"
            )
    return DataSet(_words(paths), blobs, layouts[0], reading.limits)


def yardstick(path: str, reading: Reading, mode: Mode, tools: Tools) -> tuple[Yardstick, Analysis | None]:
    """A baseline, and what was read for it: a folder with its two files, or data to be profiled now.

    Raises InputError for a folder that has only one of the two, and for data without a row.
    """
    folder = Path(path)
    held = [name for name in (STATISTICS, CONSTRAINTS) if _is_file(folder / name)]
    if len(held) == 1:
        raise InputError(f"read baseline {path}: want {STATISTICS} and {CONSTRAINTS}, got {held[0]} alone")
    if held:
        files = Suggestion.of(_text(folder / STATISTICS), _text(folder / CONSTRAINTS))
        return Yardstick(path, files), None
    known = replace(reading, window=None)
    found = analyse(AnalysisRequest(data_set([path], known), schema=reading.schema, mode=mode), tools)
    if not found.analysis.rows:
        raise InputError(f"read baseline {path}: want rows, got {found.analysis.reason}")
    return Yardstick(path, found.files), found.analysis


def _named(blob: Blob) -> Sequence[Blob]:
    return manifest_blobs(blob, manifest_base(Path(blob.name))) if is_manifest(blob) else [blob]


def _layout(blob: Blob, reading: Reading) -> Layout:
    found = layout_of(blob)
    match found:
        case CsvLayout(joined=True):
            return CsvLayout(header=False, names=_scored_names(reading.schema), joined=True)
        case CsvLayout() if reading.header is not None:
            return CsvLayout(reading.header, () if reading.header else _names(reading.schema))
        case CsvLayout(header=False):
            return CsvLayout(header=False, names=_names(reading.schema))
        case CaptureLayout():
            return CaptureLayout(reading.schema, reading.window)
    return found


def _names(schema: Schema | None) -> tuple[str, ...]:
    return tuple(column.name for column in schema.columns) if schema else ()


def _scored_names(schema: Schema | None) -> tuple[str, ...]:
    """The columns of rows joined with their answers."""
    return (*(column.name for column in schema.inputs), schema.prediction.name) if schema else ()


def _kind(layout: Layout) -> str:
    match layout:
        case CsvLayout(header):
            return f"CSV {'with' if header else 'without'} a header"
        case JsonLayout(lines):
            return "JSON Lines" if lines else "one JSON document"
        case CaptureLayout():
            return "captures"
    return "Parquet"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError:
        raise InputError(f"read baseline {path}: no permission; want a folder this user may read") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"read baseline {path}: want UTF-8 text, got other bytes") from None
    except PermissionError:
        raise InputError(f"read baseline {path}: no permission; want a file this user may read") from None
    except OSError as error:
        raise PlatformError(f"read baseline {path}: {error.strerror or error}", retryable=True) from error


def _words(paths: Sequence[str]) -> str:
    """What people call the data: the path, or the first one and how many more."""
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"

"""Captured records with their labels beside them, as files: the contract's merge job, in bounded memory.

Both sides are cut into parts by a hash of the id they are joined by, on disk; each part is joined in memory,
and what was found is put back into the records' order while they are read a second time. So neither side has
to fit into memory, and how they were cut changes nothing in what is written.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from watchkeeper.adapters.local.spill import Runs
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import Progress
from watchkeeper.readers.blobs import Blob
from watchkeeper.readers.blocks import blocks, text_pieces
from watchkeeper.readers.capture_ids import capture_ids, merged
from watchkeeper.readers.label_records import truths
from watchkeeper.readers.lines import Lines, batches_of_pieces
from watchkeeper.readers.part_values import Limits
from watchkeeper.readers.records import BadLine, bad_line

PART_BYTES = 64 * 1024 * 1024  # of labels; what a part takes in memory is a few times that
MOST_PARTS = 512
SHOWN = 5  # bad lines of each side
_TIME = pl.Datetime("us", "UTC")
_TRUTHS = pl.DataFrame(
    schema={
        "_join_id": pl.String(),
        "_collected_at": _TIME,
        "_record": pl.Int64(),
        "said": pl.String(),
        "truth": pl.String(),
        "_count": pl.Int64(),
    }
)
_IDS = pl.DataFrame(
    schema={
        "_join_id": pl.String(),
        "_batch": pl.Int64(),
        "_object": pl.Int64(),
        "_line": pl.Int64(),
        "_plain": pl.Boolean(),
    }
)
_FOUND = pl.DataFrame(
    schema={"_object": pl.Int64(), "_line": pl.Int64(), "_plain": pl.Boolean(), "truth": pl.String()}
)
_SIDES = {"labels": "labels", "captures": "records"}
_CHANGED = "merge labels: the capture files changed while they were read; run it again"
Write = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """What is merged: capture files and ground-truth files, and the folder that is the root of the first.

    `parts` is into how many the join is cut, None for as many as the labels need; `scratch` is where they
    lie meanwhile, None for the system's temporary folder.
    """

    captures: Sequence[Blob]
    ground_truth: Sequence[Blob]
    root: str
    parts: int | None = None
    scratch: Path | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did. Of several labels for one id the one collected last counted.

    `records` were captured, `merged` of them have labels now and are written; `repeated` are records whose id
    an earlier one carries too. `unknown` are ids with labels and no record, `duplicates` label records that
    gave way to a later one, `conflicting` ids whose label records do not say the same.
    """

    records: int
    merged: int
    repeated: int
    labels: int
    unknown: int
    duplicates: int
    conflicting: int
    files: int
    bad_records: int
    bad_labels: int
    bad: tuple[BadLine, ...]

    @property
    def unlabelled(self) -> int:
        """Records that were left out, since no label is theirs."""
        return self.records - self.merged


@dataclass(slots=True)
class _Job:
    """A merge at work, and what it has counted so far."""

    request: MergeRequest
    folder: Path
    report: Callable[[Progress], None]
    counts: Counter[str] = field(default_factory=Counter)
    bad: dict[str, list[BadLine]] = field(default_factory=dict)

    def add(self, **counts: int) -> None:
        self.counts.update(counts)

    def skip(self, side: str, lines: Sequence[BadLine]) -> None:
        self.counts[f"bad_{side}"] += len(lines)
        held = self.bad.setdefault(side, [])
        held += lines[: SHOWN - len(held)]

    def done(self) -> Merged:
        counts = self.counts
        return Merged(
            records=counts["records"],
            merged=counts["merged"],
            repeated=counts["repeated"],
            labels=counts["labels"],
            unknown=counts["unknown"],
            duplicates=counts["duplicates"],
            conflicting=counts["conflicting"],
            files=counts["files"],
            bad_records=counts["bad_records"],
            bad_labels=counts["bad_labels"],
            bad=tuple(line for side in self.bad.values() for line in side),
        )


def merge_to_folder(
    request: MergeRequest, output: Path, report: Callable[[Progress], None] = lambda _: None
) -> Merged:
    """Merge into files below a folder, in the hours of the captures; all of them appear, or none.

    Running it again on the same files writes the same ones. Raises InputError when no record has a label, and
    for a folder that holds merged files of something else.
    """
    staging = output / f".merging-{uuid.uuid4().hex}"
    store, names = FolderStore(staging), []

    def write(name: str, data: bytes) -> None:
        store.write(name, data)
        names.append(name)

    try:
        done = merge(request, write, report)
        others = sorted({each.relative_to(output).as_posix() for each in _parts_in(output)} - set(names))
        if others:
            raise InputError(
                f"merge labels into {output}: want a folder without other merged files, got {others[0]}"
                f"{f' and {len(others) - 1:,} more' if len(others) > 1 else ''}"
            )
        for name in names:
            (output / name).parent.mkdir(parents=True, exist_ok=True)
            (staging / name).replace(output / name)
    except OSError as error:
        raise PlatformError(
            f"merge labels into {output}: {error.strerror or error}", retryable=True
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return done


def merge(request: MergeRequest, write: Write, report: Callable[[Progress], None] = lambda _: None) -> Merged:
    """Merge, handing each file's name, from the captures' root on, and its content to `write`.

    Lines that cannot be used are counted and left out. Raises InputError when no record has a label.
    """
    with tempfile.TemporaryDirectory(prefix="watchkeeper-merge-", dir=request.scratch) as name:
        job = _Job(request, Path(name), report)
        parts = request.parts or _parts(request.ground_truth)
        labels = _labels(job, Runs(job.folder / "labels", parts))
        ids, batches_ = _ids(job, Runs(job.folder / "ids", parts))
        found = _joined(job, (labels, ids), Runs(job.folder / "found", max(batches_, 1)))
        if not job.counts["merged"]:
            raise InputError(_nothing(job))
        _written(job, found, write)
        return job.done()


def _parts(blobs: Sequence[Blob]) -> int:
    return min(max(sum(blob.size() for blob in blobs) // PART_BYTES, 1), MOST_PARTS)


def _nothing(job: _Job) -> str:
    records, labels = (job.counts[name] for name in ("records", "labels"))
    return (
        f"merge labels: no captured record has a label: {records:,} records in "
        f"{len(job.request.captures):,} files, {labels:,} labels in {len(job.request.ground_truth):,}"
    )


def _labels(job: _Job, runs: Runs) -> Runs:
    """Label records by part. Of those of one id that say the same, the last of a batch stands for all."""
    start = 0
    for lines in _batches(job, "labels", job.request.ground_truth):
        found, bad = truths(lines)
        job.skip("labels", bad)
        job.add(labels=found.height)
        found = found.with_columns(_record=pl.int_range(pl.len(), dtype=pl.Int64) + start)
        start += found.height
        few = (
            found.sort("_collected_at", "_record", nulls_last=False)
            .group_by("_join_id", "said")
            .agg(pl.col("_collected_at", "_record", "truth").last(), pl.len().cast(pl.Int64).alias("_count"))
            .select(_TRUTHS.columns)
        )
        runs.add(few, _part_of(few, runs.parts))
    return runs


def _ids(job: _Job, runs: Runs) -> tuple[Runs, int]:
    """Records' ids and places by part, and how many batches there were."""
    number = 0
    for lines in _batches(job, "captures", job.request.captures):
        found, bad = capture_ids(lines)
        job.skip("records", bad)
        job.add(records=found.height)
        placed = found.with_columns(pl.lit(number, dtype=pl.Int64).alias("_batch")).select(_IDS.columns)
        runs.add(placed, _part_of(placed, runs.parts))
        number += 1
    return runs, number


def _part_of(frame: pl.DataFrame, parts: int) -> pl.Series:
    return frame["_join_id"].hash(seed=0) % parts


def _joined(job: _Job, sides: tuple[Runs, Runs], found: Runs) -> Runs:
    """The records that have labels, by the batch they are in."""
    labels, ids = sides
    for part in range(labels.parts):
        told, asked = labels.of(part, _TRUTHS), ids.of(part, _IDS)
        ordered = told.sort("_collected_at", "_record", nulls_last=False)
        counts = ordered.group_by("_join_id").agg(
            pl.col("truth").last(), pl.col("_count").sum(), pl.col("said").n_unique().alias("_said")
        )
        rows = asked.join(counts, on="_join_id", how="inner", maintain_order="left")
        job.add(
            merged=rows.height,
            repeated=asked.height - asked["_join_id"].n_unique(),
            unknown=counts.join(asked, on="_join_id", how="anti").height,
            duplicates=int(counts["_count"].sum()) - counts.height,
            conflicting=counts.filter(pl.col("_said") > 1).height,
        )
        found.add(rows.select(_FOUND.columns), rows["_batch"])
        job.report(Progress("join", part + 1, labels.parts))
    return found


def _written(job: _Job, found: Runs, write: Write) -> None:
    """Read the captures again, and write those that have labels, hour by hour in their order."""
    numbers: Counter[str] = Counter()
    unique = uuid.UUID(hex=digest([(blob.name, blob.size()) for blob in _both(job.request)])[:32])
    batches_ = 0
    for batches_, lines in enumerate(_batches(job, "write", job.request.captures), start=1):
        own = found.of(batches_ - 1, _FOUND) if batches_ <= found.parts else _FOUND
        rows = merged(lines, own.sort("_object", "_line"))
        if rows["line"].null_count():
            raise PlatformError(_CHANGED, retryable=True)
        for folder, texts in _by_folder(rows, lines.keys, job.request.root):
            name = f"{folder}part-{numbers[folder]:05d}-{unique}.c000.jsonl"
            write(name, ("\n".join(texts) + "\n").encode())
            numbers[folder] += 1
    if batches_ != found.parts:
        raise PlatformError(_CHANGED, retryable=True)
    job.add(files=numbers.total())


def _both(request: MergeRequest) -> Iterator[Blob]:
    yield from request.captures
    yield from request.ground_truth


def _by_folder(rows: pl.DataFrame, keys: Sequence[str], root: str) -> Iterator[tuple[str, list[str]]]:
    """Lines by the folder of their file, below the root; folders in the order in which they come."""
    folders = [_folder(key, root) for key in keys]
    named = rows.with_columns(
        pl.Series("_folder", [folders[place] for place in rows["_object"]], dtype=pl.String)
    )
    for group in named.partition_by("_folder", maintain_order=True):
        yield group["_folder"][0], group["line"].to_list()


def _folder(key: str, root: str) -> str:
    path = key.removeprefix(root.rstrip("/") + "/") if root else key
    return f"{path.rpartition('/')[0]}/".lstrip("/")


def _batches(job: _Job, step: str, blobs: Sequence[Blob]) -> Iterator[Lines]:
    """Lines of files some at a time. A line that is too long is counted once, and never read."""
    limits, total, done = job.request.limits, sum(blob.size() for blob in blobs), 0

    def pieces() -> Iterator[tuple[str, bytes, int]]:
        nonlocal done
        for blob in blobs:
            for block in blocks(text_pieces(blob, limits), limits, quotes=False):
                done += block.stop - block.start
                if not block.too_long:
                    yield blob.name, block.data, block.first_line
                elif step != "write":
                    reason = f"want a line of at most {limits.line_bytes:,} bytes"
                    job.skip(_SIDES[step], [bad_line(blob.name, block.first_line, reason, block.data)])

    for lines in batches_of_pieces(pieces()):
        yield lines
        job.report(Progress(step, done, total))


def _parts_in(folder: Path) -> list[Path]:
    hidden = (".", "_")
    return [
        each
        for each in folder.rglob("part-*.jsonl")
        if not any(part.startswith(hidden) for part in each.relative_to(folder).parts[:-1])
    ]

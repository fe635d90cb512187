"""Captures and labels put together in parts on disk say what joining them in memory says."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app.captures.label_folders import captured
from tests.app.captures.label_folders import folders as folders  # the fixture
from tests.readers.label_files import TIME, contents, ids, objects_of
from watchkeeper.app.captures.merging import Merged, MergeRequest, merge, merge_to_folder
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import GroundTruth
from watchkeeper.core.windows import hour_folder
from watchkeeper.readers.blobs import BytesBlob, blobs_of
from watchkeeper.readers.labels import read_labels
from watchkeeper.readers.part_values import Limits
from watchkeeper.readers.records import merged_labels, read_sides
from watchkeeper.render.records import ground_truth_line

SERVICE = (
    b'{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"1","encoding":'
    b'"CSV"},"endpointOutput":{"observedContentType":"text/csv","mode":"OUTPUT","data":"2","encoding":"CSV"}},'
    b'"eventMetadata":{"eventId":"a","inferenceTime":"2020-01-15T12:00:00Z"},"eventVersion":"0"}\n'
)


odd = st.sampled_from(
    [
        b"junk\n",
        b"\n",
        b"{}\n",
        b"\xff\n",
        SERVICE,
        SERVICE.replace(b'"a"', b'"\\u0061"'),
        SERVICE.replace(b'"eventVersion":"0"', b'"eventVersion":"0","groundTruthData":{"data":"old"}'),
        SERVICE.replace(b'{"captureData"', b' {"captureData"'),
        b'{"captureData":{},"eventMetadata":{"eventId":"a"},"eventVersion":"0"}\n',
    ]
)
records = st.one_of(st.tuples(ids, st.one_of(st.none(), ids)).map(lambda each: captured(*each)), odd)
files = st.lists(st.lists(records, max_size=8).map(b"".join), min_size=1, max_size=4)


def blobs(objects: list[tuple[str, bytes]]) -> list[BytesBlob]:
    return [BytesBlob(key, data) for key, data in objects]


def capture_objects(parts: list[bytes]) -> list[tuple[str, bytes]]:
    hours = [hour_folder(TIME + timedelta(hours=n // 2)) for n in range(len(parts))]
    return [
        (f"root/p/all/{hour}/{n}.jsonl", data)
        for n, (hour, data) in enumerate(zip(hours, parts, strict=True))
    ]


@dataclass(slots=True)
class Plain:
    """The join as one would write it with a dict."""

    lines: list[tuple[str, str, tuple[float | str, ...]]] = field(default_factory=list)
    records: int = 0
    repeated: int = 0
    seen: set[str] = field(default_factory=set)


def plainly(captures: list[tuple[str, bytes]], truths: list[tuple[str, bytes]]) -> tuple[Plain, set[str]]:
    labels: dict[str, list[str]] = {}
    for id_, row, text, _ in read_labels(truths).frame.sort("_join_id", "_row").rows():
        assert row == len(labels.setdefault(id_, []))
        labels[id_].append(text)
    found = Plain()
    for key, data in captures:
        for line in data.split(b"\n"):
            try:
                sides = read_sides(line, 0)
            except ValueError:
                continue
            found.records += 1
            found.repeated += sides.join_id in found.seen
            found.seen.add(sides.join_id)
            if sides.join_id in labels:
                own = tuple(map(as_number, labels[sides.join_id]))
                found.lines.append((key.removeprefix("root/").rpartition("/")[0], sides.event_id, own))
    return found, set(labels)


def as_number(text: str | float) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def written(request: MergeRequest) -> tuple[dict[str, bytes], Merged]:
    found: dict[str, bytes] = {}
    return found, merge(request, found.__setitem__)


@settings(deadline=None)
@given(files, contents, st.sampled_from([1, 2, 7]), st.sampled_from([300, 8 << 20]))
def test_merging_in_parts_is_joining_by_a_dict(
    parts: list[bytes], truths: list[bytes], cut: int, chunk: int
) -> None:
    captures, labels = capture_objects(parts), objects_of(truths)
    wanted, labelled = plainly(captures, labels)
    request = MergeRequest(blobs(captures), blobs(labels), "root", cut, limits=Limits(chunk_bytes=chunk))
    if not wanted.lines:
        with pytest.raises(InputError, match="no captured record has a label"):
            written(request)
        return
    texts, done = written(request)
    lines = []
    for name, data in texts.items():
        assert data.endswith(b"\n")
        for line in data.splitlines():
            assert list(json.loads(line))[:2] == ["eventVersion", "groundTruthData"]
            sides = read_sides(line, 0)
            lines.append(
                (name.rpartition("/")[0], sides.event_id, tuple(map(as_number, merged_labels(sides.truth))))
            )
    assert sorted(lines, key=lambda each: each[0]) == sorted(wanted.lines, key=lambda each: each[0])
    expected = read_labels(labels)
    assert (done.records, done.merged, done.repeated) == (wanted.records, len(lines), wanted.repeated)
    assert (done.duplicates, done.conflicting) == (expected.duplicates, expected.conflicting)
    assert done.unknown == len(labelled - wanted.seen)
    assert done.bad_labels == len(expected.bad)
    assert done.files == len(texts)


def test_a_merged_record_is_spelled_as_the_contract_has_it() -> None:
    truth = ground_truth_line(GroundTruth("a", (1.0, 2.0)), TIME)
    texts, _ = written(
        MergeRequest([BytesBlob("e/v/2020/01/15/12/x.jsonl", SERVICE)], [BytesBlob("g.jsonl", truth)], "")
    )
    ((name, line),) = texts.items()
    assert re.fullmatch(r"e/v/2020/01/15/12/part-00000-[0-9a-f-]{36}\.c000\.jsonl", name)
    assert line == (
        b'{"eventVersion":"0","groundTruthData":{"data":"{\\"instances\\":[{\\"label\\":1},{\\"label\\":2}]}",'
        b'"encoding":"JSON"},' + SERVICE[1:].replace(b',"eventVersion":"0"}\n', b"}\n")
    )


def test_lines_are_numbered_in_their_file_wherever_it_was_cut() -> None:
    lines = [captured(f"e{n}", None) for n in range(20)]
    lines[13], lines[17] = b"junk\n", b"\xff\n"
    truths = [ground_truth_line(GroundTruth(f"e{n}", (float(n),)), TIME) for n in range(20)]
    truths[11] = b"[]\n"
    request = MergeRequest(
        [BytesBlob("c.jsonl", b"".join(lines))],
        [BytesBlob("g.jsonl", b"".join(truths))],
        "",
        limits=Limits(chunk_bytes=700),
    )
    _, done = written(request)
    assert [(bad.key, bad.line_number) for bad in done.bad] == [
        ("g.jsonl", 12),
        ("c.jsonl", 14),
        ("c.jsonl", 18),
    ]
    assert (done.merged, done.unlabelled, done.bad_records, done.bad_labels) == (17, 1, 2, 1)


def test_a_line_that_is_too_long_is_counted_once() -> None:
    text = captured("a", None) + b"x" * 5_000 + b"\n" + captured("b", None)
    truth = ground_truth_line(GroundTruth("a", (1.0,)), TIME)
    request = MergeRequest(
        [BytesBlob("c", text)], [BytesBlob("g", truth)], "", limits=Limits(chunk_bytes=500, line_bytes=1_000)
    )
    _, done = written(request)
    assert (done.bad_records, done.bad[0].line_number, done.merged, done.records) == (1, 2, 1, 2)


@dataclass(slots=True)
class Changing:
    """A file that another process rewrites while it is read."""

    name: str
    datas: list[bytes]

    def size(self) -> int:
        return len(self.datas[0])

    def read(self, start: int = 0, stop: int | None = None) -> bytes:
        return self.datas.pop(0)[start:stop] if len(self.datas) > 1 else self.datas[0][start:stop]


@pytest.mark.parametrize("later", [b"", b"\n\n\n"])
def test_captures_that_change_meanwhile_are_an_error(later: bytes) -> None:
    line = captured("a", None)
    blob = Changing("c.jsonl", [line, later])
    truth = BytesBlob("g.jsonl", ground_truth_line(GroundTruth("a", (1.0,)), TIME))
    with pytest.raises(PlatformError, match="changed while they were read"):
        written(MergeRequest([blob], [truth], ""))


def test_other_merged_files_are_not_mixed_with(folders: tuple[Path, Path], tmp_path: Path) -> None:
    request = MergeRequest(blobs_of([folders[0]]), blobs_of([folders[1]]), folders[0].as_posix())
    merge_to_folder(request, tmp_path / "out")
    (truth,) = folders[1].rglob("x.jsonl")
    truth.write_bytes(truth.read_bytes() + ground_truth_line(GroundTruth("b", (2.0,)), TIME))
    before = sorted(path.name for path in (tmp_path / "out").rglob("*"))
    with pytest.raises(InputError, match="want a folder without other merged files, got prices/AllTraffic"):
        merge_to_folder(
            MergeRequest(blobs_of([folders[0]]), blobs_of([folders[1]]), folders[0].as_posix()),
            tmp_path / "out",
        )
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == before


def test_a_merge_that_fails_leaves_nothing_behind(folders: tuple[Path, Path], tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    request = MergeRequest(
        blobs_of([folders[0]]), blobs_of([folders[1]]), folders[0].as_posix(), scratch=scratch
    )

    def full(name: str, data: bytes) -> None:
        raise PlatformError(f"write {name}, {len(data)} bytes: No space left on device", retryable=True)

    with pytest.raises(PlatformError, match="No space left"):
        merge(request, full)
    assert not list(scratch.iterdir())
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(PlatformError):
        merge_to_folder(request, tmp_path / "out")
    assert not list(scratch.iterdir())
    assert (tmp_path / "out").read_text() == "a file where the folder should be"


def test_gzipped_files_are_read_as_they_are_plain() -> None:
    truth, line = ground_truth_line(GroundTruth("a", (1.0,)), TIME), captured("a", None)
    plain, _ = written(MergeRequest([BytesBlob("c.jsonl", line)], [BytesBlob("g.jsonl", truth)], ""))
    packed, _ = written(
        MergeRequest(
            [BytesBlob("c.jsonl", gzip.compress(line))], [BytesBlob("g.jsonl", gzip.compress(truth))], ""
        )
    )
    assert list(plain.values()) == list(packed.values())

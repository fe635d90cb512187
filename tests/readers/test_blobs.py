"""Where bytes come from, and what is said of paths that lead nowhere."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.shared import shared
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.readers.blobs import BytesBlob, FileBlob, ahead_of_clock, blobs_of, with_content
from watchkeeper.readers.manifests import is_manifest, manifest_blobs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "b.csv",
        "2020/01/01/05/x.jsonl",
        "2020/01/01/04/y.jsonl",
        "_SUCCESS",
        ".hidden",
        "_temporary/z",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def test_a_folder_gives_its_files_sorted_by_name_and_each_file_once(folder: Path) -> None:
    blobs = blobs_of([folder, folder / "b.csv"])
    names = [blob.name.removeprefix(f"{folder.as_posix()}/") for blob in blobs]
    assert names == ["2020/01/01/04/y.jsonl", "2020/01/01/05/x.jsonl", "b.csv"]
    assert blobs[2].read(1, 3) == b".c"
    assert blobs[2].read() == b"b.csv"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere/at/all", "read nowhere/at/all: there is no such file or folder"),
        ("s3://bucket//captures", "there is an empty folder name in it (a double slash)"),
        ("captures//2020", "there is an empty folder name in it (a double slash)"),
        ("s3://bucket/captures", "want a file or folder of this machine, got an address"),
    ],
)
def test_a_path_that_cannot_be_read_says_why(path: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        blobs_of([path])
    assert message in str(caught.value)


def test_a_folder_without_files_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="want at least one file, got none"):
        blobs_of([tmp_path])


def test_a_file_without_permission_says_so(folder: Path) -> None:
    (folder / "b.csv").chmod(0)
    root = os.geteuid() == 0  # root may read everything, so the file is read as somebody else
    if root:
        os.seteuid(65_534)
    try:
        with pytest.raises(InputError, match="no permission"):
            FileBlob(folder / "b.csv", "b.csv").read()
    finally:
        if root:
            os.seteuid(0)


def test_a_file_that_became_shorter_is_a_failure_to_try_again(folder: Path) -> None:
    with pytest.raises(PlatformError, match="want bytes 2 to 9, got 3 of them; it became shorter") as caught:
        FileBlob(folder / "b.csv", "b.csv").read(2, 9)
    assert caught.value.retryable


def test_an_empty_file_is_a_note_beside_others_and_an_error_alone() -> None:
    full, empty = BytesBlob("full", b"x"), BytesBlob("empty", b"")
    assert with_content([full, empty]) == ((full,), ("empty is empty",))
    with pytest.raises(InputError, match="read empty: want rows, got an empty file"):
        with_content([empty])
    with pytest.raises(InputError, match="read input: want rows, got 2 empty files"):
        with_content([empty, empty])


def test_a_file_in_an_hour_ahead_of_the_clock_is_noted() -> None:
    now = datetime(2020, 1, 1, 4, 59, tzinfo=UTC)
    names = ["c/2020/01/01/04/a.jsonl", "c/2020/01/01/05/b.jsonl", "c/other.csv"]
    assert ahead_of_clock(names, now) == (
        "c/2020/01/01/05/b.jsonl lies in the hour 2020/01/01/05, which is ahead of the clock (2020/01/01/04)",
    )


@pytest.mark.parametrize("place", ["bucket/out/a.csv.out", "out/a.csv.out", "a.csv.out"])
def test_a_manifest_s_files_are_found_below_the_base_folder(place: str, tmp_path: Path) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    manifest = BytesBlob("m.json", b'[{"prefix":"s3://bucket/out/"},"a.csv.out"]')
    assert is_manifest(manifest)
    assert manifest_blobs(manifest, tmp_path) == [FileBlob(path, path.as_posix())]


def test_a_manifest_that_leads_nowhere_or_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    base = tmp_path / "base"
    base.mkdir()
    for prefix, message in [
        ("s3://bucket/", "is not below"),
        ("s3://bucket/../", "want names below one folder"),
        ("/", "want names below one folder"),
    ]:
        with pytest.raises(InputError, match=message):
            manifest_blobs(BytesBlob("m", f'[{{"prefix":"{prefix}"}},"secret"]'.encode()), base)
    with pytest.raises(InputError, match="want a JSON list that begins with"):
        manifest_blobs(BytesBlob("m", b'[{"a":1}]'), base)


@pytest.mark.parametrize(
    ("name", "file"), [("input", "test-dataset.json"), ("output", "test-dataset.json.out")]
)
def test_the_service_s_own_manifests_are_read(name: str, file: str, tmp_path: Path) -> None:
    manifest = BytesBlob(
        name, shared(f"fixtures/model-monitor/capture/batch-{name}-manifest.json").read_bytes()
    )
    (tmp_path / file).write_text("[]")
    assert [blob.name for blob in manifest_blobs(manifest, tmp_path)] == [(tmp_path / file).as_posix()]

"""The folder store's files: nothing half-written, and readable as the user's umask says."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.core.errors import ExistsError, PlatformError


def test_files_have_the_permissions_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        FolderStore(tmp_path).write("a/b", b"1")
        FolderStore(tmp_path).create("a/c", b"1")
    finally:
        os.umask(before)
    modes = {stat.S_IMODE((tmp_path / "a" / name).stat().st_mode) for name in "bc"}
    assert modes == {0o640}


def test_nothing_is_left_of_a_write_that_failed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(PlatformError, match="Is a directory"):
        FolderStore(tmp_path).write("a", b"1")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("key", ["a/b", "a/b/c"])
def test_a_key_below_an_object_is_said(tmp_path: Path, key: str) -> None:
    store = FolderStore(tmp_path)
    store.write("a", b"1")
    with pytest.raises(PlatformError, match=f"write {tmp_path}/{key}: .*; nothing was changed"):
        store.write(key, b"2")
    assert (store.list("a/"), store.read("a")) == ([], b"1")


def test_a_folder_that_cannot_be_listed_is_said(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(PlatformError, match=f"list {loop}: "):
        FolderStore(loop).list("")


def test_nothing_is_left_of_a_create_that_was_refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.create("a", b"1")
    with pytest.raises(ExistsError):
        store.create("a", b"2")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_disk_that_cannot_be_written_says_so_and_changes_nothing() -> None:
    with pytest.raises(PlatformError, match="nothing was changed"):
        FolderStore(Path("/proc/self")).write("a", b"1")


@pytest.mark.parametrize("key", ["/etc/passwd", "../x", "a/../../x", "a//b", "."])
def test_a_key_cannot_leave_the_folder(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="plain parts"):
        FolderStore(tmp_path).path(key)

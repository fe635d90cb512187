"""A workspace comes back as it was, whole or not at all, and formats are told apart."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import tarfile
import threading
from pathlib import Path

import pytest

from tests.app.loop import ANA, quiet, write_project
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.app.setup import formats
from watchkeeper.app.setup.audit import log, verify_log
from watchkeeper.app.setup.backups import MANIFEST, Backup, back_up, restore
from watchkeeper.app.setup.formats import FORMAT, MARKER, Marker, mark, migrate
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.core.audit import Event
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import InputError, IntegrityError


def workspace(folder: Path, entries: int = 3) -> Path:
    write_project(folder)
    store = FolderStore(folder)
    mark(store)
    for key in ("captures/prod/schema-v1/demo-prod/AllTraffic/2020/05/01/00/x.jsonl", "models/v1/model.json"):
        store.create(key, key.encode() * 100)
    for key in (
        "run/server.json",
        "index.db-wal",
        "spool/waiting.jsonl",
        "workspace.lock",
        "stack/rules.yml",
    ):
        store.write(key, b"not kept")
    base = sqlite3.connect(folder / "runs.db")
    base.execute("create table runs (name text)")
    base.execute("insert into runs values ('first')")
    base.commit()
    base.close()
    (folder / "runs.db-wal").write_bytes(b"of a process that writes right now")
    trail = FolderTrail(store, WallClock())
    for number in range(entries):
        trail.append(Event("model.trained", f"v{number}", ANA, WallClock().now(), ""))
    return folder


def backed_up(folder: Path, file: Path) -> Backup:
    return back_up(folder, file, ANA, quiet, "demo")


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def remade(file: Path, out: Path, change: dict[str, bytes | None], cut: int | None = None) -> Path:
    """The tar with other bytes for some members, without those that are None, or cut off after so many."""
    with tarfile.open(file) as tar, tarfile.open(out, "w") as made:
        for place, member in enumerate(tar):
            if cut is not None and place >= cut:
                break
            held = tar.extractfile(member)
            assert held is not None
            data = change.get(member.name, held.read())
            if data is not None:
                member.size = len(data)
                made.addfile(member, io.BytesIO(data))
    return out


@pytest.mark.parametrize("name", ["b.tar.gz", "b.tar"])
def test_what_is_restored_is_what_was_there(tmp_path: Path, name: str) -> None:
    folder = workspace(tmp_path / "work")
    made = backed_up(folder, tmp_path / name)
    assert made.manifest.waiting == 1
    back = tmp_path / "back"
    restore(tmp_path / name, back, ANA, quiet)
    before, after = files(folder), files(back)
    left_out = {"run/server.json", "index.db-wal", "spool/waiting.jsonl", "workspace.lock", "stack/rules.yml"}
    left_out |= {"runs.db-wal"}
    others = left_out | {"runs.db", "audit.lock", "audit-head.json"}  # looked at below
    kept = {key: data for key, data in before.items() if key not in others and not key.startswith("audit/")}
    assert {key: data for key, data in after.items() if key in kept} == kept
    assert not left_out & after.keys()
    rows = sqlite3.connect(back / "runs.db")
    assert rows.execute("select name from runs").fetchall() == [("first",)]
    rows.close()
    trail = FolderTrail(FolderStore(back), WallClock())
    assert verify_log(trail).verified
    assert [each.event.action for each in log(trail)] == ["model.trained"] * 3 + ["workspace.restored"]
    assert log(trail)[-1].event.before == made.digest
    ours = FolderTrail(FolderStore(folder), WallClock())
    assert (log(ours)[-1].event.action, log(ours)[-1].event.after) == ("workspace.backed-up", made.digest)
    assert open_workspace(back).folder == back


def test_log_and_head_agree_while_others_append(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "work")
    stop = threading.Event()

    def append() -> None:
        trail = FolderTrail(FolderStore(folder), WallClock())
        while not stop.is_set():
            trail.append(Event("label.imported", "prod", ANA, WallClock().now(), ""))

    writers = [threading.Thread(target=append) for _ in range(3)]
    for each in writers:
        each.start()
    try:
        for number in range(5):
            backed_up(folder, tmp_path / f"{number}.tar")
    finally:
        stop.set()
        for each in writers:
            each.join()
    for number in range(5):
        restore(tmp_path / f"{number}.tar", tmp_path / f"back{number}", ANA, quiet)


def test_a_part_that_was_changed_removed_or_added_is_found_and_nothing_appears(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "work")
    backed_up(folder, tmp_path / "b.tar")
    faults: list[dict[str, bytes | None]] = [
        {"models/v1/model.json": b"{}"},
        {"models/v1/model.json": None},
        {"audit/0000000002.json": b"{}"},
    ]
    for number, change in enumerate(faults):
        bad = remade(tmp_path / "b.tar", tmp_path / f"bad{number}.tar", change)
        with pytest.raises(IntegrityError, match=next(iter(change))):
            restore(bad, tmp_path / "back", ANA, quiet)
    with tarfile.open(tmp_path / "b.tar", "a") as tar:
        member = tarfile.TarInfo("extra.json")
        tar.addfile(member, io.BytesIO(b""))
    with pytest.raises(IntegrityError, match=r"extra\.json"):
        restore(tmp_path / "b.tar", tmp_path / "back", ANA, quiet)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["work"]


def test_a_file_that_was_cut_short_or_is_no_backup_is_refused(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "work")
    backed_up(folder, tmp_path / "b.tar.gz")
    short = remade(tmp_path / "b.tar.gz", tmp_path / "short.tar", {}, cut=3)
    half = tmp_path / "half.tar.gz"
    half.write_bytes((tmp_path / "b.tar.gz").read_bytes()[:-200])
    (tmp_path / "text.tar").write_text("no tar")
    for file in (short, half, tmp_path / "text.tar"):
        with pytest.raises(InputError, match=f"restore {file}"):
            restore(file, tmp_path / "back", ANA, quiet)
    assert not (tmp_path / "back").exists()


def test_a_member_that_would_leave_the_folder_is_refused(tmp_path: Path) -> None:
    for name, kind in (("../out", tarfile.REGTYPE), ("/out", tarfile.REGTYPE), ("link", tarfile.SYMTYPE)):
        with tarfile.open(tmp_path / "bad.tar", "w") as tar:
            member = tarfile.TarInfo(name)
            member.type = kind
            member.linkname = "/etc/passwd"
            tar.addfile(member, io.BytesIO(b""))
        with pytest.raises(InputError, match="want plain files"):
            restore(tmp_path / "bad.tar", tmp_path / "back", ANA, quiet)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "work")
    backed_up(folder, tmp_path / "b.tar")
    with pytest.raises(InputError, match="want a new file"):
        backed_up(folder, tmp_path / "b.tar")
    with pytest.raises(InputError, match="want an empty folder or none"):
        restore(tmp_path / "b.tar", folder, ANA, quiet)
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "b.tar", tmp_path / "empty", ANA, quiet)
    assert (tmp_path / "empty" / MARKER).exists()


def test_a_backup_that_fails_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = workspace(tmp_path / "work")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", fails)
    with pytest.raises(Exception, match="No space left"):
        backed_up(folder, tmp_path / "b.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["work"]


def test_a_newer_format_is_refused_and_an_older_one_told_how_to_be_brought_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = workspace(tmp_path / "work")
    backed_up(folder, tmp_path / "b.tar")
    (folder / MARKER).write_bytes(encode(Marker(FORMAT + 1, "9.9")))
    with pytest.raises(InputError, match=f"its format {FORMAT + 1} is newer than {FORMAT}"):
        open_workspace(folder)
    newer = remade(tmp_path / "b.tar", tmp_path / "n.tar", {MANIFEST: _newer(tmp_path / "b.tar")})
    with pytest.raises(InputError, match=f"its format {FORMAT + 1} is newer"):
        restore(newer, tmp_path / "back", ANA, quiet)
    shutil.copy(folder / MARKER, tmp_path / "kept")
    (folder / MARKER).write_bytes(b"{")
    with pytest.raises(IntegrityError, match=r"workspace\.json"):
        open_workspace(folder)
    (folder / MARKER).unlink()  # made before there were markers
    monkeypatch.setattr(formats, "FORMAT", FORMAT + 1)
    with pytest.raises(InputError, match=r"it has format 1.*watchkeeper backup --migrate"):
        open_workspace(folder)
    with pytest.raises(InputError, match="there is no way from format 1"):
        migrate(folder, FolderStore(folder))
    monkeypatch.setattr(formats, "MIGRATIONS", {1: lambda at: (at / "moved").write_text("by the migration")})
    assert migrate(folder, FolderStore(folder)) == (FORMAT + 1,)
    assert (folder / "moved").exists()
    assert migrate(folder, FolderStore(folder)) == ()
    assert open_workspace(folder).folder == folder


def _newer(file: Path) -> bytes:
    with tarfile.open(file) as tar:
        held = tar.extractfile(MANIFEST)
        assert held is not None
        return json.dumps({**json.loads(held.read()), "format": FORMAT + 1}).encode()

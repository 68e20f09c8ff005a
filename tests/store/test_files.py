from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from riskguard.errors import StateError
from riskguard.store import Journal, Store, files
from tests.store.made import entry


def test_a_folder_that_is_a_file_or_cannot_be_made_is_refused(quick: Path):
    (quick / "file").write_text("")
    for place in (quick / "file", quick / "file" / "state"):
        with pytest.raises(StateError, match=r"cannot be used: (Not a directory|File exists)"):
            Store(place)


def test_a_link_to_a_folder_is_followed_once(quick: Path):
    (quick / "real").mkdir(mode=0o700)
    (quick / "link").symlink_to("real")
    with Store(quick / "link") as store:
        assert store.commit([entry(1)])
        (quick / "link").unlink()
        assert store.commit([entry(2)])
    assert len(Journal(quick / "real").transitions()) == 2


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777])
def test_a_folder_of_ours_alone_is_closed_and_one_with_other_files_refused(quick: Path, mode: int):
    place = quick / "state"
    place.mkdir()
    place.chmod(mode)
    Store(place).close()
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    place.chmod(mode)
    (place / "notes.txt").write_text("")
    with pytest.raises(StateError, match=rf"open to others \(mode {mode:04o}\).*chmod 700"):
        Store(place)
    assert stat.S_IMODE(place.stat().st_mode) == mode
    place.chmod(0o700)
    Store(place).close()


def test_what_belongs_to_another_user_is_refused(folder: Path, monkeypatch):
    Store(folder).close()
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 12_345)
        with pytest.raises(StateError, match=r"belongs to user .* name a folder of your own"):
            Store(folder)
        with pytest.raises(StateError, match="run riskguard as one user"):
            Journal(folder).transitions()
    if os.geteuid() == 0:
        os.chown(folder / "state.db", 12_345, -1)
        with pytest.raises(StateError, match="belongs to user 12345"):
            Store(folder)
        assert (folder / "state.db").exists()
        os.chown(folder / "state.db", 0, -1)
        os.chown(folder / "state.lock", 12_345, -1)
        with pytest.raises(StateError, match="no file of this user"):
            Store(folder)


def test_what_the_system_denies_at_a_start_is_told_in_words(folder: Path, monkeypatch):
    Store(folder).close()
    (folder / "state.db").chmod(0o644)

    def denied(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "chmod", denied)
        with pytest.raises(StateError, match=r"cannot be read: .*Operation not permitted"):
            Store(folder)
    Store(folder).close()


MOUNT = "36 35 {major}:{minor} / {place} rw,noatime master:1 - {kind} server:/home rw\n"


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "9p", "fuse.sshfs", "ext4", "tmpfs"])
def test_a_network_file_system_is_refused(folder: Path, kind: str, monkeypatch):
    folder.mkdir(mode=0o700)
    device = folder.stat().st_dev
    numbers = {"major": os.major(device), "minor": os.minor(device)}
    table = folder.parent / "mountinfo"
    other = MOUNT.format(major=999, minor=9, place="/x", kind="nfs")
    table.write_text("\n" + other + MOUNT.format(**numbers, place=r"/a\040-\040b", kind=kind))
    monkeypatch.setattr(files, "MOUNTS", table)
    if kind in {"ext4", "tmpfs"}:
        Store(folder).close()
        return
    with pytest.raises(StateError, match=rf"network file system \({kind}\).*a local disk"):
        Store(folder)
    assert not any(folder.iterdir())


def test_where_mounts_cannot_be_told_the_folder_is_taken(folder: Path, monkeypatch):
    monkeypatch.setattr(files, "MOUNTS", folder / "none")
    Store(folder).close()
    monkeypatch.setattr(files, "MOUNTS", folder.parent / "empty")
    (folder.parent / "empty").write_text("")
    Store(folder).close()


def test_what_cannot_be_seen_is_refused_by_a_reader(folder: Path, monkeypatch):
    Store(folder).close()
    (folder / "state.db").rename(folder / "kept")
    os.mkfifo(folder / "state.db")
    with pytest.raises(StateError, match="a pipe"):
        Journal(folder).transitions()

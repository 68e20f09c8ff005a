"""The folder of a state and the files in it, looked at before anything opens them.

A folder of the state alone, for its owner alone. What cannot be used is set aside, never deleted.
"""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import NamedTuple

from riskguard.errors import StateError

__all__ = ["BIGGEST", "SIDES", "Damage", "Files", "named", "prepared", "sync"]

BIGGEST = 256 << 20  # bytes of a state.db
LONGEST = 480  # bytes of its path: SQLite opens no more than 512, with what it appends
SIDES = ("-wal", "-shm", "-journal")  # what SQLite lays beside a database
MOUNTS = Path("/proc/self/mountinfo")
# where a lock may be no lock and a sync no sync
NETWORK = {
    "9p", "afs", "ceph", "cifs", "fuse.curlftpfs", "fuse.davfs2", "fuse.glusterfs", "fuse.rclone",
    "fuse.s3fs", "fuse.sshfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs",
}  # fmt: skip


class Damage(Exception):  # noqa: N818 - a finding that the start answers, not an error to the user
    """A stored state that must not be believed, and why."""


class Files(NamedTuple):
    """The paths of one state."""

    folder: Path
    database: Path  # state.db
    fresh: Path  # a new one, until it is whole
    lock: Path

    def look(self) -> bool:
        """Tell whether a database is there; raise Damage where SQLite must not open it.

        SQLite takes an empty file for a new database, makes what a dangling link points to,
        plays back whatever log lies beside, and waits for ever at a pipe.
        """
        try:
            found = self.database.lstat()
        except FileNotFoundError:
            if any(side.lstat().st_size for side in self.sides() if os.path.lexists(side)):
                raise Damage("state.db is gone, and what lies beside it is not") from None
            return False
        _regular(self.database, found)
        if not 0 < found.st_size <= BIGGEST:
            raise Damage(f"state.db has {found.st_size:,} bytes; 1 to {BIGGEST:,} are possible")
        for side in self.sides():
            if os.path.lexists(side):
                _regular(side, side.lstat())
        if os.path.lexists(self.sides()[2]):
            raise Damage("state.db-journal lies beside state.db and is not ours")
        return True

    def sides(self, of: Path | None = None) -> list[Path]:
        """Return what SQLite may lay beside a database, there or not."""
        base = of or self.database
        return [base.with_name(base.name + side) for side in SIDES]

    def set_aside(self, moment: int) -> str:
        """Rename what lies there to `state.db.bad-<UTC>` and return that name; "" for nothing."""
        name = f"state.db.bad-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(moment // 10**9))}"
        bad, count = self.folder / name, 1
        while any(os.path.lexists(path) for path in (bad, *self.sides(bad))):
            count += 1
            bad = self.folder / f"{name}.{count}"
        moved = [path for path in (self.database, *self.sides()) if os.path.lexists(path)]
        for path in moved:
            path.rename(bad.with_name(bad.name + path.name.removeprefix(self.database.name)))
        return bad.name if moved else ""

    def clear(self) -> None:
        """Remove what a start that was cut short has left of a new database."""
        for path in (self.fresh, *self.sides(self.fresh)):
            path.unlink(missing_ok=True)


def _regular(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kinds = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link", stat.S_IFIFO: "a pipe"}
        what = kinds.get(stat.S_IFMT(found.st_mode), "no file")
        raise Damage(f"{path.name} is {what}; a regular file is needed")
    if found.st_nlink != 1:
        raise Damage(f"{path.name} has {found.st_nlink} names; one is possible")
    if found.st_uid != os.geteuid():
        raise StateError(
            f"{path} belongs to user {found.st_uid}, and this is user {os.geteuid()}:"
            " run riskguard as one user"
        )


def prepared(folder: Path | str) -> Files:
    """Return the paths of a state in a folder, made for its owner alone where it is missing.

    Raises:
        StateError: The folder cannot be made or written to, is another user's, holds other
            things and is open to others, lies on a network file system, or its name is too long.

    """
    files = named(folder)
    place = files.folder
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        _private(place, place.stat())
    except OSError as error:
        raise StateError(f"the state folder {place} cannot be used: {error.strerror}") from error
    if (kind := _mounted(place.stat().st_dev)) in NETWORK:
        raise StateError(
            f"the state folder {place} is on a network file system ({kind}), where locks and"
            " syncs may be none: name a folder on a local disk"
        )
    return files


def named(folder: Path | str) -> Files:
    """Return the paths of a state in a folder; raise StateError where none can be there."""
    try:
        place = Path(os.path.realpath(folder))
    except ValueError:  # NUL
        raise StateError(f"{str(folder)!r} cannot be the name of a folder") from None
    if len(os.fsencode(place)) > LONGEST:
        raise StateError(f"the path of the state folder is too long; {LONGEST} bytes are possible")
    return Files(place, place / "state.db", place / "state.db.new", place / "state.lock")


def _private(place: Path, found: os.stat_result) -> None:
    """See that nobody else can read or write the folder."""
    if found.st_uid != os.geteuid():
        raise StateError(
            f"the state folder {place} belongs to user {found.st_uid}, and this is user"
            f" {os.geteuid()}: name a folder of your own"
        )
    if not found.st_mode & 0o077:
        return
    names = os.listdir(place)  # noqa: PTH208 - names, not paths
    if all(name.startswith("state.") for name in names):
        place.chmod(0o700)
        return
    raise StateError(
        f"the state folder {place} is open to others (mode {stat.S_IMODE(found.st_mode):04o})"
        " and holds other files: name a folder for the state alone, or close it by chmod 700"
    )


def _mounted(device: int) -> str:
    """Return the kind of file system of a device, where it can be known."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        rows = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for row in rows:
        mount, _, kind = row.partition(" - ")
        if wanted in mount.split()[2:3]:
            return kind.partition(" ")[0]
    return ""


def sync(folder: Path) -> None:
    """Have the names in a folder on disk before going on."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

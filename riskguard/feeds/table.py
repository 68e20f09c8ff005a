"""A table that only grows: rows of one interval in a CSV file, safe under kill and full disk.

Rows are written whole, oldest first, and reach the disk at each `flush`. What a killed process
left torn is cut off at the next start; what a full disk refused is kept and tried again.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from riskguard.errors import DataError
from riskguard.market import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Table", "instant", "rows", "stamp"]

TAIL = 65_536  # bytes that hold the last row
MOST = 100_000  # rows that wait for a disk: more than two months of minutes


def stamp(ts: int) -> str:
    """Return an instant (ns) as files have it.

    >>> stamp(1_770_300_000_000_000_000)
    '2026-02-05T14:00:00Z'
    """
    return datetime.fromtimestamp(ts // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> int:
    """Return the instant (ns) that `stamp` wrote.

    Raises:
        ValueError: it is none.
    """
    return round(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()) * (
        SECOND
    )


class Table:
    """One file `ts,column,...`; a row that is not newer than the last one is passed over.

    Raises:
        DataError: the file that lies there has other columns.
    """

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.path, self.columns = path, columns
        self.last = 0  # ns of the newest row, waiting ones included
        self.written = 0  # rows since the start
        self._waiting: list[str] = []
        self._size: int | None = None  # bytes that are known to be good; None: no file yet
        if path.exists():
            self._resume()

    @property
    def waiting(self) -> int:
        """Rows that are not on the disk yet."""
        return len(self._waiting)

    def add(self, ts: int, values: Mapping[str, float]) -> bool:
        """Add a row, stamped by `ts` (ns); say whether it is newer than the last."""
        if ts <= self.last:
            return False
        cells = [f"{values[name]!r}" if name in values else "" for name in self.columns]
        self._waiting.append(",".join([stamp(ts), *cells]) + "\n")
        del self._waiting[:-MOST]
        self.last = ts
        return True

    def flush(self) -> None:
        """Bring to the disk what waits.

        Raises:
            OSError: the disk refuses; what waits is kept, and the file is as it was.
        """
        if not self._waiting:
            return
        head = "" if self._size else ",".join(["ts", *self.columns]) + "\n"
        body = (head + "".join(self._waiting)).encode()
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            good = self._size or 0
            os.ftruncate(handle, good)  # what was refused half-way is written anew
            os.lseek(handle, good, os.SEEK_SET)
            left = memoryview(body)
            while left:
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        self._size = good + len(body)
        self.written += len(self._waiting)
        self._waiting = []

    def _resume(self) -> None:
        """Go on in the file that lies there: cut off what is torn, find the last row."""
        with self.path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            tail = file.read()
            good = size - len(tail) + tail.rfind(b"\n") + 1
            if good < size:
                file.truncate(good)
            file.seek(0)
            head = file.readline().decode("ascii", "replace").strip()
        if good == 0:  # not even the head was whole
            return
        if head != ",".join(["ts", *self.columns]):
            msg = f"its columns are {head!r}, not {','.join(['ts', *self.columns])!r}"
            raise DataError(msg, path=str(self.path), help="record into another folder")
        self._size = good
        whole = tail[: tail.rfind(b"\n")].rpartition(b"\n")[2].decode("ascii", "replace")
        first = whole.partition(",")[0]
        if first == "ts":
            return
        try:
            self.last = instant(first)
        except ValueError as error:
            msg = f"its last row begins with {first!r}, which is no time"
            raise DataError(msg, path=str(self.path), help="record into another folder") from error


def rows(path: Path) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield the rows of a table: the instant (ns) and the values that are there.

    Raises:
        DataError: a row cannot be read.
    """
    with path.open(encoding="ascii", errors="replace") as file:
        columns = file.readline().strip().split(",")[1:]
        for number, line in enumerate(file, 2):
            if not line.endswith("\n"):
                return  # being written, or torn: it is no row yet
            first, *cells = line.rstrip("\n").split(",")
            try:
                values = {
                    name: float(cell) for name, cell in zip(columns, cells, strict=True) if cell
                }
                yield instant(first), values
            except ValueError as error:
                raise DataError(f"not a row: {error}", path=str(path), line=number) from error

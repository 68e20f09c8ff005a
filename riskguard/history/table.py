"""A CSV file as columns of text, and the sieve through which its rows must pass.

Whole columns are checked at once; rows are walked only to name the first bad one.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from riskguard.errors import DataError
from riskguard.history.stamps import STAMPS, CellError, instants, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["BLANK", "Sieve", "Table", "floats", "read_table", "read_text", "suggestion"]

BLANK = "empty cell"
WIDE = 400  # characters of a list of columns in a message
MOST_DROPPED = 0.1  # repair mends single rows; a file that fails throughout is another matter
CLOCKS = frozenset({"time", "timestamp", "date", "datetime", "open_time", "close_time"})
REPAIR = "write `repair: drop` for the series in scenario.yaml"


class Table:
    """The rows of a CSV file that have the header's number of cells."""

    def __init__(self, path: str, header: list[str], rows: Sequence[str | list[str]]) -> None:
        self.path, self.header = path, header
        width = len(header)
        counts = [row.count(",") + 1 if isinstance(row, str) else len(row) for row in rows]
        # row -> cells in it (0 in an empty line), where it has not one a column
        self.broken = {
            row: count if "".join(rows[row]).strip() else 0
            for row, count in enumerate(counts)
            if count != width
        }
        self.repair = REPAIR  # how to ask for bad rows to be dropped
        self._flat = _flatten(rows, self.broken, width)
        self._clock: tuple[NDArray[np.int64], dict[int, CellError]] | None = None

    def __len__(self) -> int:
        return len(self._flat) // len(self.header)

    def column(self, name: str) -> list[str]:
        """Return the cells of a column as written; raise DataError when there is none."""
        if name not in self.header:
            near = suggestion(name, self.header)
            fix = near or f"the header has: {shown(', '.join(self.header), WIDE)}"
            raise DataError(
                "missing from the header", path=self.path, line=1, column=shown(name), help=fix
            )
        return self._flat[self.header.index(name) :: len(self.header)]

    def misfit(self, row: int) -> CellError:
        """Return what is wrong with a row of `broken`."""
        count, width = self.broken[row], len(self.header)
        if not count:
            return CellError("empty line", "remove the line")
        if count > width:
            fix = "remove the extra comma, or name its column in the header"
        elif row == len(self) - 1:
            fix = "the download may be cut off: fetch it again, or remove the last line"
        else:
            fix = "one cell per column; the download may be cut off here"
        cells = "1 cell" if count == 1 else f"{count} cells"
        return CellError(f"line {row + 2} has {cells}, the header has {width}", fix)

    def instants(self) -> tuple[NDArray[np.int64], dict[int, CellError]]:
        """Return the time stamps (ns UTC) and what is wrong with those that are none."""
        if self._clock is None:
            self._clock = instants(self.column("ts"))
        return self._clock


def _flatten(rows: Sequence[str | list[str]], broken: Mapping[int, int], width: int) -> list[str]:
    texts = [row for row in rows if isinstance(row, str)]
    if len(texts) == len(rows) and not broken:
        return ",".join(texts).split(",")
    flat: list[str] = []
    for number, row in enumerate(rows):
        if number in broken:
            flat += [""] * width
        else:
            flat += row.split(",") if isinstance(row, str) else row
    return flat


def suggestion(word: str, known: Sequence[str]) -> str:
    """Return `did you mean ...?` for the nearest known word, else nothing."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean '{shown(near[0])}'?" if near else ""


def read_table(path: Path, clock: str = "ts") -> Table:
    """Read a UTF-8 CSV file with one header line; raise DataError when it is none."""
    text = read_text(path)
    name = str(path)
    if not text.strip():
        fix = "one header line, then the rows"
        fix = f"{fix}; a pipe can be read once: save them to a file" if path.is_fifo() else fix
        raise DataError("the file is empty", path=name, help=fix)
    lines = text.rstrip().split("\n")
    rows: Sequence[str | list[str]]
    if '"' in text:
        parsed = _unquote(text, name)
        header, rows = parsed[0], parsed[1:]
    else:
        header, rows = lines[0].split(","), lines[1:]
    header = [cell.strip() for cell in header]
    _check_header(header, name, clock)
    if not rows:
        raise DataError("only a header, no rows", path=name, line=1, help="add the rows")
    return Table(name, header, rows)


def _unquote(text: str, name: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text.rstrip()), strict=True)
    try:
        return list(reader)
    except csv.Error as error:
        fix = "close every quote, or write no quotes at all"
        message = f"the cells cannot be told apart ({error})"
        raise DataError(message, path=name, line=reader.line_num, help=fix) from None


def read_text(path: Path) -> str:
    """Return the text of a file, byte-order mark and CR dropped; raise DataError if it is none."""
    name = str(path)
    try:
        data = path.read_bytes()
    except (FileNotFoundError, ValueError):  # NUL is in no name
        raise DataError("no such file", path=name, help=_neighbours(path)) from None
    except OSError as error:
        fix = "give the path of a file that may be read"
        raise DataError(f"cannot be read: {error.strerror}", path=name, help=fix) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fix = "save the file as UTF-8 text (a zip archive must be unpacked first)"
        raise DataError("not UTF-8 text", path=name, line=line, help=fix) from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _neighbours(path: Path) -> str:
    folder = path.parent
    names = sorted(found.name for found in folder.iterdir()) if folder.is_dir() else []
    return suggestion(path.name, names) or "check the path"


def _check_header(header: list[str], name: str, clock: str) -> None:
    twice = [cell for cell, count in Counter(header).items() if count > 1]
    if twice:
        which = shown(twice[0])
        fix = "rename or remove one"
        raise DataError("stands twice in the header", path=name, line=1, column=which, help=fix)
    if header[0][:4].isdigit():
        fix = "the first line names the columns: ts,open,high,low,close,volume"
        message = f"no header: the file begins with '{shown(header[0])}'"
        raise DataError(message, path=name, line=1, help=fix)
    if not any(header):
        fix = "the first line names the columns: ts,open,high,low,close,volume"
        raise DataError("empty line", path=name, line=1, help=fix)
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise DataError("cells are not separated by commas", path=name, line=1, help="use commas")
    if clock not in header:
        near = [cell for cell in header if cell.lower() in CLOCKS]
        fix = f"the time stamps stand in a column '{clock}'"
        fix = f"rename '{near[0]}' to '{clock}'" if near else fix
        raise DataError("missing from the header", path=name, line=1, column=clock, help=fix)


def floats(cells: Sequence[str]) -> tuple[NDArray[np.float64], dict[int, CellError]]:
    """Return the numbers of a column, and a CellError for each cell that holds none (NaN there)."""
    faults: dict[int, CellError] = {}
    try:
        whole = "".join(cells)
        if "_" not in whole and whole.isascii():
            numbers = np.fromiter(map(float, cells), np.float64, len(cells))
            if np.isfinite(numbers).all():
                return numbers, faults
    except ValueError:
        pass
    numbers = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        try:
            numbers[row] = _number(cell)
        except CellError as fault:
            faults[row] = fault
    return numbers, faults


def _number(cell: str) -> float:
    if not cell.strip():
        raise CellError(BLANK, "write the value; nothing is filled in by guessing")
    try:
        value = float(cell.replace("_", "?") if cell.isascii() else "?")
    except ValueError:
        fix = "write digits with a decimal point"
        raise CellError(f"'{shown(cell)}' is not a number", fix) from None
    if not np.isfinite(value):
        fix = "leave the row out, or write the value"
        raise CellError(f"'{shown(cell)}' is not a finite number", fix)
    return value


class Sieve:
    """Rows of one file that are still good; refuses the first bad one, or drops and counts."""

    def __init__(self, table: Table, *, drop: bool) -> None:
        self.path, self.drop, self.repair = table.path, drop, table.repair
        self.keep = np.ones(len(table), dtype=np.bool_)
        self.dropped: Counter[str] = Counter()
        self.skipped = 0
        self._allowed = 0
        bad = np.zeros(len(table), dtype=np.bool_)
        bad[list(table.broken)] = True
        self.refuse(bad, "", "wrong number of cells", table.misfit)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Numbers of the rows still good, from 0."""
        return np.flatnonzero(self.keep)

    def skip(self, rows: Iterable[int]) -> None:
        """Leave out rows that hold nothing; they are no fault."""
        blank = np.zeros(len(self.keep), dtype=np.bool_)
        blank[list(rows)] = True
        self.skipped += int((blank & self.keep).sum())
        self.keep &= ~blank

    def refuse_faults(
        self, faults: Mapping[int, CellError], column: str, reason: str, *, many: bool = False
    ) -> None:
        """Refuse the rows that have a fault; `many` of them may be dropped."""
        bad = np.zeros(len(self.keep), dtype=np.bool_)
        bad[list(faults)] = True
        self.refuse(bad, column, reason, lambda row: faults[row], many=many)

    def refuse(
        self,
        bad: NDArray[np.bool_],
        column: str,
        reason: str,
        say: Callable[[int], CellError],
        *,
        many: bool = False,
    ) -> None:
        """Refuse the rows marked `bad`: raise DataError at the first, or drop and count them."""
        bad = bad & self.keep
        if not bad.any():
            return
        row = int(np.argmax(bad))
        fault = say(row)
        if not self.drop:
            fix = f"{fault.help}; or mend the row{self.repair and f', or {self.repair}'}"
            self._raise(row, column, fault.message, fix)
        self.keep &= ~bad
        self.dropped[reason] += int(bad.sum())
        self._allowed += int(bad.sum()) if many else 0
        lost = int(len(self.keep) - self.keep.sum())
        if lost - self._allowed > max(1, MOST_DROPPED * len(self.keep)) or lost == len(self.keep):
            message = f"{lost} of {len(self.keep)} rows would be dropped, here: {fault.message}"
            self._raise(row, column, message, f"{fault.help}; `repair: drop` mends single rows")

    def _raise(self, row: int, column: str, message: str, fix: str) -> None:
        code = STAMPS if column == "ts" else ""
        raise DataError(message, path=self.path, line=row + 2, column=column, help=fix, code=code)

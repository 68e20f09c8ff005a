"""How a command ends: every failure becomes a message and an exit code, never a traceback.

0 fine; 1 findings, refused rules or data; 2 wrong use; 3 warnings under --strict; 4 internal
error, with a report file; 5 state in use by another process; 130 interrupted; 141 closed pipe.
"""

from __future__ import annotations

import errno
import os
import platform
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from riskguard._version import VERSION
from riskguard.errors import DataError, RiskguardError, RuleError, StateInUseError, foreign, visible
from riskguard.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["FINDINGS", "INTERNAL", "IN_USE", "STRICT", "WRONG_USE", "WrongUse", "run"]

FINDINGS, WRONG_USE, STRICT, INTERNAL, IN_USE = 1, 2, 3, 4, 5
INTERRUPTED = 130
PIPE_CLOSED = 141  # what a shell reports for a program that wrote into a closed pipe
# what the system says of an output that cannot be written: full, closed, broken
UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
# what it says of a name that cannot be looked up or made, wherever a command is given one
UNREACHABLE = {errno.ENAMETOOLONG, errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EDQUOT}
SHOWN = 60  # characters of a name
OF_THE_LIBRARY = "Value error, "  # Typer's own texts begin so since it reads values by pydantic


class WrongUse(Exception):  # noqa: N818 - a word to the user, not an error of the program
    """An option or a file that cannot be used as given, with the fix."""

    def __init__(self, message: str, fix: str = "") -> None:
        self.message, self.fix = message, fix
        told = f"error: {message}" + (f"\n  = help: {fix}" if fix else "")
        super().__init__("\n".join(map(visible, told.split("\n"))))


def run(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; whatever fails is said on stderr."""
    if sys.stdout is None:
        return _said("error: standard output is closed", WRONG_USE)
    try:
        return _code(command)
    except BrokenPipeError:
        _silence()
        return PIPE_CLOSED
    except (KeyboardInterrupt, typer.Abort):
        return _said("interrupted", INTERRUPTED)
    except OSError as error:
        return _of_system(error)
    except Exception as error:  # noqa: BLE001 - the last net: whatever is left is our own fault
        return _failed(error)


def _of_system(error: OSError) -> int:
    if error.filename is not None and error.errno in UNREACHABLE:
        name = os.fsdecode(error.filename)
        shown = name if len(name) <= SHOWN else f"{name[:SHOWN]}..."
        return _said(f"error: {shown}: {error.strerror}", WRONG_USE)
    if error.filename is None and error.errno == errno.ENOENT:  # as tempfile has it
        fix = "set TMPDIR to a folder that can be written"
        return _said(str(WrongUse(str(error.strerror), fix)), WRONG_USE)
    if error.filename is not None or error.errno not in UNWRITABLE:
        return _internal(error)
    _silence()
    return _said(f"error: standard output cannot be written: {error.strerror}", WRONG_USE)


def _code(command: Callable[[], object]) -> int:
    try:
        code = command()
    except typer.Exit as left:
        code = left.exit_code
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _failed(error: Exception) -> int:
    if isinstance(_first(error), BrokenPipeError):  # a strategy printed, nobody read
        _silence()
        return PIPE_CLOSED
    if isinstance(error, WrongUse):
        return _said(str(error), WRONG_USE)
    if isinstance(error, RuleError | DataError):  # they name file and line themselves
        return _said(str(error), FINDINGS)
    if isinstance(error, StateInUseError):
        return _said(f"error: {error}", IN_USE)
    if isinstance(error, RiskguardError):
        return _said(f"error: {error}", FINDINGS)
    if hasattr(error, "exit_code") and hasattr(error, "show"):
        return _refused(error)
    return _internal(error)


def _refused(error: Any) -> int:  # noqa: ANN401 - the errors of Typer have no public type
    """Say what Typer has against the arguments: an option that does not exist, a wrong value."""
    if hasattr(error, "message"):  # in our words, not in those of the library that reads values
        error.message = error.message.removeprefix(OF_THE_LIBRARY)
    try:
        error.show()
        sys.stderr.flush()
    except OSError:
        _silence()
    return int(error.exit_code)


def _first(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _said(message: str, code: int) -> int:
    try:
        print(redacted(message), file=sys.stderr, flush=True)
    except OSError:
        _silence()
    return code


def _silence() -> None:
    """Give streams that cannot be written to a place where they can.

    Python flushes them once more on its way out, and would change the exit code.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    try:
        sys.stderr.flush()
    except OSError:
        os.dup2(nowhere, sys.stderr.fileno())


def _internal(error: Exception) -> int:
    kept = _kept(error)
    last = foreign(str(error).partition("\n")[0], 200)
    print(
        f"internal error: {type(error).__name__}: {last}\n"
        f"  = help: this is a fault of riskguard {VERSION}, not of your files;"
        f" the report is in {kept}",
        file=sys.stderr,
    )
    return INTERNAL


def _kept(error: Exception) -> str:
    """Write what is needed to find the fault, here or where files may be written."""
    now = datetime.now(UTC)
    text = "\n".join(
        [
            f"riskguard {VERSION}, Python {platform.python_version()}, {platform.platform()}",
            f"{now:%Y-%m-%dT%H:%M:%SZ}",
            f"arguments: {sys.argv[1:]!r}",
            "",
            *traceback.format_exception(error),
        ]
    )
    name = f"riskguard-error-{now:%Y%m%dT%H%M%SZ}-{os.getpid()}.txt"
    for folder in (Path(), Path(tempfile.gettempdir())):
        path = folder / name
        try:
            path.write_text(redacted(text), encoding="utf-8")
        except OSError:
            continue
        return str(path)
    return "no file: neither this folder nor the temporary one can be written to"

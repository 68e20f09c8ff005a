"""How a command ends: every failure becomes a message and an exit code, never a traceback.

0 fine; 1 findings, refused rules or data; 2 wrong use; 3 warnings under --strict; 4 internal
error, with a report file; 5 state in use by another process; 130 interrupted.
"""

from __future__ import annotations

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
from riskguard.errors import DataError, RiskguardError, RuleError, StateError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FINDINGS", "INTERNAL", "IN_USE", "STRICT", "WRONG_USE", "WrongUse", "run"]

FINDINGS, WRONG_USE, STRICT, INTERNAL, IN_USE = 1, 2, 3, 4, 5
INTERRUPTED = 130
PIPE_CLOSED = 141  # what a shell reports for a program that wrote into a closed pipe


class WrongUse(Exception):  # noqa: N818 - a word to the user, not an error of the program
    """An option or a file that cannot be used as given, with the fix."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(f"error: {message}" + (f"\n  = help: {fix}" if fix else ""))


def run(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; whatever fails is said on stderr."""
    try:
        code = command()
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more on its way out: give it somewhere to write to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except (KeyboardInterrupt, typer.Abort):
        return _said("interrupted", INTERRUPTED)
    except WrongUse as error:
        return _said(str(error), WRONG_USE)
    except (RuleError, DataError) as error:  # they name file and line themselves
        return _said(str(error), FINDINGS)
    except StateError as error:
        return _said(f"error: {error}", IN_USE)
    except RiskguardError as error:
        return _said(f"error: {error}", FINDINGS)
    except Exception as error:  # noqa: BLE001 - the last net: whatever is left is our own fault
        if hasattr(error, "exit_code") and hasattr(error, "show"):
            error.show()  # Typer's own: an option that does not exist, a value of the wrong type
            return int(error.exit_code)
        return _internal(error)
    return code if isinstance(code, int) else 0


def _said(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def _internal(error: Exception) -> int:
    kept = _kept(error)
    last = str(error).splitlines()[0][:200] if str(error) else ""
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
            path.write_text(text, encoding="utf-8")
        except OSError:
            continue
        return str(path)
    return "no file: neither this folder nor the temporary one can be written to"

"""A bar on stderr for whatever takes more than two seconds."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress

__all__ = ["waiting"]

PATIENCE = 2.0  # seconds


@contextmanager
def waiting(what: str, *, quiet: bool = False) -> Iterator[None]:
    """Show a moving bar with `what` from the third second on; nothing where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    shown: list[Progress] = []

    def show() -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        progress = Progress(*columns, console=Console(stderr=True), transient=True)
        progress.add_task(what, total=None)
        shown.append(progress)
        progress.start()

    timer = threading.Timer(PATIENCE, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        for progress in shown:
            progress.stop()

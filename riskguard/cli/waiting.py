"""A bar on stderr for whatever takes more than two seconds."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress

__all__ = ["waiting"]

PATIENCE = 2.0  # seconds


@contextmanager
def waiting(*, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show a moving bar from the third second on; yields what tells it the present step."""
    step = ["reading"]
    shown: list[Progress] = []

    def tell(text: str) -> None:
        step[0] = text
        for progress in shown:
            progress.update(progress.task_ids[0], description=text)

    if quiet or not sys.stderr.isatty():  # nobody looks
        yield tell
        return

    def show() -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        progress = Progress(*columns, console=Console(stderr=True), transient=True)
        progress.add_task(step[0], total=None)
        progress.start()
        shown.append(progress)

    timer = threading.Timer(PATIENCE, show)
    timer.daemon = True
    timer.start()
    try:
        yield tell
    finally:
        timer.cancel()
        timer.join()  # a bar that is just being drawn is taken away as well
        for progress in shown:
            progress.stop()

"""What an operator asks of a running guard: files in the folder of its state.

A request is a file that is renamed into place, so that half of one is never read; the answer
lies beside it under the same name. `KILL` is the shortest request of all: that file alone halts.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["KILL", "answered", "asked", "heard", "leave", "pending", "swept", "switched"]

KILL = "KILL"
FOLDER = "requests"
ANSWER = ".answer.json"
LARGEST = 65_536  # bytes of a request
FORGOTTEN = 3600  # seconds after which nobody waits for an answer any more


def switched(state: Path) -> bool:
    """Say whether the kill switch lies in the folder of a state, a link to nowhere too.

    Raises:
        OSError: nobody can tell.
    """
    try:
        (state / KILL).lstat()
    except FileNotFoundError:
        return False
    return True


def leave(state: Path, request: Mapping[str, object]) -> Path:
    """Leave a request where the guard of this state will find it; return its path."""
    folder = state / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    written = folder / f"{name}.tmp"
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(request, file)
            file.flush()
            os.fsync(descriptor)
        return written.rename(folder / f"{name}.json")
    except BaseException:  # a full disk, Ctrl-C: no half of a request is left
        with suppress(OSError):
            written.unlink()
        raise


def pending(state: Path) -> Iterator[tuple[Path, dict[str, Any] | str]]:
    """Yield the requests that wait, oldest first: what is asked, or why it cannot be read."""
    try:
        names = sorted(entry.name for entry in os.scandir(state / FOLDER))
    except OSError:
        return
    for name in names:
        path = state / FOLDER / name
        if name.endswith(".json") and not name.endswith(ANSWER):
            yield path, _read(path)


def _read(path: Path) -> dict[str, Any] | str:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            text = file.read(LARGEST + 1)
        found = json.loads(text) if len(text) <= LARGEST else None
    except (OSError, ValueError, RecursionError) as error:
        return f"the request cannot be read: {type(error).__name__}"
    return found if isinstance(found, dict) else "a request is an object of JSON"


def answered(path: Path, refused: str, told: Mapping[str, object] | None = None) -> bool:
    """Say what became of a request: "" when it was done, else why not; and what was asked for.

    Return whether the request is gone; a disk that refuses keeps it, and the bot goes on.
    """
    there = _answer(path)
    temporary = there.with_suffix(".tmp")
    with suppress(OSError):
        temporary.write_text(json.dumps({"refused": refused, "told": dict(told or {})}), "utf-8")
        temporary.replace(there)
    try:
        path.unlink(missing_ok=True)
    except OSError:
        try:
            path.rename(path.with_suffix(".odd"))  # a folder of that name
        except OSError:
            return False
    return True


def asked(path: Path, seconds: float, pause: float = 0.05) -> str | None:
    """Wait for the answer to a request; None when nobody answered in time."""
    answer = heard(path, seconds, pause)
    return None if answer is None else str(answer["refused"])


def heard(path: Path, seconds: float, pause: float = 0.05) -> dict[str, Any] | None:
    """Wait for the whole answer to a request; None when nobody answered in time."""
    there, until = _answer(path), time.monotonic() + seconds
    while True:
        try:
            answer = json.loads(there.read_text(encoding="utf-8"))
        except FileNotFoundError:
            if time.monotonic() >= until:
                return None
            time.sleep(pause)
            continue
        there.unlink(missing_ok=True)
        return dict(answer)


def swept(state: Path) -> None:
    """Remove answers, and halves of requests, that nobody has come for in an hour."""
    try:
        names = [entry.name for entry in os.scandir(state / FOLDER)]
    except OSError:
        return
    for name in names:
        path = state / FOLDER / name
        if name.endswith((ANSWER, ".tmp")):
            with suppress(OSError):
                if time.time() - path.lstat().st_mtime > FORGOTTEN:
                    path.unlink()


def _answer(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".json") + ANSWER)

"""What an operator asks of a running guard: files in the folder of its state.

A request is a file that is renamed into place, so that half of one is never read; the answer
lies beside it under the same name. `KILL` is the shortest request of all: that file alone halts.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["KILL", "answered", "asked", "leave", "pending"]

KILL = "KILL"
FOLDER = "requests"
LARGEST = 65_536  # bytes of a request


def leave(state: Path, request: Mapping[str, object]) -> Path:
    """Leave a request where the guard of this state will find it; return its path."""
    folder = state / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    written = folder / f"{name}.tmp"
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(request, file)
        file.flush()
        os.fsync(descriptor)
    return written.rename(folder / f"{name}.json")


def pending(state: Path) -> Iterator[tuple[Path, dict[str, Any] | str]]:
    """Yield the requests that wait, oldest first: what is asked, or why it cannot be read."""
    try:
        names = sorted(entry.name for entry in os.scandir(state / FOLDER))
    except OSError:
        return
    for name in names:
        path = state / FOLDER / name
        if name.endswith(".json") and not name.endswith(".answer.json"):
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


def answered(path: Path, answer: str) -> None:
    """Say what became of a request: "" when it was done, else why not."""
    told = path.with_name(path.name.removesuffix(".json") + ".answer.json")
    temporary = told.with_suffix(".tmp")
    temporary.write_text(json.dumps({"refused": answer}), encoding="utf-8")
    temporary.replace(told)
    path.unlink(missing_ok=True)


def asked(path: Path, seconds: float, pause: float = 0.05) -> str | None:
    """Wait for the answer to a request; None when nobody answered in time."""
    told = path.with_name(path.name.removesuffix(".json") + ".answer.json")
    until = time.monotonic() + seconds
    while True:
        if told.exists():
            answer = json.loads(told.read_text(encoding="utf-8"))["refused"]
            told.unlink(missing_ok=True)
            return str(answer)
        if time.monotonic() >= until:
            return None
        time.sleep(pause)

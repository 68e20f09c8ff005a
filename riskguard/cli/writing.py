"""Files written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

__all__ = ["write"]


def write(text: str, path: Path) -> None:
    """Write text to a temporary file beside `path`, then rename: never half of it.

    What a link points to is replaced, the link stays; a file keeps its mode. A device or a pipe
    is written to as it is.

    Raises:
        OSError: The folder is missing or cannot be written to; nothing is left behind.

    """
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8") as device:
            device.write(text)
        return
    path = Path(os.path.realpath(path))
    # a temporary file is private; what is written is as readable as any other file
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(prefix=".riskguard-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

"""Files written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["write", "write_all"]


def write(text: str | bytes, path: Path) -> None:
    """Write to a temporary file beside `path`, then rename: never half of it.

    Text is written as UTF-8. What a link points to is replaced, the link stays; a file keeps its
    mode. A device or a pipe is written to as it is.

    Raises:
        OSError: The folder is missing or cannot be written to; nothing is left behind.

    """
    if path.exists() and not path.is_file():
        with path.open("wb") as device:
            device.write(_encoded(text))
        return
    write_all({path: text})


def write_all(texts: Mapping[Path, str | bytes], *, fresh: bool = False) -> None:
    """Write several files: each to a temporary one first, and renamed when all are written.

    `fresh` says that none of them may be there yet, not even since the caller looked.

    Raises:
        FileExistsError: A fresh file is there already.
        OSError: A folder is missing or cannot be written to; nothing is left behind.

    """
    staged: list[tuple[Path, Path]] = []
    taken: list[Path] = []
    try:
        for path, text in texts.items():
            final = Path(os.path.realpath(path))
            # a temporary file is private; what is written is as readable as any other file
            mode = stat.S_IMODE(final.stat().st_mode) if final.exists() else 0o666 & ~_umask()
            handle, name = tempfile.mkstemp(prefix=".riskguard-", dir=final.parent)
            staged.append((Path(name), final))
            with os.fdopen(handle, "wb") as file:
                file.write(_encoded(text))
            Path(name).chmod(mode)
        for _, final in staged if fresh else ():
            final.touch(exist_ok=False)  # the only look that nobody can come after
            taken.append(final)
        for made, final in staged:
            made.replace(final)
    except BaseException:
        for made in (*taken, *(made for made, _ in staged)):
            made.unlink(missing_ok=True)
        raise


def _encoded(text: str | bytes) -> bytes:
    # a name of a file that is no UTF-8 is written out, as a terminal shows it
    return text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

"""A folder that may only be read, for root too, who may write anywhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["read_only"]

ROOT = Path(__file__).parents[2]
MOUNT = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"'
Outcome = tuple[int, str, str]


@contextmanager
def read_only(folder: Path) -> Iterator[Callable[..., Outcome]]:
    """Yield what runs Python with arguments while a folder may only be read; it is undone."""
    before: list[str] = []
    if os.geteuid() == 0:  # in a name space of its own: the mount ends with the command
        before = ["unshare", "-m", "sh", "-c", f'{MOUNT} && exec "$@"', str(folder)]
        if subprocess.run([*before, "true"], capture_output=True, check=False).returncode:
            pytest.skip("this root may not mount")

    def run(*arguments: object) -> Outcome:
        command = [*before, sys.executable, *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    folder.chmod(0o500)
    try:
        yield run
    finally:
        folder.chmod(0o700)

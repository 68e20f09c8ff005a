"""A process that reads rule files, each in a child of its own that may not take much.

It takes a line of JSON for each file, {"path", "loader"}, and answers with one: what was found,
the processor seconds and the memory that the child took for it.
"""

from __future__ import annotations

import difflib  # what the reader imports late is no memory of the file
import gc
import json
import os
import resource
import signal
import subprocess
import sys
import zoneinfo
from dataclasses import dataclass
from pathlib import Path

from riskguard.errors import rendered
from riskguard.language import source
from riskguard.language.reader import read_rules

__all__ = ["Outcome", "Reader"]

ROOT = Path(__file__).parents[2]
MEBIBYTE = 1 << 20
# a child that takes more is killed: nothing a test measures, only so that a bomb does not go off
SECONDS, MEMORY = 20, 1 << 30
LATE = (difflib, zoneinfo)


@dataclass(frozen=True)
class Outcome:
    """What came of one file; `killed` when its reader was stopped, `raised` what it raised."""

    accepted: bool = False
    errors: tuple[tuple[int, int, str], ...] = ()  # line, column, code
    warnings: int = 0
    said: int = 0  # characters of what is printed
    seconds: float = 0.0
    mebibytes: float = 0.0
    raised: str = ""
    killed: bool = False


class Reader:
    """The process, from the side of a test."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.language.reading"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def read(self, path: Path, loader: str = "C") -> Outcome:
        """Return what comes of a file, read with the loader in C or in Python."""
        self.process.stdin.write(json.dumps({"path": str(path), "loader": loader}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return Outcome(**answer | {"errors": tuple(map(tuple, answer.get("errors", ())))})

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def attempt(path: str, loader: str) -> dict[str, object]:
    """Read one file, inside a child."""
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    size = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = size * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    if loader == "Python":
        source.LOADER = source.PythonLoader
    before = resource.getrusage(resource.RUSAGE_SELF)
    try:
        rules, found = read_rules(path)
        errors = [one for one in found if one.severity == "error"]
        said = sum(map(len, rendered(found)))
    except BaseException as fault:  # noqa: BLE001 - whatever it is, the test has to say so
        return {"raised": repr(fault)[:200]}
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "accepted": rules is not None,
        "errors": [(one.line, one.column, one.code) for one in errors],
        "warnings": len(found) - len(errors),
        "said": said,
        "seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "mebibytes": (after.ru_maxrss - before.ru_maxrss) * 1024 / MEBIBYTE,
    }


def in_a_child(path: str, loader: str) -> str:
    """Return the answer of a child as JSON."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, json.dumps(attempt(path, loader)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    os.waitpid(child, 0)
    return answer.decode() or '{"killed": true}'


def main() -> None:
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        print(in_a_child(asked["path"], asked["loader"]), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()

"""Plug-ins as pip leaves them: a module on the path, its entry points in a folder beside it."""

from __future__ import annotations

import itertools
from pathlib import Path
from textwrap import dedent

import pytest

NUMBERS = itertools.count()

GOOD = """
class Measure:
    api = (1, 0)
    arguments = {"window": "2h", "scale": 1.0, "count": 3, "whole": True}
    warmup = "window"

    def __init__(self, *, window, scale, count, whole):
        if scale < 0:
            raise ValueError("scale is at least 0")
        self.last, self.scale = None, scale

    def update(self, ts, values):
        self.last = values["close"]

    def read(self):
        return None if self.last is None else self.last * self.scale

    def dump(self):
        return self.last

    def load(self, state):
        self.last = state
"""


class Installed:
    """Puts plug-ins on the path of one test."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, patch
        patch.syspath_prepend(folder)

    def __call__(
        self,
        name: str,
        code: str = GOOD,
        *,
        kind: str = "measures",
        of: str = "acme",
        version: str = "0.1",
        to: str = "Measure",
    ) -> str:
        """Install one; return the name of its module, which nobody else has."""
        module = f"acme_{next(NUMBERS)}"
        (self.folder / f"{module}.py").write_text(dedent(code), encoding="utf-8")
        about = self.folder / f"{of}-{version}.dist-info"
        about.mkdir(exist_ok=True)
        text = f"Metadata-Version: 2.1\nName: {of}\nVersion: {version}\n"
        (about / "METADATA").write_text(text, encoding="utf-8")
        with (about / "entry_points.txt").open("a", encoding="utf-8") as file:
            file.write(f"[riskguard.{kind}]\n{name} = {module}:{to}\n")
        self.patch.syspath_prepend(self.folder)  # what was found on the path before is forgotten
        return module

    def allow(self, *names: str) -> None:
        """Allow these in the name of the operator."""
        self.patch.setenv("RISKGUARD_PLUGINS", ",".join(names))

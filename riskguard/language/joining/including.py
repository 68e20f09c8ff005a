"""`extends`: find the files a rule file stands on, each read under the same limits.

The rules root is the folder of the file that was asked for: nothing outside it is read, links
followed; a pack stands in the folder of the packs. A file reached twice is taken once.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from riskguard.language.findings import Findings, near
from riskguard.language.reading.blocks import BlockReader
from riskguard.language.reading.header import HeaderReader
from riskguard.language.reading.scope import Scope
from riskguard.language.ruleset import Span
from riskguard.language.schema import FILE_KEYS, VERSION
from riskguard.language.source import LIMITS, MAX_BYTES, MAX_NODES, Mapping, Scalar, compose, size
from riskguard.shipped import shipped

if TYPE_CHECKING:
    from riskguard.language.source import Node

__all__ = ["SHIPPED", "SUFFIXES", "Includer", "Part", "pack_file", "read_bytes", "siblings"]

SUFFIXES = (".yaml", ".yml", ".json")
FOR_EDITORS = "riskguard-1.json"  # lies beside rule files and is none
DEEPEST = 8
MOST_FILES = 64
SHIPPED = "pack:"
TESTS = "_test"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of several: its name as shown ("" for the one asked for) and its nodes."""

    name: str
    root: Mapping


@dataclass(frozen=True, slots=True)
class _Place:
    """A file on the disk, and the root that it may not leave."""

    name: str
    file: Path
    root: Path


@dataclass(slots=True)
class Includer:
    """Collects the files that a file extends, what is extended before what extends it."""

    findings: Findings
    parts: list[Part] = field(default_factory=list)
    nodes: int = 0
    bytes: int = 0
    seen: set[Path] = field(default_factory=set)
    full: bool = False

    def gather(self, root: Mapping, name: str) -> bool:
        """Take in all that `root` extends, then itself; return whether all could be read."""
        file = Path(name)
        folder = _resolved(file.parent) or file.parent
        self.nodes = size(root)
        here = _Place("", folder / file.name, folder)
        return self._follow(here, root, [here]) and not self.findings.failed

    def _follow(self, place: _Place, root: Mapping, way: list[_Place]) -> bool:
        block = BlockReader(Scope(self.findings)).block(root, FILE_KEYS, "the file")
        header = HeaderReader(Scope(self.findings))
        if block is None or not header.version(block, place.name):
            return False
        whole = True
        if "extends" in block:
            for entry in BlockReader(Scope(self.findings)).names(block["extends"], "extends"):
                whole = self._include(entry, way) and whole
        self.parts.append(Part(place.name, root))
        return whole

    def _include(self, entry: Scalar, way: list[_Place]) -> bool:
        if self.full:
            return False
        place = self._place(entry, way[-1])
        if place is None:
            return False
        circle = [one.file for one in way]
        if place.file in circle:
            names = [_short(one) for one in [*way[circle.index(place.file) :], place]]
            message, fix = " -> ".join(names), "a file may not stand on itself: take one out"
            self.findings.error("RG603", entry.span, message, fix)
            return False
        if place.file in self.seen:
            return True
        if len(way) > DEEPEST:
            message, fix = f"more than {DEEPEST} files deep", "extend fewer files in a row"
            self.findings.error("RG603", entry.span, message, fix)
            return False
        self.seen.add(place.file)
        root = self._read(entry, place)
        return root is not None and self._follow(place, root, [*way, place])

    def _read(self, entry: Scalar, place: _Place) -> Mapping | None:
        content = read_bytes(place.file, MAX_BYTES - self.bytes)
        if content is None:
            self._missing(entry, place.file)
            return None
        self.bytes += len(content)
        found = Findings(place.name, ())
        root: Node | None = None
        if len(content) > MAX_BYTES:
            found.error("RG001", Span(), "the file is larger than 1 MiB", "shorten it")
        elif self.bytes > MAX_BYTES or len(self.seen) > MOST_FILES:
            self.full = True
            message = f"too much to extend: over 1 MiB or {MOST_FILES} files together"
            self.findings.error("RG001", entry.span, message, "extend fewer files")
        else:
            try:
                root, found = compose(content.decode(), place.name, origin=place.name)
            except UnicodeDecodeError as fault:
                message = f"byte {fault.start + 1} is not UTF-8 text"
                found.error("RG038", Span(), message, "save the file as UTF-8")
        self.findings.files[place.name] = found.lines
        for one in found.sorted():
            self.findings.take(one)
        return self._counted(entry, root)

    def _counted(self, entry: Scalar, root: Node | None) -> Mapping | None:
        if root is None:
            return None
        self.nodes += size(root)
        if self.nodes > MAX_NODES:
            self.full = True
            message = "nested too deep or too large: the files together"
            self.findings.error("RG002", entry.span, message, LIMITS)
            return None
        if not isinstance(root, Mapping):
            message = 'a rule file is a block of "key: value" lines'
            self.findings.error("RG120", root.span.begin, message, 'start with "version: 1"')
            return None
        return root

    # ------------------------------------------------------------ where a file stands

    def _place(self, entry: Scalar, owner: _Place) -> _Place | None:
        text = entry.text
        if text.startswith(SHIPPED):
            pack = pack_file(entry, self.findings)
            if pack is None:
                return None
            return _Place(f"{SHIPPED}{pack.stem}@{VERSION}", pack, pack.parent)
        if "://" in text or "\\" in text:
            message = f"'{text}' is no path below the folder of this file"
            fix = "extends takes ./base.yaml or pack:NAME@1; no addresses, no backslashes"
            self.findings.error("RG603", entry.span, message, fix)
            return None
        file = _resolved(owner.file.parent / text)
        if file is None or not file.is_relative_to(owner.root):
            message = f"'{text}' lies outside the rules root"
            fix = "the root is the folder of the file that is read: move the base into it"
            self.findings.error("RG603", entry.span, message, fix)
            return None
        if file.suffix not in SUFFIXES:
            self._missing(entry, file)
            return None
        beside = os.path.relpath(file, owner.root)
        return _Place(os.path.normpath(Path(self.findings.path).parent / beside), file, owner.root)

    def _missing(self, entry: Scalar, file: Path) -> None:
        names = siblings(file.parent, stems=False)
        close = near(file.name, names)
        fix = f"did you mean '{close}'?" if close else "the path is relative to this file"
        if entry.text in siblings(shipped("rules")):
            fix = f"did you mean 'pack:{entry.text}@{VERSION}'?"
        message = f"no rule file '{entry.text}' (.yaml, .yml, .json)"
        self.findings.error("RG005", entry.span, message, fix)


def pack_file(entry: Scalar, findings: Findings) -> Path | None:
    """Return the file of `pack:NAME@VERSION`; RG604 where there is none."""
    name, _, version = entry.text.removeprefix(SHIPPED).partition("@")
    folder = shipped("rules").resolve()
    names = siblings(folder)
    if name not in names:
        close = near(name, names)
        fix = f"did you mean '{close}'?" if close else f"one of: {', '.join(names)}"
        findings.error("RG604", entry.span, f"no such pack: '{name}'", fix)
        return None
    if version != VERSION:
        said = f"not {version}" if version else "and the version must be said"
        message = f"pack '{name}' is written in version {VERSION}, {said}"
        findings.error("RG604", entry.span, message, f"write {SHIPPED}{name}@{VERSION}")
        return None
    return folder / f"{name}.yaml"


def _short(place: _Place) -> str:
    return place.name if place.name.startswith(SHIPPED) else place.file.name


def _resolved(path: Path) -> Path | None:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a circle of links, a name too long, a NUL
        return None


def siblings(folder: Path, *, stems: bool = True) -> list[str]:
    """Return the rule files of a folder, by their names without the ending or as they are."""
    try:
        inside = [one for one in folder.iterdir() if one.name != FOR_EDITORS]
        found = sorted(one for one in inside if one.suffix in SUFFIXES)
    except (OSError, ValueError):
        return []
    if not stems:
        return [one.name for one in found]
    return [one.stem for one in found if one.suffix == ".yaml" and not one.stem.endswith(TESTS)]


def read_bytes(file: Path, most: int = MAX_BYTES) -> bytes | None:
    """Return what a regular file holds, at most one byte more than allowed; None without it.

    It is opened without waiting: a pipe without a writer, put in its place, would block for ever.
    """
    try:
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as stream:
        try:
            return stream.read(max(most, 0) + 1)
        except OSError:
            return None

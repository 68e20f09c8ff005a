"""Where fuzzing starts: mistakes, examples, and the packs, whole and in pieces."""

from __future__ import annotations

from collections.abc import Iterator

from riskguard.language.guides.catalogue import explanations
from tests.language.test_diagnostics import MISTAKES
from tests.language.typos import PACKS

__all__ = ["seeds"]

SECTIONS = ("inputs", "params", "define", "stages", "rules")


def seeds() -> Iterator[str]:
    """Yield small files."""
    yield from (one.text for one in MISTAKES)
    for known in explanations().values():
        yield from (one.file for one in (known.wrong, known.right) if one.kind != "text")
    for pack in PACKS:
        text = pack.read_text(encoding="utf-8")
        yield "".join(f"{line}\n" for line in bare(text))
        yield from pieces(text)


def bare(text: str) -> Iterator[str]:
    """Yield the lines of a pack without comments and descriptions."""
    for line in text.splitlines():
        kept = line.split(" #")[0].rstrip()
        if kept and not kept.startswith("#") and "description:" not in kept:
            yield kept


def pieces(text: str) -> Iterator[str]:
    """Yield the entries of each section, each as a file of its own."""
    section, entry = "", ""
    for line in [*bare(text), "end:"]:
        begins = line[:1].isalpha()
        if begins or (line.startswith("  ") and line[2:3] not in {" ", ""}):
            if entry and section in SECTIONS:
                yield f"version: 1\n{section}:\n{entry}"
            entry = ""
        if begins:
            section = line.split(":", 1)[0]
        else:
            entry += line + "\n"

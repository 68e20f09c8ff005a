"""Every code that a finding may have, explained: read from `explanations/*.md`.

An entry is a heading (code, severity, title), what is found, why it is bad, what is wrong and what
is right instead. Examples in YAML are run by the tests: lines of a rule, or whole files.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Example", "Explanation", "explanations", "page"]

FOLDER = Path(__file__).with_name("explanations")
ENTRY = re.compile(
    r"^## (?P<code>RG\d{3}) (?P<severity>error|warning): (?P<title>[^\n]+)\n\n(?P<text>.+?)\n\n"
    r"```(?P<wrong>\w+) wrong(?P<wrong_file> file)?\n(?P<wrong_text>.*?)\n?```\n\n"
    r"```(?P<right>\w+) right(?P<right_file> file)?\n(?P<right_text>.*?)\n?```$",
    re.MULTILINE | re.DOTALL,
)
HEAD = """\
# Diagnostics

Every code that `riskguard check`, a rule test, a backtest or the start of a bot may show. An error
refuses the file; a warning can be silenced with `allow: [RG416]`, in the file or in one rule.
Examples without `version:` are lines of one rule. `riskguard explain RG406` prints one entry.

This page is written by `riskguard explain --markdown`."""
# what stands around an example that is a few lines of a rule, where the example lacks it
FRAME = "version: 1\nevery: 1h\nrules:\n  my_rule:\n"
DEFAULTS = (
    (r"when\b", "    when: close < 75_000\n"),
    (r"(clear|min_hold|latch)\b", "    min_hold: 12h\n"),
    (r"do\b", "    do: {exposure_cap: 50%}\n"),
)


@dataclass(frozen=True, slots=True)
class Example:
    """A few lines: of a rule, of a whole rule file, or of something else (`kind` text)."""

    kind: str  # rule | file | text
    text: str

    @property
    def file(self) -> str:
        """The example as a rule file that can be checked."""
        if self.kind != "rule":
            return f"{self.text}\n"
        lines = "".join(f"    {line}\n" for line in self.text.split("\n"))
        lacking = (
            line
            for key, line in DEFAULTS
            if not re.search(rf"^{key}", self.text, flags=re.MULTILINE)
        )
        return FRAME + lines + "".join(lacking)


@dataclass(frozen=True, slots=True)
class Explanation:
    """One code: what it finds, why that is bad, and what to write instead."""

    code: str
    severity: str  # error | warning
    title: str
    finds: str
    why: str
    wrong: Example
    right: Example
    section: str

    def as_dict(self) -> dict[str, str]:
        """Return the machine-readable form."""
        return {
            "code": self.code,
            "severity": self.severity,
            "title": self.title,
            "finds": self.finds,
            "why": self.why,
            "wrong": self.wrong.text,
            "right": self.right.text,
        }


@cache
def explanations() -> Mapping[str, Explanation]:
    """Return what is known of every code, in the order of the codes."""
    found: dict[str, Explanation] = {}
    for path in sorted(FOLDER.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        section = text.partition("\n")[0].removeprefix("# ")
        for match in ENTRY.finditer(text):
            found[match["code"]] = _explanation(match, section)
    return found


def page() -> str:
    """Return all codes as one page of Markdown."""
    parts = [HEAD]
    section = ""
    for one in explanations().values():
        if one.section != section:
            section = one.section
            parts.append(f"## {section}")
        parts.append(f"### {one.code} {one.severity}: {one.title}")
        parts += [textwrap.fill(one.finds, 100), textwrap.fill(one.why, 100)]
        parts += ["Wrong:", _fenced(one.wrong), "Right:", _fenced(one.right)]
    return "\n\n".join(parts) + "\n"


def _fenced(example: Example) -> str:
    language = "text" if example.kind == "text" else "yaml"
    return f"```{language}\n{example.text}\n```"


def _explanation(match: re.Match[str], section: str) -> Explanation:
    finds, _, why = match["text"].partition("\n\n")
    return Explanation(
        match["code"],
        match["severity"],
        match["title"],
        _joined(finds),
        _joined(why),
        _example(match["wrong"], match["wrong_file"], match["wrong_text"]),
        _example(match["right"], match["right_file"], match["right_text"]),
        section,
    )


def _joined(paragraph: str) -> str:
    return " ".join(paragraph.split())


def _example(language: str, file: str | None, text: str) -> Example:
    if language != "yaml":
        return Example("text", text)
    return Example("file" if file else "rule", text)

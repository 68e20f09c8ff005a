"""Colour for findings: on a terminal alone, and never against NO_COLOR (no-color.org)."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["coloured", "wanted"]

HEAD = re.compile(r"\A(?P<place>.*?:\d+:\d+: )(?P<kind>(?P<word>error|warning)\[RG\d+\])")
CARET = re.compile(r"^(?P<margin> +\| *)(?P<caret>\^+)$", re.MULTILINE)
HELP = re.compile(r"^(?P<margin> +)(?P<help>= help:)", re.MULTILINE)
COLOURS = {"error": "red", "warning": "yellow"}


def wanted(stream: TextIO) -> bool:
    """Say whether somebody looks at the stream and wants to see colour."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def coloured(text: str) -> str:
    """Return a rendered finding with its kind, its caret and the word help in colour."""
    head = HEAD.match(text)
    if head is None:
        return text
    colour = COLOURS[head["word"]]
    kind = typer.style(head["kind"], fg=colour, bold=True)
    body = CARET.sub(lambda one: one["margin"] + typer.style(one["caret"], fg=colour), text)
    body = HELP.sub(lambda one: one["margin"] + typer.style(one["help"], fg="cyan"), body)
    return typer.style(head["place"], bold=True) + kind + body[head.end() :]

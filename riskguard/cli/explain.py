"""`riskguard explain`: what a code means, why it is bad, and what to write instead."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from riskguard.cli.failures import WrongUse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.language.guides.catalogue import Example, Explanation

__all__ = ["explain"]

WIDTH = 80
FRAMES = {"rule": ", in a rule", "file": ", a whole file", "text": ""}


def explain(
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="[CODE]", help="A code such as RG406.", show_default="all, with titles"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print all codes as one page of Markdown.")
    ] = False,
) -> int:
    """Explain a code of `riskguard check`, with an example of what is right.

    Example: riskguard explain RG406

    Exit codes: 0 fine, 2 wrong use.
    """
    from riskguard.language.guides.catalogue import explanations, page

    if as_json and markdown:
        raise WrongUse("--json and --markdown exclude each other", "give one of the two")
    known = explanations()
    if code is not None:
        if markdown:
            raise WrongUse("--markdown prints all codes", "leave the code out")
        one = _named(code)
        print(json.dumps(one.as_dict(), indent=2) if as_json else "\n".join(_lines(one)))
    elif as_json:
        print(json.dumps([one.as_dict() for one in known.values()], indent=2))
    elif markdown:
        print(page(), end="")
    else:
        print("\n".join(_titles()))
    return 0


def _named(code: str) -> Explanation:
    from riskguard.language.guides.catalogue import explanations

    known = explanations()
    wanted = code.strip().upper()
    wanted = f"RG{wanted.removeprefix('RG').zfill(3)}"
    if wanted in known:
        return known[wanted]
    fix = "riskguard explain lists all"
    if re.fullmatch("[0-9]{3,9}", wanted[2:]):
        near = min(known, key=lambda each: abs(int(each[2:]) - int(wanted[2:])))
        fix = f"the nearest is {near}; {fix}"
    raise WrongUse(f"there is no code '{code}'", fix)


def _lines(one: Explanation) -> Iterator[str]:
    yield f"{one.code} {one.severity}: {one.title}"
    for paragraph in (one.finds, one.why):
        yield ""
        yield from textwrap.wrap(paragraph, WIDTH)
    for word, example in (("wrong", one.wrong), ("right", one.right)):
        yield ""
        yield from _example(word, example)


def _example(word: str, example: Example) -> Iterator[str]:
    yield f"{word}{FRAMES[example.kind]}:"
    shown = example.text.replace("\t", "<tab>").replace("\xa0", "<U+00A0>")
    for line in shown.split("\n"):
        yield f"    {line}".rstrip()


def _titles() -> Iterator[str]:
    from riskguard.language.guides.catalogue import explanations

    section = ""
    for one in explanations().values():
        if one.section != section:
            yield from ([""] if section else [])
            yield one.section
            section = one.section
        yield f"  {one.code}  {one.severity:7}  {one.title}"
    yield ""
    yield "riskguard explain CODE shows what is wrong with it and what is right."

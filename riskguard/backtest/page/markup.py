"""Markup in which text is text: what is not made here is escaped."""

from __future__ import annotations

from html import escape

__all__ = ["Markup", "joined", "tag"]

VOID = {"br", "circle", "line", "path", "rect"}


class Markup(str):
    """Text that is markup already, made by `tag` and `joined` alone."""

    __slots__ = ()


def joined(*parts: str) -> Markup:
    """Return parts behind each other, each escaped unless it is markup.

    >>> joined("<b>", tag("b", "1 < 2"))
    '&lt;b&gt;<b>1 &lt; 2</b>'
    """
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def tag(name: str, *children: str, **attributes: object) -> Markup:
    """Return an element; `class_` is written class, `data_bar` data-bar, None left out.

    >>> tag("td", "a & b", class_="number", data_bar=7, title=None)
    '<td class="number" data-bar="7">a &amp; b</td>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID and not children:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")

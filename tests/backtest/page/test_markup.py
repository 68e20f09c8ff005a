from __future__ import annotations

from html import unescape
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from riskguard.backtest.page.markup import joined, tag

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]))


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.told: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.told += [value for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@given(TEXTS, TEXTS)
def test_whatever_is_written_shows_as_text(text: str, title: str) -> None:
    seen = _Seen()
    seen.feed(tag("p", tag("b", text), title=title))
    seen.close()
    assert (seen.tags, seen.text, seen.told) == (["p", "b"], text, [title])


def test_markup_is_not_escaped_again() -> None:
    assert unescape(tag("i", joined(tag("b", "<")))) == "<i><b><</b></i>"

"""One line of text: tokens, a recursive descent, and the column of everything.

    line    := compare ["for" span] | path
    compare := expr op expr
    expr    := term (("+"|"-") term)*       term := factor (("*"|"/") factor)*
    factor  := literal | path | "-" factor | "(" expr ")"
    path    := NAME ["(" args ")"] ("." NAME ["(" args ")"])*

What the names mean is not known here; a fault is a LineError with offsets into the text.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from riskguard.language.findings import LineError
from riskguard.language.tables.synonyms import meanings
from riskguard.language.text.slips import (
    OPERATORS,
    SLIPS,
    being,
    compared_by,
    compared_how,
    left_over,
    multiple,
    unit_apart,
    within_brackets,
)
from riskguard.language.text.syntax import (
    Argument,
    Binary,
    Comparison,
    Literal,
    Negative,
    Path,
    Segment,
    Syntax,
)
from riskguard.language.text.tokens import tokens
from riskguard.language.text.units import DURATIONS, MULTIPLIERS, UNIT_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskguard.language.text.tokens import Token

__all__ = [
    "Argument",
    "Binary",
    "Comparison",
    "Literal",
    "Negative",
    "Path",
    "Segment",
    "Syntax",
    "parse_line",
    "parse_literal",
    "parse_span",
]

JOINING_WORDS = {"and": "all", "or": "any"}
BARS = frozenset({"close", "closes", "bar", "bars"})


def parse_line(text: str, count: Callable[[int], None] | None = None) -> Comparison | Path:
    """Return the syntax of a line: a comparison, or the bare path of a flag.

    `count` is told how many words there are, before they are looked at.
    """
    parser = _Parser(text)
    if count is not None:
        count(len(parser.tokens) - 1)
    return parser.line()


def parse_literal(text: str) -> Literal:
    """Return the single number that the text is."""
    parser = _Parser(text)
    literal = parser.factor()
    if not isinstance(literal, Literal):
        raise LineError("RG102", 0, len(text), f"expected a number but found '{text}'")
    parser.finish("the number")
    return literal


def parse_span(text: str) -> Literal | Path:
    """Return a duration, a number of bars or the name of a parameter."""
    parser = _Parser(text)
    held = parser.span()
    parser.finish("the duration")
    return held


class _Parser:
    """One pass over the tokens of a line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.token = self.tokens[0]

    @property
    def next(self) -> Token:
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.token
        if token.kind != "end":
            self.at += 1
            self.token = self.tokens[self.at]
        return token

    def sees(self, *signs: str) -> bool:
        return self.token.text in signs and self.token.kind == "sign"

    def finish(self, after: str) -> None:
        self.no_joining()
        if self.token.kind != "end":
            token = self.token
            message = f"unexpected '{token.text}' after {after}"
            fix = multiple(self.text, self.tokens[: self.at + 2])
            fix = fix or left_over(self.tokens[self.at - 1], token, self.next)
            raise LineError("RG109", token.start, token.end, message, fix)

    def no_joining(self) -> None:
        token = self.token
        joiner = JOINING_WORDS.get(token.text.lower()) if token.kind == "name" else None
        if joiner:
            fix = f'one comparison per line: put each on its own line under "{joiner}:"'
            before = self.tokens[self.at - 1]
            whole = meanings(f"{before.text} {token.text} {self.next.text}")
            fix = f"write {whole[0]}" if whole else fix
            message = f"'{token.text}' inside a line"
            raise LineError("RG104", token.start, token.end, message, fix)

    def line(self) -> Comparison | Path:
        token = self.token
        if token.text.lower() == "not" and self.next.kind == "name":
            message, fix = f"'{token.text}' inside a line", 'put the line under "not:"'
            raise LineError("RG104", token.start, token.end, message, fix)
        left = self.expression()
        self.no_joining()
        if self.token.kind == "end" and isinstance(left, Path):
            return left
        op = self.operator(left)
        right = self.expression()
        if self.sees(*OPERATORS):
            token = self.token
            message, fix = "two comparisons in one line", 'split into two lines under "all:"'
            raise LineError("RG107", token.start, token.end, message, fix)
        end = self.tokens[self.at - 1].end
        hold = None
        if self.token.kind == "name" and self.token.text == "for":
            self.take()
            hold = self.span()
        self.finish("the comparison")
        return Comparison(left, op.text, op.start, right, hold, end)

    def operator(self, left: Syntax) -> Token:
        token = self.take()
        if token.kind == "sign" and token.text in OPERATORS:
            if self.sees("=", *OPERATORS):
                raise self.split_sign(token)
            return token
        if token.text in SLIPS:
            message, fix = f"'{token.text}' is not a comparison here", SLIPS[token.text]
            raise LineError("RG103", token.start, token.end, message, f"write '{fix}'")
        if token.kind == "end":
            raise self.no_comparison(left)
        if token.kind == "name":
            self.no_words(left, token)
        message = f"expected a comparison (< <= > >=) but found '{token.text}'"
        fix = compared_how(self.text[left.start : left.end], token, self.tokens[self.at :])
        raise LineError("RG106", token.start, token.end, message, fix)

    def split_sign(self, token: Token) -> LineError:
        second = self.token
        shown = self.text[token.start : second.end]
        joined = f"{token.text}{second.text}"
        fix = joined if joined in OPERATORS else SLIPS.get(joined, token.text)
        message = f"'{shown}' is not a comparison here"
        return LineError("RG103", token.start, second.end, message, f"write '{fix}'")

    def no_comparison(self, left: Syntax) -> LineError:
        fix = f'for example "{self.text.strip()} <= ..."'
        if isinstance(left, Literal):
            fix = "compare an input, for example close < 75_000"
            if left.dimension == "time":
                fix = f'a time alone is written "min_hold: {self.text.strip()}"'
        return LineError("RG106", left.start, left.end, "a comparison is missing", fix)

    def no_words(self, left: Syntax, token: Token) -> None:
        """Refuse a comparison in words: "falls below", "is greater than"."""
        rest = self.tokens[self.at - 1 :]
        words = [one.text for one in takewhile(lambda one: one.kind == "name", rest)]
        count, sign = compared_by(words)
        if not count:
            return
        end = rest[count - 1].end
        fix = f"write '{sign}'"
        if sign == "==" and len(words) > 1 and isinstance(left, Path):
            fix = being(self.text[left.start : left.end], words[1])
        shown = self.text[token.start : end]
        raise LineError("RG105", token.start, end, f"'{shown}' is not a comparison", fix)

    def span(self) -> Literal | Path:
        token = self.take()
        following = self.token.kind == "name" and self.token.text in BARS
        if token.kind == "number":
            return self.counted(token, following=following)
        if token.kind == "name" and not (following or self.token.text in UNIT_WORDS):
            segment = Segment(token.text, None, token.start, token.end, token.end)
            return Path((segment,), token.start, token.end)
        message = f"\"for\" needs a duration or a count, found '{token.text}'"
        fix = 'for example "for 2h" or "for 2 closes"'
        raise LineError("RG108", token.start, token.end, message, fix)

    def counted(self, token: Token, *, following: bool) -> Literal:
        if token.dimension == "time":
            return Literal(token.value, "time", token.start, token.end)
        if token.dimension == "plain" and following and not token.text[-1].isalpha():
            return Literal(token.value, "bars", token.start, self.take().end)
        unit = token.text.lstrip("$0123456789_,.")
        if unit in MULTIPLIERS and token.dimension == "plain":
            means = {"M": "million", "k": "thousand", "K": "thousand", "T": "trillion"}
            message = f"{token.text}: '{unit}' means {means.get(unit, 'billion')}, not a duration"
            digits = token.text[: -len(unit)]
            fix = f'minutes are "{digits}m", months are written in days ("30d")'
            raise LineError("RG110", token.start, token.end, message, fix)
        if token.dimension == "plain":
            self.no_unit_apart(token)
            message = f"{token.text} of what?"
            fix = f'write "{token.text}h", "{token.text}m" or "{token.text} closes"'
            raise LineError("RG111", token.start, token.end, message, fix)
        message = f"{token.text} is not a duration"
        fix = f"time is written with {', '.join(DURATIONS)}"
        raise LineError("RG110", token.start, token.end, message, fix)

    def expression(self) -> Syntax:
        left = self.term()
        while self.sees("+", "-"):
            op = self.take().text
            right = self.term()
            left = Binary(op, left, right, left.start, self.tokens[self.at - 1].end)
        return left

    def term(self) -> Syntax:
        left = self.factor()
        while self.sees("*", "/"):
            op = self.take().text
            right = self.factor()
            left = Binary(op, left, right, left.start, self.tokens[self.at - 1].end)
        return left

    def factor(self) -> Syntax:
        token = self.token
        if self.sees("-"):
            self.take()
            inner = self.factor()
            if isinstance(inner, Literal):
                value = 0.0 - inner.value  # never -0.0: equal numbers are equal in a hash
                return Literal(value, inner.dimension, token.start, inner.end)
            return Negative(inner, token.start, inner.end)
        if self.sees("("):
            self.take()
            inner = self.expression()
            if not self.sees(")"):
                raise self.unclosed(token)
            self.take()
            return inner
        if token.kind == "number":
            return self.literal()
        if token.kind == "name":
            return self.path()
        message = f"expected a value or a measure but found '{token.text}'"
        fix = "write a number or a measure before it"
        if token.kind == "end":
            fix = f'for example "{self.text.strip()} 75_000"'
        if token.text == "/" and self.tokens[self.at - 1].text == "/":
            fix = "a comment begins with #"
        raise LineError("RG102", token.start, token.end, message, fix)

    def literal(self) -> Literal:
        token = self.take()
        counts = self.token.kind == "name" and self.token.text in BARS
        if counts and token.dimension == "plain":
            return Literal(token.value, "bars", token.start, self.take().end)
        self.no_unit_apart(token)
        return Literal(token.value, token.dimension, token.start, token.end)

    def no_unit_apart(self, number: Token) -> None:
        """Refuse "24 hours" and "$150 million": a number and its unit are one word."""
        written = unit_apart(number, self.token)
        if written:
            shown = self.text[number.start : self.token.end]
            message = f"'{shown}' is not how a number and its unit are written"
            raise LineError("RG111", number.start, self.token.end, message, f"write {written}")

    def path(self) -> Path:
        start = self.token.start
        found = [self.segment()]
        while self.sees("."):
            self.take()
            found.append(self.segment())
        return Path(tuple(found), start, found[-1].closed)

    def segment(self) -> Segment:
        token = self.take()
        if token.kind != "name":
            message = f"expected a name but found '{token.text}'"
            fix = "a measure follows a dot: close.change(24h)"
            raise LineError("RG102", token.start, token.end, message, fix)
        if not self.sees("("):
            return Segment(token.text, None, token.start, token.end, token.end)
        opened = self.take()
        found: list[Argument] = []
        while not self.sees(")"):
            if found and not self.sees(","):
                raise self.unclosed(opened)
            if found:
                self.take()
            if self.token.kind == "end":
                raise self.unclosed(opened)
            found.append(self.argument())
        closed = self.take().end
        return Segment(token.text, tuple(found), token.start, token.end, closed)

    def argument(self) -> Argument:
        start, keyword = self.token.start, ""
        following = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        if self.token.kind == "name" and following.text == "=":
            keyword = self.take().text
            self.take()
        value = self.expression()
        return Argument(keyword, value, start, value.end)

    def unclosed(self, opened: Token) -> LineError:
        if self.token.kind != "end":
            token = self.token
            message = f"expected ',' or ')' but found '{token.text}'"
            called = bool(self.text[: opened.start].rstrip()[-1:].isalnum())
            fix = within_brackets(self.tokens[self.at - 1], token, called=called)
            return LineError("RG102", token.start, token.end, message, fix)
        message = '"(" is never closed'
        fix = "inside [ ] or { } put the whole comparison in quotes: a comma splits it"
        return LineError("RG113", opened.start, opened.end, message, fix)

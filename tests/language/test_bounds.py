"""How much a rule file may hold, and what is said once it holds more."""

from __future__ import annotations

import random

from riskguard.language.findings import ENOUGH, near
from riskguard.language.reader import read_text
from riskguard.language.reading.scope import MAX_WORDS
from riskguard.language.text.tokens import MAX_LETTERS, MAX_TOKENS
from tests.language.hostile import DO, HEAD, breadths, rule, rules, symbols_of_their_own
from tests.language.typos import misspelt

WHAT = "support buffer floor burst calm jump funding basis crowd fear drop deep slow fast lost held"
WHAT += " watch cut out limit"
OF = "btc eth sol bnb xrp day week month year hour bar first second third level spot perp usd coin"
OF += " high low open close long short"


def codes(text: str) -> list[str]:
    return [one.code for one in read_text(text, "rules.yaml")[1]]


def test_a_line_has_so_many_characters_and_no_more():
    line = "close < 1".ljust(MAX_LETTERS - 2)
    assert codes(rule(f"'{line}5'")) == ["RG109"]
    assert codes(rule(f"'{line}  5'")) == ["RG002"]
    assert codes(rule(">\n" + "      close\n" * MAX_LETTERS)) == ["RG002"]


def test_a_line_has_so_many_words_and_no_more():
    least = "close < 1" + "+1" * ((MAX_TOKENS - 3) // 2)
    assert codes(rule(least)) == []
    assert codes(rule(least + "+1")) == ["RG002"]


def test_lines_have_so_many_words_together_and_what_follows_is_not_read():
    each = "1" + "+1" * 49
    fitting = rules(MAX_WORDS // 101, lambda _: f"when: close < {each}, latch: true, {DO}")
    assert codes(fitting) == []
    full = rules(2 * MAX_WORDS // 101, lambda _: f"when: close < {each}, latch: true, {DO}")
    assert codes(full) == ["RG002"]
    unread = full.replace(f"r{MAX_WORDS // 101 + 50}: {{when: close", "late: {when: clsoe")
    assert "late" in unread
    assert codes(unread) == ["RG002"]


def test_a_long_form_counts_as_what_it_stands_for():
    line = "'close < 1" + "+1" * 40 + "'"
    assert codes(breadths(1, 500, line)) == []
    assert codes(breadths(1, 700, line)) == ["RG002"]
    assert codes(breadths(7, 100, line)) == ["RG002"]


def test_a_long_form_too_long_for_one_symbol_says_so():
    line = "'close < 1" + " + close" * 70 + "'"
    rules_of, found = read_text(breadths(1, 3, line), "rules.yaml")
    assert rules_of is None
    assert [(one.code, one.message) for one in found] == [
        ("RG002", f"more than {MAX_TOKENS} words in one line")
    ]


def test_rules_once_for_each_symbol_are_not_more_than_a_file_may_hold():
    assert codes(symbols_of_their_own(20, 90)) == []
    assert codes(symbols_of_their_own(40, 90)) == ["RG002"]


def test_after_many_errors_a_file_is_read_no_further():
    faults = "".join(f"k{number}: 1\n" for number in range(ENOUGH - 2))
    late = "rules:\n  r: {when: clsoe < 1}\n"
    assert codes(HEAD + late + faults)[:2] == ["RG149", "RG201"]
    many = codes(HEAD + late + faults + "ka: 1\nkb: 1\nkc: 1\nkd: 1\n")
    assert many == ["RG123"] * (ENOUGH + 1)


def test_a_slip_is_seen_among_many_names():
    known = [f"{what}_{of}" for what in WHAT.split() for of in OF.split()]
    dice = random.Random(20260212)
    meant = [dice.choice(known) for _ in range(200)]
    seen = sum(near(misspelt(word, dice), known) == word for word in meant)
    assert len(known) == 500
    assert seen >= 190


def test_no_slip_is_looked_for_in_a_word_that_is_none():
    assert near("close" * 20, ["close" * 19]) == ""
    assert near("", ["close"]) == ""
    assert near("clsoe", ["close", *(f"p{number}" for number in range(2_000))]) == ""


def test_a_stop_without_end_is_none():
    text = rule("close < 1").replace("exposure_cap: 50%", f"stop: {'9' * 400} ATR")
    assert codes(text) == ["RG304"]

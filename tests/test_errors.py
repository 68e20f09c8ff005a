"""What a file holds never reaches a terminal raw, nor at any length."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskguard.errors import AdapterError, DataError, Diagnostic, StateError, visible
from riskguard.language.reader import read_text

HOSTILE = {
    "\x1b": r"\x1b",
    "\x00": r"\x00",
    "\x9b": r"\x9b",
    "\r": r"\r",
    "\u202e": r"\u202e",
    "\u2066": r"\u2066",
    "\u200b": r"\u200b",
    "\ud800": r"\ud800",
}


def finding(source: str, column: int, end_column: int, message: str = "wrong") -> Diagnostic:
    return Diagnostic(
        "a.yaml", 1, column, 1, end_column, "RG101", "error", message, "fix it", source
    )


@pytest.mark.parametrize("letter", HOSTILE, ids=ascii)
def test_every_part_of_a_finding_is_shown_with_hostile_letters_written_out(letter):
    found = Diagnostic(
        f"a{letter}", 1, 1, 1, 2, "RG101", "error", f"m{letter}", f"h{letter}", f"s{letter}"
    )
    shown = HOSTILE[letter]
    rows = [f"a{shown}:1:1: error[RG101] m{shown}", "  |", f"1 | s{shown}", "  | ^"]
    assert found.render() == "\n".join([*rows, f"  = help: h{shown}"])
    said = found.as_dict()
    assert (said["path"], said["message"], said["help"]) == (f"a{shown}", f"m{shown}", f"h{shown}")


def test_the_caret_stays_under_its_characters():
    rows = finding("a\x1b[2J clsoe < 5", 7, 12).render().split("\n")
    assert rows[2] == r"1 | a\x1b[2J clsoe < 5"
    assert rows[3] == "  |          ^^^^^"
    assert finding("a \x1b", 3, 4).render().split("\n")[3] == "  |   ^^^^"
    assert finding("close <", 8, 9).render().split("\n")[3] == "  |        ^"


def test_a_long_line_is_cut_around_its_caret():
    line = "x" * 5_000 + " clsoe " + "y" * 5_000
    rows = finding(line, 5_002, 5_007).render().split("\n")
    assert all(len(row) < 200 for row in rows)
    at = rows[3].index("^")
    assert rows[2][at : rows[3].rindex("^") + 1] == "clsoe"
    assert rows[2].startswith("1 | …")
    assert rows[2].endswith("…")
    whole = finding("z" * 9_000, 1, 9_001).render().split("\n")
    assert len(whole[3]) == len(whole[2]) < 100


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (f"unknown name '{'a b' * 60}'", f"unknown name '{('a b' * 60)[:77]}…'"),
        (f"unknown name '{'a' * 60}'", f"unknown name '{'a' * 60}'"),
        (f"{'9' * 90} is too large", f"{'9' * 78}…9 is too large"),
        (f"'a' is off, {'and so on, ' * 10}'b'", f"'a' is off, {'and so on, ' * 10}'b'"),
    ],
)
def test_a_received_text_is_cut_and_the_rest_of_a_message_is_not(message, shown):
    assert finding("a", 1, 2, message).message == shown
    assert DataError(message).message == shown


def test_a_message_of_any_length_is_told_in_a_few_lines():
    told = finding("a", 1, 2, " -> ".join(f"d{number}" for number in range(2_000))).message
    assert len(told) < 450
    assert told.startswith("d0 -> d1 ->")
    assert told.endswith("-> d1999")


@pytest.mark.parametrize("letter", HOSTILE, ids=ascii)
def test_errors_of_data_state_and_frameworks_hold_nothing_raw(letter):
    shown = HOSTILE[letter]
    fault = DataError(
        f"m{letter}", path=f"p{letter}", line=3, column=f"c{letter}", help=f"h{letter}"
    )
    text = f"p{shown}:3: error: column 'c{shown}': m{shown}\n  = help: h{shown}"
    assert str(fault) == text
    assert (fault.path, fault.column) == (f"p{letter}", f"c{letter}")
    assert str(StateError(f"a{letter}\nb")) == f"a{shown}\nb"
    assert str(AdapterError(f"a{letter}\nb")) == f"a{shown}\nb"
    assert str(pickle.loads(pickle.dumps(StateError("a\nb")))) == "a\nb"


def test_the_help_of_data_keeps_its_lines_and_whole_commands():
    fix = f'write\n{"x" * 100} "{"y " * 60}"'
    assert DataError("wrong", help=fix).help == fix


@given(st.text(st.characters(), max_size=60))
def test_what_is_shown_can_be_printed_and_is_not_changed_twice(text):
    shown = visible(text)
    assert shown.isprintable()
    assert shown.encode().decode() == shown
    assert visible(shown) == shown


def test_a_hostile_file_is_told_of_without_its_letters():
    text = 'version: 1\n"\\e[2Jname\\u202e": x\nrules:\n'
    text += '  "a\\ud800": {when: close < 5, do: {close: all}}\n'
    rules, found = read_text(text, "a\x1b.yaml", settings={"no\x1b": "1"})
    assert rules is None
    for one in found:
        assert all(row.isprintable() for row in one.render().split("\n"))
        assert str(one.as_dict()).encode()

from __future__ import annotations

from pathlib import Path

import pytest

from riskguard.cli import given
from riskguard.cli.failures import WrongUse
from riskguard.market import DAY, HOUR


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5bp", 0.0005),
        ("0.05%", 0.0005),
        ("0.0005", 0.0005),
        (" 12 bp", 0.0012),
        ("0", 0.0),
        ("1e-3", 0.001),
        ("5e-2%", 0.0005),
        ("10%", 0.1),
        ("1000bp", 0.1),
    ],
)
def test_a_share_is_read_in_three_forms(text: str, value: float) -> None:
    assert given.share("--fee", text) == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["5", "50%", "", "-1bp", "5 pips", "nan", "inf", "\u0665bp", "5,5bp"]
)
def test_a_fee_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(WrongUse, match="write 5bp"):
        given.share("--fee", text)


def test_a_fee_above_the_limit_names_the_limit() -> None:
    with pytest.raises(WrongUse, match=r"is 10\.01% of every trade; the limit is 10%"):
        given.share("--fee", "10.01%")


@pytest.mark.parametrize("text", ["10000", "10_000", "10,000", "$10000", "1e4"])
def test_cash_is_read_as_people_write_it(text: str) -> None:
    assert given.amount("--cash", text) == 10_000


# a comma of cents, groups of two, digits of other scripts, what Python alone would read
ODD = ["100,5", "10,00", "1,0000", "10,000,00", "1_000,000", "\u0661\u0660\u0660", "_1", "1e999"]


@pytest.mark.parametrize("text", ["0", "-5", "nan", "inf", "much", "", *ODD])
def test_cash_has_to_be_above_zero(text: str) -> None:
    with pytest.raises(WrongUse, match="10_000"):
        given.amount("--cash", text)


@pytest.mark.parametrize("text", ["1,234,567.89", "$1_234_567.89", "1234567.89"])
def test_cents_and_thousands_are_read(text: str) -> None:
    assert given.amount("--cash", text) == 1_234_567.89


def test_a_symbol_is_written_in_capitals() -> None:
    assert given.symbol("ETH") == "ETH"
    assert given.symbol(None) is None
    with pytest.raises(WrongUse, match="did you mean ETH"):
        given.symbol("eth")


def test_a_pack_is_shown_by_its_path_in_the_shipped_folder() -> None:
    assert given.pack_path("pack:feb-2026", given.pack("feb-2026")) == "rules/feb-2026.yaml"
    assert given.pack_path("./own.yaml", Path("own.yaml")) == "./own.yaml"


def test_a_day_is_utc_and_an_instant_names_its_zone() -> None:
    day = 20_468 * DAY
    assert given.instant("--from", "2026-01-15") == day
    assert given.instant("--from", "2026-01-15T04:00Z") == day + 4 * HOUR
    assert given.instant("--from", "2026-01-15T04:00:00+04:00") == day
    assert given.instant("--from", None) is None


@pytest.mark.parametrize("text", ["2026-01-15T04:00", "yesterday", "2026-13-01", "15.1.2026"])
def test_a_moment_that_is_not_clear_is_refused(text: str) -> None:
    with pytest.raises(WrongUse, match="write"):
        given.instant("--from", text)


def test_pairs_are_split_at_the_first_equals_sign() -> None:
    assert given.pairs("--set", ["a=1", "b = x=y"]) == {"a": "1", "b": "x=y"}


@pytest.mark.parametrize("texts", [["a"], ["=1"], ["a="], ["a=1", "a=2"]])
def test_pairs_that_are_none_are_refused(texts: list[str]) -> None:
    with pytest.raises(WrongUse):
        given.pairs("--set", texts)


def test_a_pack_is_found_by_name_and_a_file_by_path(tmp_path) -> None:
    assert given.pack("feb-2026").name == "feb-2026.yaml"
    assert given.pack("pack:feb-2026") == given.pack("feb-2026")
    assert given.pack("pack:feb-2026@1") == given.pack("feb-2026")
    own = tmp_path / "own.yaml"
    own.write_text("version: 1\n")
    assert given.pack(str(own)) == own


@pytest.mark.parametrize(
    ("text", "said"),
    [("feb-2025", "did you mean 'feb-2026'"), ("no/such.yaml", "no rule file"), (".", "folder")],
)
def test_rules_that_are_not_there_are_refused_with_the_fix(text: str, said: str) -> None:
    with pytest.raises(WrongUse, match=said):
        given.pack(text)

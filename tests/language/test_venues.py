"""Several venues may be named for a price; what else names them is told what to write."""

from __future__ import annotations

import pytest

from riskguard import DataError, Guard
from riskguard.language.fitting.venues import venues_of
from riskguard.language.reader import read_text
from riskguard.live.rules import Fit

TEXT = """\
version: 1
symbol: BTC
symbols: [ETH]
every: 1h
inputs:
  fix: {unit: price, kind: level}
  held: {unit: coins, kind: level}
rules:
  fell: {when: close < 90, clear: close > 95, do: {exposure_cap: 0%}}
  thin: {when: fix < 90, clear: held > 95, do: {leverage_cap: 2x}}
"""
FORM = 'a source is a name ("binance"), for a price a list of names too (["binance", "bybit"])'
WHY = "open interest, funding and flows are another figure on each venue: name the one that your"
WRONG = {
    "no name": ({"close": 5}, "'close' comes from 5", FORM),
    "nobody": ({"close": []}, "'close' comes from []", FORM),
    "a mapping": ({"close": {"binance": 1}}, "'close' comes from {'binance': 1}", FORM),
    "one without a name": ({"close": ["binance", ""]}, "a venue of 'close' is called ''", FORM),
    "one that is none": ({"close": ["binance", 5]}, "a venue of 'close' is called 5", FORM),
    "one alone": ({"close": ["okx"]}, "'close' comes from ['okx']", 'one venue is written "okx"'),
    "twice": ({"fix": ["okx", "okx"]}, "'fix' comes from 'okx' twice", "it has one voice"),
    "open interest": ({"oi": ["okx", "bybit"]}, "'oi' comes from several venues", WHY),
    "a flow": (
        {"liq.long": ("okx", "bybit")},
        "only prices can be compared",
        '{"liq.long": "okx"}',
    ),
    "volume": ({"volume": ["okx", "bybit"]}, "only prices can be compared", WHY),
    "the account": ({"equity": ["okx", "bybit"]}, "only prices can be compared", WHY),
    "a cost": ({"holder.cost": ["okx", "bybit"]}, "only prices can be compared", WHY),
    "an input of coins": ({"held": ["okx", "bybit"]}, "only prices can be compared", WHY),
    "a slip": ({"clsoe": ["okx", "bybit"]}, "no series is called so", "mend the name"),
    "its own symbol": ({"BTC.close": ["okx", "bybit"]}, "'BTC.close' comes", '"close" alone'),
    "two kinds of bars": (
        {"low": "okx", "close": ["okx", "bybit"]},
        "'close' and 'low' come from different venues",
        'name the venues of a bar once: {"close": ["okx", "bybit"]}',
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_what_to_write(case: str) -> None:
    sources, said, fix = WRONG[case]
    ruleset, found = read_text(TEXT, "rules.yaml")
    assert ruleset is not None, found
    with pytest.raises(DataError) as error:
        Guard(ruleset, sources=sources)
    assert said in str(error.value)
    assert fix in str(error.value)
    with pytest.raises(DataError):
        Fit(every=ruleset.every, symbol="BTC", sources=sources).bound(ruleset)


def test_prices_of_any_symbol_may_come_from_several() -> None:
    sources = {
        "close": ("okx", "bybit"),
        "ETH.high": ["okx", "gate"],
        "fix": ["a", "b"],
        "oi": "okx",
    }
    ruleset, _ = read_text(TEXT, "rules.yaml")
    assert ruleset is not None
    guard = Guard(ruleset, sources=sources)
    again = Guard(ruleset, sources={**sources, "close": ["okx", "bybit"]})
    again.load(guard.dump())
    guard.load(again.dump())
    assert venues_of(sources, "", "low") == ("okx", "bybit")
    assert venues_of(sources, "ETH", "close") == ("okx", "gate")
    assert venues_of(sources, "", "fix") == ("a", "b")
    assert venues_of(sources, "", "oi") == venues_of(sources, "SOL", "close") == ()


def test_a_fit_is_the_same_however_its_venues_are_written() -> None:
    one, two = Fit(sources={"close": ["okx", "bybit"]}), Fit(sources={"close": ("okx", "bybit")})
    assert one == two == Fit.of(one.plain())
    assert Fit(sources={"close": "okx"}) == Fit.of(Fit(sources={"close": "okx"}).plain())

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from riskguard import Event, Guard, Instrument, Intent, State
from riskguard.adapters.shared.desk import Offline
from riskguard.adapters.shared.symbols import STYLES, Traded, spelled, traded
from riskguard.language.reader import read_text
from riskguard.market import WHOLE, coin
from riskguard.testing.kit.guard import RULES, START

HOUR = 3_600_000_000_000
COINS = (
    "BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "ADA", "AVAX", "DOT", "LINK", "MATIC", "TRX", "ARB",
    "OP", "S", "W", "T", "USDC", "FDUSD", "PYUSD", "TUSD", "RLUSD", "WBTC", "STETH", "CBBTC",
    "1000PEPE", "1INCH", "BAT", "BNT", "LIT", "ORB", "SUSHI", "RUNE", "HYPE", "kPEPE",
)  # fmt: skip
NAMES = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=2, max_size=8)


@pytest.mark.parametrize("base", COINS)
@pytest.mark.parametrize("quote", ["USDT", "USDC", "BTC", "EUR", "USD"])
def test_each_venue_s_name_is_of_its_coin(base, quote) -> None:
    assume_other = base not in (quote, "kPEPE")
    for name in (f"{base}/{quote}", f"{base}/{quote}:{quote}", f"{base}-{quote}", base):
        assert coin(name) == base
    assert coin(f"{base}/{quote}:{quote}-260925") == base
    if assume_other and quote in ("USDT", "USDC"):
        for name in (f"{base}{quote}-PERP.BINANCE", f"{base}{quote}.BYBIT", f"{base}-{quote}-SWAP"):
            assert coin(name) == base
        assert coin(f"{base}{quote}") == base


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("*", "*"),
        ("", ""),
        ("BTC/USDT:USDT long", "BTC"),
        ("BTC-USDT short", "BTC"),
        ("BTC_USDT", "BTC"),  # gate
        ("BTC-PERP", "BTC"),
        ("BTC-USD-SWAP", "BTC"),  # okx
        ("BTCUSD_PERP", "BTC"),  # binance, settled in coins
        ("BTCUSDT_260925", "BTC"),
        ("XBTUSD", "BTC"),  # bitmex
        ("XBT/USD:BTC", "BTC"),
        ("ETHBTC.BINANCE", "ETH"),
        ("WBTC", "WBTC"),
        ("BTCTUSD", "BTC"),
        ("BNBUSD", "BNB"),
        ("BATUSD", "BAT"),
        ("DOTUSD", "DOT"),
        ("ARBUSD", "ARB"),
        ("BTCFDUSD", "BTC"),
        ("TUSDUSDT", "TUSD"),
        ("PYUSDUSDT", "PYUSD"),
        ("USDCUSDT", "USDC"),
        ("AAPL.XNAS", "AAPL"),
        ("USDC.e/USDT", "USDC.e"),
        ("BTC.b", "BTC.b"),
        ("btcusdt", "BTC"),  # htx, bitstamp, the streams of binance
        ("btc/usdt", "BTC"),
        (" BTC/USDT", "BTC"),
        ("BTC\t", "BTC"),
        ("BTCPERP", "BTC"),  # bybit, settled in USDC
        ("PERP", "PERP"),
        ("PERPUSDT", "PERP"),
        ("PF_XBTUSD", "BTC"),  # kraken futures
        ("FI_XBTUSD_260327", "BTC"),
        ("XBTUSDTM", "BTC"),  # kucoin futures
        ("ETHUSDCM", "ETH"),
        ("USDM", "USDM"),
        ("BINANCE:BTCUSDT", "BTC"),  # charts
        ("BYBIT:BTCUSDT.P", "BTC"),
        ("BTC:USD", "BTC"),
        ("SBTC/SUSDT:SUSDT", "SBTC"),  # bitget on paper
    ],
)
def test_a_name_that_could_be_misread_is_not(name, wanted) -> None:
    assert coin(name) == wanted


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_a_coin_that_ends_like_a_quote_is_whole(name) -> None:
    assert coin(name) == name
    assert coin(f"{name}/USDT") == name
    assert coin(f"{name}-USDT") == name
    assert coin(f"{name}USDT-PERP.BINANCE") == name


@given(name=NAMES, quote=NAMES, settle=NAMES)
def test_a_name_with_a_slash_or_a_dash_is_never_guessed_at(name, quote, settle) -> None:
    assume(name != "XBT" and quote[:1].isalpha())
    assume(quote not in {"PERP", "PERPETUAL", "SWAP", "SPOT", "LINEAR", "INVERSE", "FUTURES"})
    for symbol in (f"{name}/{quote}", f"{name}/{quote}:{settle}", f"{name}-{quote}"):
        assert coin(symbol) == name


@given(st.text(max_size=40))
def test_any_text_has_a_coin_and_the_coin_of_a_coin_is_itself(text) -> None:
    found = coin(text)
    assert isinstance(found, str)
    assert isinstance(traded(text), Traded)


@given(
    base=NAMES,
    quote=st.sampled_from(["USDT", "USDC"]),
    style=st.sampled_from(STYLES),
    swap=st.booleans(),
)
def test_what_is_spelled_for_a_venue_is_read_as_the_same_coin(base, quote, style, swap) -> None:
    assume(base != "XBT" and base not in WHOLE)
    market = Traded(base, quote, quote if swap else "")
    name = spelled(market, style, venue="BINANCE")
    assert coin(name) == base
    read = traded(name)
    assert (read.coin, read.quote) == (base, quote)
    if style in ("ccxt", "nautilus"):
        assert read == market
        assert spelled(read, style, venue="BINANCE") == name


def test_an_inverse_swap_is_settled_in_its_coin() -> None:
    for name in ("BTC/USD:BTC", "BTC-USD-SWAP", "BTCUSD-PERP.BINANCE", "BTCUSD_PERP"):
        assert traded(name) == Traded("BTC", "USD", "BTC")
    assert traded("BTC/USDT:USDT-260925") == Traded("BTC", "USDT", "USDT", "260925")
    assert traded("BTCUSDT_260925") == Traded("BTC", "USDT", "USDT", "260925")


def test_a_style_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(ValueError, match="write one of ccxt, dash, glued, nautilus"):
        spelled(Traded("BTC", "USDT"), "kraken")


@pytest.mark.parametrize("style", STYLES)
def test_a_coin_without_a_quote_is_no_market_that_a_venue_has_a_name_for(style) -> None:
    with pytest.raises(ValueError, match="BTC is a coin"):
        spelled(traded("BTC"), style)


# ---------------------------------------------------------------- one name for one episode


def desk(**more: object) -> Offline:
    ruleset, found = read_text(RULES, "rules.yaml")
    assert ruleset is not None, found
    made = Offline(Guard(ruleset, **more))
    for hour, close in enumerate((100.0, 100.0, 100.0, 100.0, 100.0), 1):
        tell(made, hour, close)
    return made


def tell(made: Offline, hour: int, close: float, symbol: str = "BTC/USDT:USDT") -> None:
    when = START + hour * HOUR
    made.take(Event(when, "alive", symbol, {"series": "liq.long"}))
    made.take(Event(when, "bar", symbol, {"close": close, "interval_ns": HOUR}))


@pytest.mark.parametrize(
    "symbol", ["BTC", "BTC/USDT:USDT", "BTC-USDT", "BTCUSDT-PERP.BINANCE", "BTC/USDT:USDT long"]
)
def test_positions_orders_and_duties_meet_under_the_name_the_host_gave(symbol) -> None:
    made = desk(instruments={"BTC": Instrument(contract_size=0.1)})
    name, _, book = symbol.partition(" ")
    made.take(Event(START + 5 * HOUR + 1, "account", symbol, {"position": 0.4}))
    tell(made, 6, 90.0)
    assert made.decision.state is State.CAUTION
    assert {action.symbol for action in made.poll()} == {symbol}
    assert [action.data for action in made.poll(symbol)] == [{}, {"ceiling": 2.0}]
    asked = Intent(START + 6 * HOUR, name, "buy", 9.0, 1.0, book=book)
    assert made.decide(asked).quantity == 1.0


def test_two_markets_of_one_coin_have_each_a_base_of_its_own() -> None:
    made = desk()
    for symbol, coins in (("BTC/USDT", 8.0), ("BTC/USDT:USDT", -2.0)):
        made.take(Event(START + 5 * HOUR + 1, "account", symbol, {"position": coins}))
    tell(made, 6, 90.0)
    found = {action.symbol: action.data.get("ceiling") for action in made.poll()}
    assert found == {"BTC/USDT": 4.0, "BTC/USDT:USDT": 1.0}

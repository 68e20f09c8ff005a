"""What each venue calls a market, and back.

`riskguard.market.coin` says which coin a name is of: all that rules need. An adapter that hands
a market from one framework to another needs the rest: the quote, and whether it is a swap.
"""

from __future__ import annotations

from typing import NamedTuple

from riskguard.market import KINDS, coin, plain, unglued

__all__ = ["STYLES", "Traded", "spelled", "traded"]

STYLES = ("ccxt", "dash", "glued", "nautilus")
SWAPS = frozenset({"PERP", "PERPETUAL", "SWAP", "LINEAR", "INVERSE"})


class Traded(NamedTuple):
    """A market: a coin against a quote, as spot ("") or as a swap settled in something.

    `settle` is "" for spot, and also where a name does not say what it is: "BTC-USDT" is spot
    or swap by the exchange it is of. `expiry` ("240628") is of a future.
    """

    coin: str
    quote: str = ""
    settle: str = ""
    expiry: str = ""


def traded(symbol: str) -> Traded:
    """Read what any venue calls a market.

    >>> traded("BTC/USDT:USDT")
    Traded(coin='BTC', quote='USDT', settle='USDT', expiry='')
    >>> traded("BTCUSDT-PERP.BINANCE") == traded("BTC/USDT:USDT") == traded("BTC-USDT-SWAP")
    True
    >>> traded("ETH-USDT"), traded("ETH")
    (Traded(coin='ETH', quote='USDT', settle='', expiry=''), Traded(coin='ETH', quote='', settle='', expiry=''))
    """  # noqa: E501 - as Python prints it
    name = plain(symbol)
    base, slash, rest = name.partition("/")
    if slash:
        quote, _, settle = rest.partition(":")
        settle, _, expiry = settle.partition("-")
        return Traded(coin(symbol), quote, settle, expiry)
    head, dot, venue = name.rpartition(".")
    at_venue = bool(dot) and len(venue) > 1 and venue.isupper()
    base, *words = (head if at_venue else name).replace("_", "-").replace(":", "-").split("-")
    quote = ""
    if words and words[0] not in KINDS and not words[0][:1].isdigit():
        quote, *words = words
    else:
        base, quote = unglued(base, pair=at_venue)
    swap = bool(SWAPS.intersection(words))
    expiry = next((word for word in words if word[:1].isdigit()), "")
    inverse = quote == "USD"  # a swap against dollars is settled in its coin
    settle = (coin(base) if inverse else quote) if swap or expiry else ""
    return Traded(coin(symbol), quote, settle, expiry)


def spelled(market: Traded, style: str, *, venue: str = "") -> str:
    """Return what is written for a market: by ccxt and freqtrade, hummingbot and jesse, Nautilus.

    >>> [spelled(traded("BTC/USDT:USDT"), style, venue="BINANCE") for style in STYLES]
    ['BTC/USDT:USDT', 'BTC-USDT', 'BTCUSDT', 'BTCUSDT-PERP.BINANCE']

    Raises:
        ValueError: there is no such style, or nothing says what the coin is traded against.
    """
    base, quote, settle, expiry = market
    if not quote:
        raise ValueError(f"{base} is a coin: against what is it traded?")
    if style == "ccxt":
        future = f"-{expiry}" if expiry else ""
        return f"{base}/{quote}" + (f":{settle}{future}" if settle else "")
    if style == "dash":
        return f"{base}-{quote}"
    if style == "glued":
        return f"{base}{quote}" + (f"_{expiry}" if expiry else "")
    if style == "nautilus":
        kind = f"-{expiry}" if expiry else "-PERP" if settle else ""
        return f"{base}{quote}{kind}.{venue or 'VENUE'}"
    raise ValueError(f"style {style!r}: write one of {', '.join(STYLES)}")

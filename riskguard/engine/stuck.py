"""Feeds of prices that repeat themselves while others move: frozen, whatever stamps they send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from riskguard.engine.events import Event

    Feed = tuple[str, str]  # source, symbol

__all__ = ["KINDS", "Stuck"]

KINDS = frozenset({"bar", "mark", "trade"})
REPEATS = 5  # equal updates
SECOND = 2  # from this one on it is watched what others do
PEERS, MOVED = 2, 0.01  # so many others have moved by so much meanwhile
FEEDS = 64  # that are looked at


class Run:
    """Equal updates of one feed: how many, and where others stood at the second of them."""

    __slots__ = ("beside", "count", "frozen", "told")

    def __init__(self, told: Iterable[float]) -> None:
        self.told, self.count, self.frozen = tuple(told), 1, False
        self.beside: dict[Feed, float] = {}


class Stuck:
    """Knows the last price of each feed and for how long it has told nothing else.

    A feed is one symbol of one source; bars, trades and marks of it are judged apart.
    """

    __slots__ = ("_prices", "_runs")

    def __init__(self) -> None:
        self._prices: dict[Feed, float] = {}
        self._runs: dict[tuple[str, Feed], Run] = {}

    def repeats(self, event: Event, values: Mapping[str, float]) -> bool:
        """Take what a feed tells; say whether it only repeats itself while two others moved."""
        feed, price = (event.source, event.symbol), values["close"]
        told, run = tuple(values.values()), self._runs.get((event.kind, feed))
        if run is None or run.told != told:
            if price > 0 and (run is not None or len(self._runs) < FEEDS):
                self._runs[event.kind, feed] = Run(told)
                self._prices[feed] = price
            return False
        run.count += 1
        if run.count == SECOND:
            run.beside = {name: price for name, price in self._prices.items() if name != feed}
        if not run.frozen and run.count >= REPEATS:
            now = self._prices
            moved = sum(abs(now[name] / then - 1) > MOVED for name, then in run.beside.items())
            run.frozen = moved >= PEERS
        return run.frozen

    def dump(self) -> dict[str, Any]:
        """Return what is known, as JSON holds it."""
        runs = [
            [kind, *feed, run.told, run.count, run.frozen, _rows(run.beside)]
            for (kind, feed), run in self._runs.items()
        ]
        return {"prices": _rows(self._prices), "runs": runs}

    def load(self, body: Mapping[str, Any]) -> None:
        """Go on from what `dump` gave; what is none of ours raises as a foreign mapping does."""
        self._prices = _prices(body["prices"])
        for kind, source, symbol, told, count, frozen, beside in body["runs"]:
            run = Run(map(float, told))
            run.count, run.frozen, run.beside = int(count), bool(frozen), _prices(beside)
            if not run.beside.keys() <= self._prices.keys():
                msg = "a feed is compared with one that has no price"
                raise ValueError(msg)
            self._runs[str(kind), (str(source), str(symbol))] = run


def _rows(prices: Mapping[Feed, float]) -> list[list[str | float]]:
    return [[*feed, price] for feed, price in prices.items()]


def _prices(rows: Iterable[tuple[str, str, float]]) -> dict[Feed, float]:
    found = {(str(source), str(symbol)): float(price) for source, symbol, price in rows}
    if not all(0 < price < float("inf") for price in found.values()):
        msg = "a price is above zero"
        raise ValueError(msg)
    return found

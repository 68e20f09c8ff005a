"""The test of `riskguard new`: cases that prove every line of the rules it wrote.

A test can prove a threshold only by standing close to it. So there is one case in which every
line is just true, and for each line one in which it alone is just not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from riskguard.cli.new_rules import RULE, percent, plain, span
from riskguard.market import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from riskguard.cli.new_rules import Answers

    Prices = Sequence[tuple[Callable[[int], str], int]]  # closes for so many bars

__all__ = ["cases_text"]

START = "2026-01-01T00:00Z"


def cases_text(answers: Answers, rules: str) -> str:
    """Return the test of the rule file `rules`."""
    sources = ["sources: {liq.long: binance}"] if answers.liquidations else []
    head = ["version: 1", f"rules: {rules}", f"every: {span(answers.every)}", f"start: {START}"]
    cases = [line for case in _Story(answers).cases() for line in case]
    return "\n".join([*head, *sources, "cases:", *cases, ""])


class _Break(NamedTuple):
    """What comes with the second close under the support, or one bar `early`."""

    oi: float = 95.5  # what is left of 100
    pace: tuple[float, float] = (16.8, 52.0)  # millions liquidated in the 24 h before, and then
    early: bool = False
    lasting: bool = False  # liquidations stay as they are then


USUAL = _Break()


class _Story:
    """A market that is calm, then breaks; counted in bars of `every`."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.day = DAY // answers.every
        calm = 3 * DAY if answers.support else answers.lookback + 2 * DAY
        self.calm = calm // answers.every
        self.fires = self.calm + 1  # the second close under the support
        self.held = -(-answers.back // answers.every)  # bars from the first one back to the clear

    def cases(self) -> Iterator[list[str]]:
        """Yield every case as lines of the file."""
        yield self._whole()
        yield self._not_back()
        if self.answers.liquidations:
            yield self._not_calm()
        yield self._never("support holds", [(self._above, self.fires + 3)])
        one = [(self._above, self.calm), (self._under, 1), (self._above, 3)]
        yield self._never("one close under support", one, _Break(early=True))
        lost = [(self._above, self.calm), (self._under, 4)]
        if self.answers.oi:
            name = "support lost, open interest falls too little"
            yield self._never(name, lost, _Break(oi=95.8))
        if self.answers.liquidations:  # 2.8 times the week; 3.2 times, but under the floor
            slow, small = (18.0, 51.0), (15.0, 48.5)
            yield self._never("support lost, liquidations too slow", lost, _Break(pace=slow))
            yield self._never("support lost, liquidations too small", lost, _Break(pace=small))

    def _whole(self) -> list[str]:
        """Lost, acted on, held again: the one case in which every line is just true."""
        back = self.fires + self.day + 1
        clears = back + self.held
        prices = [
            (self._above, self.calm), (self._under, back - self.calm), (self._back, self.held + 2),
        ]  # fmt: skip
        asked = ", ".join([f"active: [{RULE}]", *self._expected()])
        expect = [
            f"{{at: {self._at(self.fires - 1)}, active: []}}",
            f"{{at: {self._at(self.fires)}, {asked}}}",
            f"{{at: {self._at(clears - 1)}, active: [{RULE}]}}",
            f"{{at: {self._at(clears)}, active: []}}",
        ]
        return _case(
            "support lost, then held again -> acts, then lets go", self._series(prices), expect
        )

    def _not_back(self) -> list[str]:
        prices = [
            (self._above, self.calm),
            (self._under, 2),
            (self._near, self.day + self.held + 2),
        ]
        last = sum(count for _, count in prices) - 1
        expect = [f"{{at: {self._at(last)}, active: [{RULE}]}}"]
        return _case("price comes back, not far enough -> stays", self._series(prices), expect)

    def _not_calm(self) -> list[str]:
        clears = self.fires + 8 * self.day - 1  # the first bar with a whole week at one pace
        prices = [(self._above, self.calm), (self._under, 2), (self._back, clears - self.fires + 1)]
        expect = [
            f"{{at: {self._at(clears - 1)}, active: [{RULE}]}}",
            f"{{at: {self._at(clears)}, active: []}}",
        ]
        name = "price is back, liquidations go on -> stays until they are the week's normal"
        return _case(name, self._series(prices, _Break(lasting=True)), expect)

    def _never(self, name: str, prices: Prices, broken: _Break = USUAL) -> list[str]:
        expect = [f"{{never: {{rule: {RULE}}}}}"]
        return _case(f"{name} -> nothing", self._series(prices, broken), expect)

    # ------------------------------------------------------------ series

    def _series(self, prices: Prices, broken: _Break = USUAL) -> dict[str, str]:
        bars = sum(count for _, count in prices)
        breaks = self.fires - broken.early
        found = {"close": ", ".join(price(count) for price, count in prices)}
        if self.answers.oi:
            left = plain(broken.oi * 1_000)
            found["oi"] = f"{_times('100_000', breaks)}, {_times(left, bars - breaks)}"
        if self.answers.liquidations:
            before, then = broken.pace
            each = before / self.day
            calm, burst = (f"${one:.10g}M" for one in (each, then - (self.day - 1) * each))
            after = _times(burst, bars - breaks)
            if not broken.lasting:
                after = f"{burst}, {_times(calm, bars - breaks - 1)}"
            found["liq.long"] = f"{_times(calm, breaks)}, {after}"
        return found

    def _above(self, bars: int) -> str:
        return _times(self._price(1.05 if self.answers.support else 1.0), bars)

    def _under(self, bars: int) -> str:
        return _times(self._price(0.96), bars)

    def _back(self, bars: int) -> str:
        """Return closes above what clears; a mean follows the price, so it has to rise."""
        if self.answers.support:
            return self._above(bars)
        return f"{self._price(1.03)} -> {self._price(1.08)} over {bars}"

    def _near(self, bars: int) -> str:
        """Return closes above the support that was lost, but under what clears."""
        if self.answers.support:
            return _times(self._price(1.005), bars)
        return f"{self._price(0.98)} -> {self._price(0.965)} over {bars}"

    def _price(self, share: float) -> str:
        return plain((self.answers.support or 100.0) * share, 5)

    def _at(self, bar: int) -> str:
        time = bar * self.answers.every
        return f"{time // HOUR}h" if time % HOUR == 0 else f"{time // MINUTE}m"

    def _expected(self) -> Iterator[str]:
        if self.answers.cap < 1:
            yield f"exposure_cap: {percent(self.answers.cap)}"
        yield "blocked: long" if self.answers.cap else "blocked: both, close: longs"


def _times(text: str, count: int) -> str:
    return text if count == 1 else f"{text} x{count}"


def _case(name: str, series: dict[str, str], expect: list[str]) -> list[str]:
    wide = max(map(len, series)) + 1
    lines = [f"  - name: {name}", "    series:"]
    lines += [f"      {key + ':':<{wide}} {text}" for key, text in series.items()]
    if len(expect) == 1:
        return [*lines, f"    expect: [{expect[0]}]"]
    return [*lines, "    expect:", *(f"      - {one}" for one in expect)]

"""The contract of a guard: what an adapter may rely on, whoever wrote the guard."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

from riskguard.engine.decision import State
from riskguard.engine.events import Event
from riskguard.engine.orders import Intent, Pending
from riskguard.market import HOUR, MINUTE
from riskguard.testing.kit.harness import NotSupported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.engine.orders import Verdict

__all__ = ["RULES", "GuardContract"]

START = 1_767_225_600_000_000_000
EVENTS, CUT = 400, 200
THREADS = 4
# rules of which every check of the contract sees something: a guard of riskguard is made of them
RULES = """\
version: 1
symbol: BTC
every: 1h
rules:
  fall:
    when: close.drop(2h) >= 5%
    clear: close.rise(2h) >= 3% for 2 closes
    do: {exposure_cap: 50%}
  forced:
    when: liq.long.sum(4h) > $60M
    do: {block_entries: long}
  flat:
    when: close < 60
    do: {exposure_cap: 0%}
"""


class GuardContract:
    """What any guard must keep; subclass it in a test file and say how yours is made.

        class TestMine(GuardContract):
            def make(self):
                return Offline(Guard(rules))

    `make` returns a desk (`riskguard.adapters.shared.desk`) of rules that read the close of
    `symbol` in bars of an hour, and tighten where it falls from 100 to 50; RULES are such ones.
    """

    symbol: str = "BTC/USDT:USDT"
    flow: str = "liq.long"  # a series that protection waits for; "" where there is none
    calls: int = 4_000  # of each thread
    watched: bool = True  # False: between two lives a guard knows that nobody watched

    # ------------------------------------------------------------ how the guard is made

    def make(self) -> Any:  # noqa: ANN401 - any desk
        """Return a guard that has seen nothing."""
        raise NotImplementedError

    def again(self, desk: Any) -> Any:  # noqa: ANN401 - as above
        """Return another guard that goes on from what this one remembers."""
        raise NotSupported("what the guard remembers cannot be taken elsewhere")

    def remembers(self, desk: Any) -> str:  # noqa: ANN401 - as above
        """Return all that a guard remembers, as text."""
        return str(desk.guard.dump())

    def other(self) -> str:
        """Return what a guard of other rules remembers."""
        raise NotSupported("there are no other rules")

    def load(self, desk: Any, blob: str) -> None:  # noqa: ANN401 - as above
        """Have a guard go on from what another remembered."""
        desk.guard.load(blob)

    def at(self, ts: int) -> None:
        """Set the clock, where the guard has one."""

    # ------------------------------------------------------------ words of the checks

    def holds(self, truth: bool, otherwise: str) -> None:  # noqa: FBT001 - as assert has it
        """Check something; said aloud, and not left out by `python -O`."""
        if not truth:
            raise AssertionError(otherwise)

    def tell(self, desk: Any, *events: Event) -> Any:  # noqa: ANN401 - as above
        """Tell events, each at its time, and return the decision in force."""
        for event in events:
            self.at(event.ts)
            desk.take(event)
            desk.tick()
        return desk.decision

    def bar(self, number: int, close: float) -> Event:
        """Return the bar that closes at the end of an hour."""
        data = {"close": close, "interval_ns": HOUR}
        return Event(START + number * HOUR, "bar", self.symbol, data)

    def alive(self, number: int) -> list[Event]:
        """Return the word of the flow's feed that nothing else happened in an hour."""
        when = START + number * HOUR
        said = Event(when, "alive", self.symbol, {"series": self.flow})
        return [said] if self.flow else []

    def hours(self, *closes: float, first: int = 1) -> Iterator[Event]:
        """Yield hours as bars with nothing forced in them."""
        for number, close in enumerate(closes, first):
            yield from self.alive(number)
            yield self.bar(number, close)

    def stream(self, count: int = EVENTS) -> list[Event]:
        """Return a day of everything, the same each time: falls, liquidations, an account."""
        dice, events, close, number = random.Random(7), list[Event](), 100.0, 0  # noqa: S311 - no secret
        while len(events) < count:
            number += 1
            close = min(115.0, max(50.0, close * dice.uniform(0.94, 1.06)))
            begin = START + (number - 1) * HOUR
            for part in range(dice.randrange(3)):
                data: dict[str, object] = {"notional_usd": dice.uniform(0, 4e7)}
                data["liquidated_side"] = dice.choice(("long", "short"))
                ts = begin + (part + 1) * 10 * MINUTE
                events.append(Event(ts, "liquidation", self.symbol, data, id=str(len(events))))
            held = {"position": float(dice.randrange(4)), "equity": 10_000.0 * close / 100}
            events.append(Event(begin + 50 * MINUTE, "account", self.symbol, held))
            events += [*self.alive(number), self.bar(number, close)]
        return events[:count]

    def order(
        self, side: str, quantity: float, position: float = 0.0, *pending: Pending, ts: int
    ) -> Intent:
        """Return an order of the bot."""
        return Intent(ts, self.symbol, side, quantity, position, pending)

    def halted(self) -> tuple[Any, int]:
        """Return a guard that an operator has halted, and the time it is there."""
        desk, now = self.make(), START + 4 * HOUR + MINUTE
        self.tell(desk, *self.hours(100.0, 100.0, 100.0, 100.0))
        self.tell(desk, Event(now, "operator", "*", {"do": "halt", "by": "test"}))
        return desk, now

    # ------------------------------------------------------------ the checks

    def test_it_is_a_desk_of_this_interface(self) -> None:
        """It has the five calls, and says which version of the interface it speaks."""
        desk = self.make()
        for name in ("take", "tick", "decide", "poll", "done"):
            self.holds(callable(getattr(desk, name)), f"no {name}()")
        self.holds(desk.decision.state in State, "the decision has no state")
        api = getattr(getattr(desk, "guard", desk), "api", (0, 0))
        self.holds(api[0] == 1, f"api {api}, where 1.x is asked")

    def test_exits_are_never_blocked(self) -> None:
        """Halted, a position may be left in full, and nothing may be entered."""
        desk, now = self.halted()
        self.holds(desk.decision.state is State.HALTED, f"state {desk.decision.state!r}")
        for side, position in (("sell", 3.0), ("buy", -3.0)):
            found = desk.decide(self.order(side, 3.0, position, ts=now))
            self.holds(found.answer == "allow", f"an exit of {position}: {found}")
        for side in ("buy", "sell"):
            found = desk.decide(self.order(side, 1.0, ts=now))
            self.holds((found.answer, found.quantity) == ("deny", 0.0), f"an entry: {found}")
            self.holds(bool(found.reasons), "a denial says why")

    def test_an_exit_that_is_too_large_is_cut_to_the_position(self) -> None:
        """What goes beyond is an entry on the other side."""
        desk, now = self.halted()
        found = desk.decide(self.order("sell", 5.0, 2.0, ts=now))
        self.holds((found.answer, found.quantity) == ("resize", 2.0), str(found))

    def test_no_answer_is_larger_than_what_was_asked(self) -> None:
        """Whatever happens, no order is enlarged, and no order raises."""
        desk, dice = self.make(), random.Random(3)  # noqa: S311 - no secret
        for event in self.stream():
            self.tell(desk, event)
            side, size = dice.choice(("buy", "sell")), dice.uniform(0.1, 4.0)
            asked = self.order(side, size, dice.uniform(-3, 3), ts=event.ts)
            found: Verdict = desk.decide(asked)
            self.holds(0 <= found.quantity <= size, f"asked {size}, granted {found.quantity}")

    def test_it_goes_on_from_what_it_remembers(self) -> None:
        """Cut in the middle and taken up by another, it decides as the uninterrupted one."""
        events = self.stream()
        whole, half = self.make(), self.make()
        for event in events[:CUT]:
            self.tell(whole, event)
            self.tell(half, event)
        half = self.again(half)
        for event in events[CUT:]:
            one, other = self.tell(whole, event), self.tell(half, event)
            self.holds(one == other, f"at {event}: {one} and {other}")
        same = not self.watched or self.remembers(whole) == self.remembers(half)
        self.holds(same, "they decide alike, and remember other things")

    def test_to_ask_changes_nothing(self) -> None:
        """Fifty questions leave what it remembers as it was."""
        desk = self.make()
        self.tell(desk, *self.hours(100.0, 100.0, 100.0, 92.0))
        asked = self.order("buy", 1.0, 1.0, ts=START + 4 * HOUR)
        desk.decide(asked)
        before = self.remembers(desk)
        answers = {(desk.decide(asked), len(desk.poll()), desk.decision.ts) for _ in range(50)}
        self.holds(len(answers) == 1, "the same question, another answer")
        self.holds(self.remembers(desk) == before, "asking has changed something")

    def test_a_late_event_does_not_turn_time_back(self) -> None:
        """What comes late decides nothing again."""
        desk = self.make()
        before = self.tell(desk, *self.hours(100.0, 100.0, 100.0, 92.0))
        desk.take(self.bar(2, 100.0))
        desk.take(Event(START + HOUR, "clock", "*", {}))
        desk.take(self.bar(3, 130.0))
        self.holds(desk.decision == before, f"{before} became {desk.decision}")

    def test_the_operator_halts_and_resumes(self) -> None:
        """A halt is an event as any other: at once, with flatten as a duty, until a resume."""
        desk, now = self.halted()
        self.tell(desk, Event(now, "account", self.symbol, {"position": 2.0}))
        kinds = {one.kind for one in desk.poll()}
        self.holds("flatten" in kinds, f"duties of a halt: {kinds}")
        self.tell(desk, *self.hours(100.0, 101.0, first=5))
        self.holds(desk.decision.state is State.HALTED, "a halt ended by itself")
        after = START + 6 * HOUR + MINUTE
        self.tell(desk, Event(after, "operator", "*", {"do": "resume", "by": "test"}))
        self.holds(desk.decision.state is State.ACTIVE, f"resumed: {desk.decision}")

    def test_a_silent_feed_is_not_one_that_has_nothing_to_say(self) -> None:
        """A feed that says it lives keeps entries open, one that says nothing blocks them."""
        if not self.flow:
            raise NotSupported("no rule reads a flow")
        closes = [100.0] * 12
        for speaks in (True, False):
            desk, now = self.make(), START + 24 * HOUR
            self.tell(desk, *self.hours(*closes))
            for number in range(13, 25):
                self.tell(desk, *(self.alive(number) if speaks else ()), self.bar(number, 100.0))
            found = desk.decide(self.order("buy", 1.0, ts=now))
            self.holds((found.answer == "allow") is speaks, f"speaks {speaks}: {found}")

    def test_what_another_rule_set_remembers_is_refused(self) -> None:
        """It is refused aloud, and the guard is as it was."""
        blob, desk = self.other(), self.make()
        self.tell(desk, *self.hours(100.0, 100.0, 92.0))
        before = self.remembers(desk)
        try:
            self.load(desk, blob)
        except Exception:  # noqa: BLE001 - how it is refused is its own affair
            self.holds(self.remembers(desk) == before, "the refusal has changed something")
        else:
            raise AssertionError("what other rules remember was taken")

    def test_a_duty_that_is_done_is_not_asked_for_again(self) -> None:
        """The same condition keeps the same id, and an id that is done is gone."""
        desk, now = self.halted()
        self.tell(desk, Event(now, "account", self.symbol, {"position": 2.0}))
        first = {one.id for one in desk.poll()}
        self.holds(first == {one.id for one in desk.poll()}, "ids change by being asked for")
        desk.done(*first)
        self.holds(not first & {one.id for one in desk.poll()}, "asked for what is done")

    def test_what_is_done_stays_done_over_a_restart(self) -> None:
        """An id that was acted on is acted on once: another life does not ask for it."""
        desk, now = self.halted()
        self.tell(desk, Event(now, "account", self.symbol, {"position": 2.0}))
        first = [one.id for one in desk.poll()]
        done, left = first[:1], first[1:]
        self.holds(bool(left), f"duties of a halt: {first}")
        desk.done(*done)
        found = [one.id for one in self.again(desk).poll()]
        self.holds(found == left, f"{done} was done, and {found} is asked for after")

    def test_threads_may_share_it(self) -> None:
        """Four threads tell and ask at once: nothing is lost, and nothing is counted twice."""
        alone, shared = self.make(), self.make()
        for event in self.hours(*[100.0] * 8):  # in turn: two guards may have one clock
            self.tell(alone, event)
            self.tell(shared, event)
        now = START + 8 * HOUR + MINUTE
        self.at(now)
        for thread in range(THREADS):
            for call in range(self.calls):
                alone.take(self.forced(now, thread, call))
        errors = self.crowd(shared, now)
        self.holds(not errors, "; ".join(errors[:3]))
        for event in self.hours(100.0, 100.0, first=9):
            one, other = self.tell(alone, event), self.tell(shared, event)
            self.holds(one == other, f"{one} and {other}")

    def forced(self, now: int, thread: int, call: int) -> Event:
        """Return a small liquidation of which each call of each thread has one of its own."""
        data = {"notional_usd": 1_000.0 + thread, "liquidated_side": "long"}
        return Event(now, "liquidation", self.symbol, data, id=f"{thread}.{call}")

    def crowd(self, desk: Any, now: int) -> list[str]:  # noqa: ANN401 - as above
        """Have threads tell and ask at once; return what went wrong."""
        errors = list[str]()

        def work(thread: int) -> None:
            try:
                for call in range(self.calls):
                    desk.take(self.forced(now, thread, call))
                    found = desk.decide(self.order("buy", 1.0, ts=now))
                    if found.quantity != 1.0:
                        errors.append(f"{found}")
            except Exception as error:  # noqa: BLE001 - whatever it is, the check fails by it
                errors.append(repr(error))

        threads = [threading.Thread(target=work, args=(one,)) for one in range(THREADS)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        return errors

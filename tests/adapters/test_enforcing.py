from __future__ import annotations

import asyncio
import itertools
import math

import pytest

from riskguard.adapters.enforcing import Enforced, Memory, Open, Order, client_id, enforce
from riskguard.adapters.enforcing import enforce_async as later
from riskguard.engine.decision import State
from riskguard.engine.orders import Action
from riskguard.market import MINUTE, SECOND, Instrument
from riskguard.testing import ScriptedGuard
from tests.adapters.paper import PaperVenue, Refusing, Working

SYMBOL = "BTC/USDT:USDT"


class Scene:
    """A desk, a venue with a position, and the memory of a bot between calls."""

    def __init__(self, position: float = 0.0, **more: object) -> None:
        self.venue = PaperVenue()
        self.venue.books[""] = position
        self.instrument = Instrument(**more)
        self.desk = ScriptedGuard({SYMBOL: self.instrument})
        self.memory = Memory()

    def call(self, **more: object) -> Enforced:
        self.venue.time += MINUTE
        return self.soon(**more)

    def soon(self, **more: object) -> Enforced:
        return enforce(
            self.desk, self.venue, SYMBOL, memory=self.memory, instrument=self.instrument, **more
        )

    @property
    def position(self) -> float:
        return self.venue.books[""]


def failing(scene: Scene, name: str, times: int = 1) -> None:
    """Have a primitive of the venue raise so many times."""
    works, left = getattr(scene.venue, name), [times]

    def raises(*given):
        if left[0]:
            left[0] -= 1
            raise Refusing(f"no {name} now")
        return works(*given)

    setattr(scene.venue, name, raises)


def test_a_venue_is_asked_nothing_while_nothing_limits() -> None:
    scene = Scene(2.0)
    for name in ("position", "pending", "cancel", "submit"):
        failing(scene, name, 9)
    found = scene.call()
    assert found.settled
    assert found.position is None


def test_a_look_tells_the_desk_what_is_held() -> None:
    scene = Scene(2.0, contract_size=0.01)
    assert scene.call(look=True).position == 2.0
    (event,) = scene.desk.events
    assert (event.kind, event.symbol, event.data["position"]) == ("account", SYMBOL, 0.02)
    assert scene.desk.episodes.of(SYMBOL).position == 2.0


def test_a_halt_cancels_closes_and_is_done_when_it_is_seen() -> None:
    scene = Scene(2.0)
    scene.venue.place(Working("", "buy", 1.0, 95.0))
    scene.venue.place(Working("", "sell", 2.0, 90.0, stop=True))
    scene.desk.state(State.HALTED)
    found = scene.call()
    assert scene.position == 0.0
    assert not scene.venue.orders
    assert scene.venue.log[-1] == "sell 2"
    assert found.sent == [Order(SYMBOL, "sell", 2.0, close=True, ref=found.sent[0].ref)]
    kinds = [one.split(":")[2] for one in scene.desk.finished]
    assert sorted(kinds) == ["cancel_entries", "flatten"]
    assert scene.call().settled


def test_entries_go_before_the_position_is_reduced_and_exits_stay() -> None:
    scene = Scene(2.0)
    entry = scene.venue.place(Working("", "buy", 1.0, 95.0))
    stop = scene.venue.place(Working("", "sell", 2.0, 90.0, stop=True, reduce_only=True))
    scene.desk.state(State.CAUTION, exposure_cap=0.5)
    found = scene.call()
    assert found.cancelled == [entry]
    assert list(scene.venue.orders) == [stop]
    assert scene.position == 1.0


def test_only_the_side_that_is_blocked_is_cleared() -> None:
    scene = Scene(0.0)
    scene.venue.place(Working("", "buy", 1.0, 95.0))
    kept = scene.venue.place(Working("", "sell", 1.0, 105.0))
    scene.desk.state(State.CAUTION, block_entries="long")
    scene.call()
    assert list(scene.venue.orders) == [kept]


def test_a_reduction_is_rounded_up_so_that_what_stays_is_below_the_ceiling() -> None:
    scene = Scene(1.0, step=0.1)
    scene.desk.state(State.CAUTION, exposure_cap=0.33)
    scene.call()
    assert math.isclose(scene.position, 0.3)
    scene.call()
    assert math.isclose(scene.position, 0.3)


@pytest.mark.parametrize("position", [3.0, -3.0])
def test_a_short_is_bought_back_as_a_long_is_sold(position) -> None:
    scene = Scene(position)
    scene.desk.state(State.CAUTION, exposure_cap=1 / 3)
    scene.call()
    assert math.isclose(scene.position, position / 3)


def test_the_stop_nearest_to_the_price_stays_of_exits_that_exceed_the_position() -> None:
    scene = Scene(2.0)
    scene.venue.place(Working("", "sell", 2.0, 104.0))
    near = scene.venue.place(Working("", "sell", 2.0, 97.0, stop=True))
    scene.venue.place(Working("", "sell", 2.0, 80.0, stop=True))
    scene.desk.state(State.REDUCING)
    scene.call()
    assert list(scene.venue.orders) == [near]


def test_exits_held_to_reduce_only_by_the_venue_stay_however_many() -> None:
    scene = Scene(2.0)
    for price in (97.0, 90.0, 80.0):
        scene.venue.place(Working("", "sell", 2.0, price, stop=True, reduce_only=True))
    scene.desk.state(State.REDUCING)
    scene.call()
    assert len(scene.venue.orders) == 3


def test_a_cancel_that_the_venue_does_not_confirm_leaves_the_duty_open() -> None:
    scene = Scene(0.0)
    scene.venue.place(Working("", "buy", 1.0, 95.0))
    scene.venue.cancel = lambda *_: None
    scene.desk.state(State.REDUCING)
    for turn in range(3):
        found = scene.call()
        assert [one.id.split(":")[2] for one in found.open] == ["cancel_entries"]
        assert found.open[0].age == turn * MINUTE
    del scene.venue.cancel
    assert scene.call().settled


def test_what_would_not_be_cancelled_is_counted_as_on_its_way() -> None:
    scene = Scene(2.0)
    scene.venue.place(Working("", "sell", 1.5, 90.0, stop=True))
    scene.venue.cancel = lambda *_: None
    scene.desk.state(State.HALTED)
    found = scene.call()
    assert [one.quantity for one in found.sent] == [0.5]
    scene.venue.quote(89.0)
    assert scene.position == 0.0


@pytest.mark.parametrize("name", ["position", "pending", "cancel", "submit"])
def test_a_primitive_that_raises_is_told_and_tried_again_by_the_next_call(name) -> None:
    scene = Scene(2.0)
    scene.venue.place(Working("", "buy", 1.0, 95.0))
    scene.desk.state(State.HALTED)
    failing(scene, name)
    found = scene.call()
    assert [one for one in found.failures if one == f"{name}: Refusing: no {name} now"]
    found = scene.call()
    assert (scene.position, found.settled) == (0.0, True)


def test_an_order_that_was_taken_is_not_sent_again_while_it_is_not_seen() -> None:
    scene = Scene(2.0)
    scene.desk.state(State.CAUTION, exposure_cap=0.5)
    sent = []
    scene.venue.submit = sent.append  # taken, and shown nowhere
    scene.call()
    for _ in range(3):
        scene.venue.time += SECOND
        scene.soon()
    assert len(sent) == 1
    scene.venue.time += 10 * SECOND
    scene.soon()
    assert [one.ref for one in sent] == [client_id(_reduction(scene), n) for n in (0, 1)]


def _reduction(scene: Scene) -> str:
    (action,) = [one for one in scene.desk.poll(SYMBOL) if one.kind == "reduce_to"]
    return action.id


def test_an_answer_that_was_lost_is_not_an_order_that_was_lost() -> None:
    scene = Scene(4.0)
    scene.desk.state(State.CAUTION, exposure_cap=0.5)
    submit = scene.venue.submit

    def lost(order: Order) -> None:
        submit(order)
        raise TimeoutError

    scene.venue.submit = lost
    scene.venue.delayed = 1
    scene.call()
    scene.call()
    scene.venue.deliver()
    assert scene.position == 2.0
    assert scene.call().settled
    assert scene.position == 2.0


def test_a_bot_that_comes_back_sends_the_same_id_and_the_venue_refuses_it() -> None:
    scene = Scene(4.0)
    scene.desk.state(State.CAUTION, exposure_cap=0.5)
    scene.venue.delayed = 1
    scene.venue.pending = lambda _symbol: []  # market orders are listed nowhere
    scene.call()
    scene.memory = Memory()
    found = scene.call()
    assert "submit: Refusing: duplicate client order id" in found.failures
    scene.venue.deliver()
    assert scene.position == 2.0
    assert scene.call().settled


def test_attempts_are_kept_apart_by_a_time_that_doubles() -> None:
    scene = Scene(2.0)
    scene.desk.state(State.HALTED)
    failing(scene, "submit", 10_000)
    tries = []
    for _ in range(400):
        scene.venue.time += SECOND
        found = scene.soon()
        if any("submit" in one for one in found.failures):
            tries.append(scene.venue.time // SECOND)
    gaps = [late - early for early, late in itertools.pairwise(tries)]
    assert gaps[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(gaps[7:]) == {60}
    assert found.open[-1].attempts == len(tries)


def test_less_than_the_venue_takes_is_told_once_and_given_up() -> None:
    scene = Scene(0.05, min_quantity=0.1)
    scene.desk.state(State.HALTED)
    scene.venue.submit = lambda _order: (_ for _ in ()).throw(Refusing("below the minimum"))
    assert scene.call().sent == []  # the venue's way to close is tried
    assert scene.call().residual == 0.05
    found = scene.call()
    assert (found.residual, found.settled) == (None, True)


def test_a_late_fill_above_the_ceiling_is_a_new_tightening() -> None:
    scene = Scene(2.0)
    scene.desk.state(State.CAUTION, exposure_cap=0.5)
    scene.call()
    assert scene.position == 1.0
    scene.venue.books[""] = 1.75  # by an order that nobody knew of
    found = scene.call()
    assert scene.position == 1.0
    assert [one.split(":")[2] for one in found.done] == ["cancel_entries", "reduce_to"]
    assert len({one.split(":")[1] for one in scene.desk.finished}) == 2


def test_a_position_that_shrinks_by_nobody_is_told() -> None:
    scene = Scene(4.0)
    scene.venue.place(Working("", "sell", 1.0, 90.0, stop=True, reduce_only=True))
    scene.desk.state(State.REDUCING)
    assert not scene.call().adl_suspected
    scene.venue.quote(89.0)  # the stop
    assert not scene.call().adl_suspected
    scene.memory.left(SYMBOL, 1.0)
    scene.venue.books[""] = 2.0  # the bot's own exit
    assert not scene.call().adl_suspected
    scene.venue.books[""] = 1.0
    assert scene.call().adl_suspected
    assert not scene.call().adl_suspected


def test_a_broken_desk_is_told_and_nothing_is_sent() -> None:
    scene = Scene(2.0)
    scene.desk.state(State.HALTED)
    scene.desk.boom = True
    found = scene.call()
    assert found.failures == ["desk: Broken: the guard is broken"]
    assert not found.sent


def test_a_gate_that_breaks_between_lets_the_exit_pass() -> None:
    scene = Scene(2.0)
    scene.desk.state(State.HALTED)
    scene.desk.decide = None
    scene.call()
    assert scene.position == 0.0


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, None, "2"])
def test_a_position_that_is_none_is_told_and_nothing_is_sent(nonsense) -> None:
    scene = Scene(2.0)
    scene.venue.position = lambda _symbol: nonsense
    scene.desk.state(State.HALTED)
    found = scene.call()
    assert f"position: ValueError: {nonsense!r} is no position" in found.failures
    assert not found.sent
    assert found.open


def test_an_open_order_without_a_size_is_told_and_nothing_is_sent() -> None:
    scene = Scene(2.0)
    scene.venue.pending = lambda _symbol: [Open("1", "sell", math.nan, resting=True)]
    scene.desk.state(State.HALTED)
    found = scene.call()
    assert "pending: ValueError: nan is no size" in found.failures
    assert not found.sent


def test_a_share_is_of_the_position_as_it_was_first_seen_where_no_base_is_told() -> None:
    scene = Scene(8.0)
    scene.desk.state(State.CAUTION, exposure_cap=0.5)
    action = Action("a:1:reduce_to:X:0.5", "reduce_to", SYMBOL, 0.5)
    done = []
    scene.desk.poll = lambda _symbol: [] if done else [action]
    scene.desk.done = lambda *ids: done.extend(ids)
    scene.venue.share = 0.5
    for _ in range(4):
        scene.call()
    assert scene.position == 4.0
    assert done == [action.id]


def test_each_book_of_a_hedged_venue_is_reduced_alone() -> None:
    venue = PaperVenue(hedged=True)
    venue.books.update(long=4.0, short=2.0)
    desk, memory = ScriptedGuard(), Memory()

    def call() -> None:
        venue.time += MINUTE
        for book in ("long", "short"):
            enforce(desk, venue.view(book), SYMBOL, memory=memory, book=book)

    desk.state(State.CAUTION, exposure_cap=0.5)
    call()
    assert (venue.books["long"], venue.books["short"]) == (2.0, 1.0)
    desk.state(State.CAUTION, exposure_cap=0.5, close="shorts")
    call()
    call()
    assert (venue.books["long"], venue.books["short"]) == (2.0, 0.0)


def test_stops_and_hedges_stay_open_for_whoever_can_do_them() -> None:
    scene = Scene(2.0)
    scene.desk.episodes.note(SYMBOL, 2.0)
    scene.desk.state(State.CAUTION, hedge=0.5)
    assert [one.id.split(":")[2] for one in scene.call().open] == ["hedge"]


class Awaited:
    """The same venue for a host that awaits."""

    def __init__(self, venue: PaperVenue) -> None:
        self._venue, self.now = venue, venue.now

    def __getattr__(self, name):
        async def primitive(*given):
            await asyncio.sleep(0)
            return getattr(self._venue, name)(*given)

        return primitive


def test_a_host_that_awaits_takes_the_same_steps() -> None:
    found = []
    for awaits in (False, True):
        scene = Scene(2.0)
        scene.venue.place(Working("", "buy", 1.0, 95.0))
        failing(scene, "cancel")
        scene.desk.state(State.CAUTION, exposure_cap=0.5)
        said = []
        for _ in range(3):
            scene.venue.time += MINUTE
            outcome = (
                asyncio.run(later(scene.desk, Awaited(scene.venue), SYMBOL, memory=scene.memory))
                if awaits
                else scene.soon()
            )
            said.append(outcome)
        found.append((said, scene.position, scene.venue.log))
    assert found[0] == found[1]


def test_a_pause_lies_between_two_reads_of_a_venue_that_lags() -> None:
    scene = Scene(2.0)
    scene.desk.state(State.HALTED)
    scene.venue.delayed = 1
    reads = []
    position = scene.venue.position
    scene.venue.position = lambda symbol: reads.append(1) or position(symbol)
    scene.call(pause=0.001, reads=4)
    assert len(reads) == 5
    asyncio.run(
        later(scene.desk, Awaited(scene.venue), SYMBOL, memory=scene.memory, pause=0.001, reads=4)
    )


@pytest.mark.parametrize("forgets", [False, True])
def test_what_is_on_its_way_is_not_sent_again_however_long_it_takes(forgets) -> None:
    scene = Scene(4.0)
    scene.desk.state(State.CAUTION, exposure_cap=0.5)
    scene.venue.delayed = 1
    for _ in range(10):
        scene.call()
        if forgets:
            scene.memory = Memory()
    assert scene.venue.log == ["sell 2"]
    scene.venue.deliver()
    assert scene.call().settled
    assert scene.position == 2.0

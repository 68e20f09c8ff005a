from __future__ import annotations

import asyncio
import math

import pytest

from riskguard.adapters.shared.enforcing import Memory, Order, enforce
from riskguard.adapters.shared.enforcing import enforce_async as later
from riskguard.engine.decision import State
from riskguard.market import MINUTE
from riskguard.testing import ScriptedGuard
from tests.adapters.paper import PaperVenue, Working
from tests.adapters.scene import SYMBOL, Scene, failing


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


def test_an_exit_that_has_become_too_large_goes_in_the_call_that_reduces() -> None:
    scene = Scene(4.0)
    scene.venue.place(Working("", "sell", 4.0, 90.0, stop=True))
    scene.desk.state(State.CAUTION, exposure_cap=0.5)
    scene.call()
    assert (scene.position, scene.venue.orders) == (2.0, {})


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

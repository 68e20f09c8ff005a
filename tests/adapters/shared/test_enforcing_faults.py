from __future__ import annotations

import itertools
import math

import pytest

from riskguard.adapters.shared.enforcing import Memory, Open, Order, client_id
from riskguard.engine.decision import State
from riskguard.engine.orders import Action
from riskguard.market import SECOND
from tests.adapters.paper import Refusing, Working
from tests.adapters.scene import SYMBOL, Scene, failing


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


@pytest.mark.parametrize("look", [False, True])
def test_what_a_bot_sold_while_nothing_limited_is_no_deleveraging(look: bool) -> None:
    scene = Scene(4.0)
    scene.desk.state(State.REDUCING)
    scene.call()
    scene.desk.state(State.ACTIVE)
    scene.call(look=look)
    scene.venue.books[""] = 2.0  # the bot's own exit: it asks nobody while nothing limits
    assert not scene.call(look=look).adl_suspected
    scene.venue.books[""] = 1.0
    scene.desk.state(State.REDUCING)
    assert not scene.call().adl_suspected
    scene.venue.books[""] = 0.5
    assert scene.call().adl_suspected


def test_while_a_desk_is_broken_no_entry_rests_and_nothing_is_sent() -> None:
    scene = Scene(2.0)
    scene.venue.place(Working("", "buy", 1.0, 95.0))
    stop = scene.venue.place(Working("", "sell", 2.0, 90.0, stop=True))
    scene.desk.state(State.HALTED)
    failing(scene, "submit")
    due = {one.id for one in scene.call().open}
    scene.venue.place(Working("", "buy", 1.0, 95.0))
    scene.desk.boom = True
    found = scene.call()
    assert "desk: Broken: the guard is broken" in found.failures
    assert list(scene.venue.orders) in ([], [stop])
    assert (found.sent, found.done, {one.id for one in found.open}) == ([], [], due)
    scene.desk.boom = False
    assert scene.call().settled
    assert scene.position == 0.0


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


def test_a_cancel_is_not_done_while_nobody_knows_what_is_an_entry() -> None:
    scene = Scene(2.0)
    scene.venue.place(Working("", "buy", 1.0, 95.0))
    scene.desk.state(State.CAUTION, exposure_cap=0.5)
    failing(scene, "position")
    found = scene.call()
    assert not found.done
    assert "cancel_entries" in {one.id.split(":")[2] for one in found.open}
    assert scene.call().cancelled == ["1"]
    assert not scene.venue.orders


def test_what_is_in_the_way_of_an_exit_and_stays_is_tried_again_later() -> None:
    scene = Scene(2.0)
    scene.venue.place(Working("", "sell", 2.0, 105.0))
    scene.desk.state(State.HALTED)
    scene.venue.cancel = lambda *_: None
    assert not scene.call().sent  # all of it may be sold by what stays
    del scene.venue.cancel
    assert scene.call().settled
    assert scene.position == 0.0


def test_an_exit_whose_way_cannot_be_read_again_waits_for_the_next_call() -> None:
    scene = Scene(4.0)
    scene.venue.place(Working("", "sell", 4.0, 105.0))
    scene.desk.state(State.HALTED)
    reads = [0]
    pending = scene.venue.pending

    def blind(symbol):
        reads[0] += 1
        if reads[0] > 1:
            raise Refusing("no pending now")
        return pending(symbol)

    scene.venue.pending = blind
    assert not scene.call().sent
    scene.venue.pending = pending
    assert scene.call().settled
    assert scene.position == 0.0


def test_a_desk_that_fails_to_note_what_is_done_is_told_again() -> None:
    scene = Scene(2.0)
    scene.desk.state(State.HALTED)
    done = scene.desk.done
    scene.desk.done = None
    found = scene.call()
    assert (scene.position, found.done, len(found.open)) == (0.0, [], 1)
    assert found.failures == ["desk: TypeError: 'NoneType' object is not callable"]
    scene.desk.done = done
    assert scene.call().settled


def test_a_desk_that_hears_nothing_still_says_what_it_wants() -> None:
    scene = Scene(2.0)
    scene.desk.state(State.HALTED)
    scene.desk.take = None
    assert scene.call().failures
    assert scene.position == 0.0

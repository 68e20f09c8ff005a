from __future__ import annotations

import pytest

from riskguard.engine.decision import State
from riskguard.engine.events import Event
from riskguard.market import Instrument
from riskguard.testing import ScriptedGuard, Stepper
from riskguard.testing.kit.scripted import Broken


def host(stepper: Stepper) -> None:
    for bar in range(3):
        stepper.turn(bar)


def test_a_job_is_done_in_the_bar_where_the_host_stands() -> None:
    stepper = Stepper(host)
    assert [stepper.step(lambda bar: bar), stepper.step(), stepper.step(lambda bar: bar)] == [
        0,
        None,
        2,
    ]
    assert stepper.over
    with pytest.raises(RuntimeError, match="no more bars"):
        stepper.step()
    stepper.close()


def test_what_a_job_raises_is_the_test_s_and_the_host_goes_on() -> None:
    stepper = Stepper(host)
    with pytest.raises(ZeroDivisionError):
        stepper.step(lambda bar: 1 / bar)
    assert stepper.step(lambda bar: bar) == 1
    stepper.close()


def test_what_the_host_raises_is_raised_in_the_test() -> None:
    def fails(stepper: Stepper) -> None:
        stepper.turn()
        raise KeyError("in the host")

    stepper = Stepper(fails)
    with pytest.raises(KeyError, match="in the host"):
        stepper.step()


def test_a_host_that_fails_before_its_first_bar_is_told_at_once() -> None:
    with pytest.raises(ZeroDivisionError):
        Stepper(lambda _stepper: 1 / 0)


def test_a_host_that_catches_every_error_ends_all_the_same() -> None:
    ends = []

    def stubborn(stepper: Stepper) -> None:
        try:
            while True:
                try:
                    stepper.turn()
                except Exception:  # noqa: BLE001 - as some frameworks do
                    ends.append("caught")
        finally:
            ends.append("left")

    stepper = Stepper(stubborn)
    stepper.step()
    stepper.close()
    assert ends == ["left"]


def test_a_host_that_never_comes_to_its_next_bar_is_given_up() -> None:
    import threading

    stuck = threading.Event()

    def waits(stepper: Stepper) -> None:
        stepper.turn()
        stuck.wait(10)

    stepper = Stepper(waits, patience=0.05)
    with pytest.raises(TimeoutError, match=r"did not come to its next bar in 0\.05 s"):
        stepper.step()
    stuck.set()


def test_a_scripted_guard_is_a_desk_with_the_real_gate() -> None:
    guard = ScriptedGuard({"BTC": Instrument(contract_size=0.1)}, guards={"BTC"})
    guard.take(Event(10**18, "account", "BTC/USDT:USDT", {"position": 0.4, "trust": "full"}))
    guard.take(Event(10**18, "bar", "BTC/USDT:USDT", {"close": float("nan"), "interval_ns": 1}))
    assert guard.refused == ["bar: close is not finite"]
    guard.state(State.CAUTION, exposure_cap=0.5)
    assert [one.kind for one in guard.poll()] == ["cancel_entries", "reduce_to"]
    assert guard.poll("BTC/USDT:USDT")[1].data == {"ceiling": 2.0}
    guard.boom = True
    for ask in (guard.tick, guard.poll, lambda: guard.done("x")):
        with pytest.raises(Broken):
            ask()
    guard.boom = False
    assert guard.tick().exposure_cap == 0.5

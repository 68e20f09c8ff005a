"""The simulator can fail: each defect that is planted here is found within a few seeds."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from riskguard.engine import evaluation, inheriting
from riskguard.engine.guard import Guard
from riskguard.engine.logic import Latch
from riskguard.engine.measures.calendar import DrawdownEver
from riskguard.engine.orders import Intent, Verdict
from riskguard.live import session
from riskguard.live.ticker import Ticker
from riskguard.store import store
from tests.sim.market import START
from tests.sim.world import REMEMBER, World

FEW = 12  # seeds
Plant = Callable[[pytest.MonkeyPatch], None]


def forgets_orders(patch: pytest.MonkeyPatch) -> None:
    """The gate takes no account of orders that are open."""
    sound = Guard.decide

    def decide(guard: Guard, intent: Intent, fault: str = "") -> Verdict:
        return sound(guard, replace(intent, pending=()), fault)

    patch.setattr(Guard, "decide", decide)


def forgets_blindness(patch: pytest.MonkeyPatch) -> None:
    """The guard decides as if no input were old."""
    sound = evaluation.decided
    patch.setattr(
        evaluation, "decided", lambda plan, moment: sound(plan, moment._replace(blind=()))
    )


def loses_rows(patch: pytest.MonkeyPatch) -> None:
    """The store says that rows are on disk and has left every fifth write out."""
    sound, written = store.write, [0]

    def write(db: object, batch: object) -> None:
        written[0] += 1
        if written[0] % 5:
            sound(db, batch)

    patch.setattr(store, "write", write)


def forgets_rules_that_are_on(patch: pytest.MonkeyPatch) -> None:
    """A reload keeps no rule of the earlier file."""
    sound = session.succeeded
    patch.setattr(session, "succeeded", lambda *given: (sound(*given)[0], []))


def forgets_ways_back(patch: pytest.MonkeyPatch) -> None:
    """A reload forgets the ramps that rise."""
    patch.setattr(inheriting, "_ramps", lambda *_: [])


def forgets_peaks(patch: pytest.MonkeyPatch) -> None:
    """A reload takes the last price as the highest there ever was."""
    sound = inheriting._series

    def series(old: Guard, new: Guard) -> None:
        sound(old, new)
        for window in new.stream.rollings:
            if isinstance(window, DrawdownEver):
                window.restart()

    patch.setattr(inheriting, "_series", series)


def forgets_time(patch: pytest.MonkeyPatch) -> None:
    """A reload lets each `for` and `sequence` begin anew."""
    patch.setattr(inheriting, "_machines", lambda *_: None)


def loosens_unstored(patch: pytest.MonkeyPatch) -> None:
    """What allows more is in force before it is stored."""
    patch.setattr(session, "looser", lambda *_: False)


def trusts_its_clock(patch: pytest.MonkeyPatch) -> None:
    """A process whose clock is behind does not mind."""
    patch.setattr(Ticker, "since", lambda *_: None)


def stays_on(patch: pytest.MonkeyPatch) -> None:
    """A rule that has come on clears no more."""
    sound = Latch.step

    def step(latch: Latch, when: int, clear: int, now: int) -> bool:
        return sound(latch, when, clear if latch.since < START else 0, now)

    patch.setattr(Latch, "step", step)


@pytest.mark.parametrize(
    ("plant", "fault", "operations", "said"),
    [
        (forgets_orders, "", ("halt", "resume"), "AssertionError: ("),
        (forgets_blindness, "stall", (), "entered though"),
        (loses_rows, "", ("kill",), "verify"),
        (forgets_rules_that_are_on, "", ("reload",), "looser after a reload"),
        (forgets_ways_back, "", ("reload",), "moved by a reload"),
        (forgets_peaks, "", ("reload",), "moved by a reload"),
        (forgets_time, "", ("reload",), "moved by a reload"),
        (loosens_unstored, "", ("refuse",), "loosened though nothing was stored"),
        (trusts_its_clock, "", ("misset",), "entered though"),
        (stays_on, "", ("stop",), "not come back"),
    ],
)
def test_a_planted_defect_is_found(  # noqa: PLR0917 - two of them are fixtures
    plant: Plant,
    fault: str,
    operations: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    measured: Callable[[str], None],
) -> None:
    """Faults that have nothing to do with a defect are left out: they would only hide it."""
    plant(monkeypatch)
    for seed in range(REMEMBER, REMEMBER + FEW):
        folder = tmp_path / str(seed)
        folder.mkdir()
        world = World(seed, folder)
        world.feeds.kinds, world.operations = (fault,) if fault else (), [*operations]
        world.often = 0.2 if operations == ("reload",) else world.often
        try:
            world.run()
        except AssertionError as error:
            assert said in str(traceback.format_exception(error))  # noqa: PT017 - how it was found
            measured(f"simulator: {plant.__name__}, planted, is found by seed {seed}")
            return
    pytest.fail(f"{plant.__name__} was not found in {FEW} seeds")

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from riskguard import Guard, Session, load_rules
from riskguard.adapters.shared.desk import Offline
from riskguard.engine.orders import Verdict
from riskguard.live.ticker import Ticker
from riskguard.testing import GuardContract
from riskguard.testing.kit.guard import RULES, START

OTHER = RULES.replace("50%", "40%")


class TestGuard(GuardContract):
    def setup_method(self) -> None:
        self.folder = Path(tempfile.mkdtemp())

    def rules(self, text: str) -> Guard:
        path = self.folder / "rules.yaml"
        path.write_text(text)
        return Guard(load_rules(path))

    def make(self) -> Offline:
        return Offline(self.rules(RULES))

    def again(self, desk: Offline) -> Offline:
        found = self.make()
        found.guard.load(desk.guard.dump())
        found._intake.load(desk._intake.dump())
        return found

    def other(self) -> str:
        return self.rules(OTHER).dump()


class TestSession(GuardContract):
    watched = False

    def setup_method(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.now, self.count, self.opened = START, 0, []

    def teardown_method(self) -> None:
        for session in self.opened:
            session.close()

    def at(self, ts: int) -> None:
        self.now = max(self.now, ts)

    def make(self) -> Session:
        self.count += 1
        self.now = START
        return self.session(self.folder / str(self.count))

    def session(self, state: Path) -> Session:
        path = self.folder / "rules.yaml"
        path.write_text(RULES)
        ticker = Ticker(wall=lambda: self.now, elapsed=lambda: self.now - START)
        session = Session(path, state, ticker=ticker)
        self.opened.append(session)
        return session

    def again(self, desk: Session) -> Session:
        self.opened.remove(desk)
        desk.close()
        return self.session(desk.folder)


class Lenient:
    """A guard of somebody else, with the faults that somebody else's has."""

    def __init__(self, desk: Offline) -> None:
        self._desk = desk

    def __getattr__(self, name):
        return getattr(self._desk, name)

    def decide(self, intent) -> Verdict:
        found = self._desk.decide(intent)
        if found.answer == "resize":  # a cut exit is no exit, says the hurried author
            return found._replace(answer="deny", quantity=0.0)
        return found

    def done(self, *ids: str) -> bool:
        return bool(ids)


class LenientContract(TestGuard):
    __test__ = False

    def make(self) -> Lenient:
        return Lenient(super().make())


@pytest.mark.parametrize(
    "check",
    [
        "test_an_exit_that_is_too_large_is_cut_to_the_position",
        "test_a_duty_that_is_done_is_not_asked_for_again",
    ],
)
def test_a_guard_that_breaks_the_contract_fails_it(check) -> None:
    contract = LenientContract()
    contract.setup_method()
    with pytest.raises(AssertionError):
        getattr(contract, check)()

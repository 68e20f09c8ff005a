"""What people and machines do to a running guard: clocks, restarts, reloads, disk, orders, KILL."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from riskguard.engine.decision import State
from riskguard.engine.windows import NEVER
from riskguard.errors import RuleError
from riskguard.live.requests import KILL, asked, leave
from riskguard.market import DAY, HOUR, MINUTE, SECOND
from riskguard.store import Journal
from tests.sim import promises
from tests.sim.drawn import BROKEN

if TYPE_CHECKING:
    from riskguard.engine.guard import Guard
    from tests.sim.world import World

__all__ = ["OPERATIONS", "Operator"]

OPERATIONS = (
    "jump", "hang", "stop", "kill", "reload", "break", "refuse", "halt", "resume", "release",
    "mute", "nonsense", "switch", "misset", "damage",
)  # fmt: skip
JUMPS = (HOUR, -HOUR, 365 * DAY, -365 * DAY, 3 * SECOND, -3 * SECOND, -(10**18), 10**18, 0)
NEWER = range(60, 64)  # where a database tells its version
NONSENSE: tuple[dict[str, object], ...] = (
    {}, {"do": "panic"}, {"do": 5}, {"do": "release", "rule": "nobody"},
    {"do": "mute", "rule": "r0", "until": "soon"}, {"do": "mute", "rule": "r0", "until": 1},
    {"do": "halt", "note": ["x"], "by": "\u202e\0" * 300}, {"rule": "r0"},
)  # fmt: skip


class Operator:
    """Does one thing to a world; `halted` is what was asked and answered."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world, self.dice = world, dice
        self.halted = self.stored = False  # the same as of the last decision that was stored
        self.unstored = False  # the last process ended while its disk refused
        self.misset = False  # the clock was wrong when the process began

    def operate(self, name: str) -> None:
        """Do one thing, and let it be checked."""
        self.world.seen[name] += 1
        self.world.tell(f"{self.world._time()} * {name}")
        getattr(self, f"_{name}")()

    def mend(self) -> None:
        """Undo what was done: the rules, the disk, the switch, a halt."""
        world = self.world
        (world.state / KILL).unlink(missing_ok=True)
        world.disk.accept(world.session)
        world.rules_file.write_text(world.rules.text)
        world.step("reload", lambda: self._same(world.session.reload(), ""))
        if self.misset:
            self._stop()
        self.halted = False
        self.ask({"do": "resume", "by": "ann"})  # refused where nothing is halted

    def release(self) -> None:
        """Release what is latched, in the rules of earlier files too."""
        session = self.world.session
        for guard in (session.guard, *(former.guard for former in session.recorder.formers)):
            latches = zip(guard.ruleset.rules, guard.stream.latches, strict=True)
            for name in [rule.name for rule, latch in latches if latch.on and latch.held]:
                self.ask({"do": "release", "rule": name, "by": "ann"})

    def ask(self, request: dict[str, object]) -> str:
        """Leave a request, let the session see it, and return the answer."""
        path = leave(self.world.state, request)
        self.world.step(f"request {request.get('do')}", self.world.session.tick)
        answer = asked(path, 0.0)
        assert answer is not None, "a request was not answered"
        return answer

    @staticmethod
    def _same(found: str, wanted: str) -> None:
        assert found == wanted, found

    # ------------------------------------------------------------ clocks and processes

    def _jump(self) -> None:
        self.world.skew = self.dice.choice(JUMPS)

    def _hang(self) -> None:
        self.world.now += self.dice.randrange(5 * MINUTE)

    def _stop(self) -> None:
        self._closed()
        self._again()

    def _closed(self) -> None:
        """Close the session; what waited for the disk may be stored by it."""
        session = self.world.session
        session.close()
        self.unstored = bool(session.store.degraded)
        if self.unstored:
            self.halted = self.halted and self.stored
        else:
            self.world.acked = session.recorder.decision

    def _kill(self) -> None:
        store = self.world.session.store
        self.unstored = bool(store.degraded)
        store._lock.release()  # as if the process had gone without a word
        if store._db is not None:
            store._db.close()
        store._closed = True
        self.halted = self.halted and self.stored
        self._again()

    def _misset(self) -> None:
        """Start while the clock on the wall is wrong."""
        self._closed()
        self._again(self.dice.choice(JUMPS))

    def _damage(self) -> None:
        """Start after the disk has altered what was stored."""
        world = self.world
        world.session.close()
        path = world.state / "state.db"
        blob = bytearray(path.read_bytes())
        for _ in range(200):
            # by shares: a file is longer where its folder has a longer name, and dice must not turn
            place, by = int(self.dice.random() * len(blob)), 1 + self.dice.randrange(255)
            if place not in NEWER:  # one that a newer riskguard wrote is left alone for good
                blob[place] ^= by
        path.write_bytes(blob)
        world.acked = None
        world.trader.done.clear()  # what was done is lost with it
        world.sound.clear()  # and what was heard
        self._again()
        assert world.session.decision.latched
        assert world.session.decision.state >= State.REDUCING
        self.halted = True

    def _again(self, skew: int = 0) -> None:
        """Start anew, at times after a while, at times with other rules, at times with bad ones."""
        world, dice = self.world, self.dice
        self.misset = skew != 0
        before = world.acked
        if before is not None:
            promises.unbroken(Journal(world.state))
        world.skew = skew
        world.now += dice.choice((0, SECOND, dice.randrange(10 * MINUTE), dice.randrange(HOUR)))
        world.happen(world.now)
        world.coming = [one for one in world.coming if one.at > world.now]
        world.coming.sort()
        try:
            world.session = world.begun()
        except RuleError:
            assert "break" in world.operations
            world.rules_file.write_text(world.rules.text)
            world.session = world.begun()
        session = world.session
        world.tell(f"{world._time()}   stored {before and before.state.name}"
                   f" -> {session.decision.state.name}")  # fmt: skip
        if self.unstored and not session.guard.doors.begun:
            world.sound.pop("equity", None)  # that there is an account was never stored
        # before the first close nothing enters, whatever a clock that was years ahead made of it
        if before is not None and session.guard.as_of != NEVER:
            # under the rules that were stored: a reload may not have been
            changed = session.loaded.hash != before.rules
            more = promises.allows_more(session.decision, before)
            assert not more or (changed and (before.blind or before.priming)), (
                "looser after a restart",
                more,
            )
        world.checked()

    # ------------------------------------------------------------ rules and disk

    def _reload(self) -> None:
        world = self.world
        text = self.dice.choice((world.rules.text, world.rules.other(), world.rules.other()))
        world.rules_file.write_text(text)
        before, known = world.session.decision, world.session.loaded.hash
        old = self._copied()
        world.step("reload", world.session.reload)
        new = self._copied()
        changed = world.session.loaded.hash != known
        theirs = {rule.name: rule for rule in new.ruleset.rules}
        same = {rule.name for rule in old.ruleset.rules if theirs.get(rule.name) == rule}
        promises.unmoved(old, new, same)
        if not (changed and (before.blind or before.priming)):
            more = promises.allows_more(world.session.decision, before)
            assert not more, ("looser after a reload", more)

    def _copied(self) -> Guard:
        """Return a guard that stands where the one of the session does."""
        guard = self.world.session.loaded.guard()
        guard.load(self.world.session.guard.dump())
        return guard

    def _break(self) -> None:
        world = self.world
        cut = world.rules.text[: self.dice.randrange(len(world.rules.text) - 2)]
        world.rules_file.write_text(self.dice.choice((*BROKEN, cut)))
        before, known = world.session.decision, world.session.loaded.hash
        world.step("reload", lambda: self._refused(world.session.reload()))
        assert world.session.loaded.hash == known
        assert not promises.allows_more(world.session.decision, before)
        assert not promises.allows_more(before, world.session.decision)

    @staticmethod
    def _refused(answer: str) -> None:
        assert answer, "a broken file was taken"

    def _refuse(self) -> None:
        world = self.world
        if not world.disk.way:
            world.disk.refuse(world.session)
            world.seen[f"disk {world.disk.way}"] += 1
        else:
            world.disk.accept(world.session)

    # ------------------------------------------------------------ the operator

    def _halt(self) -> None:
        self._same(self.ask({"do": "halt", "by": "ann", "note": "look"}), "")
        self.halted = True

    def _resume(self) -> None:
        halted, self.halted = self.halted, False
        if self.ask({"do": "resume", "by": "ann"}):
            self.halted = halted

    def _release(self) -> None:
        self.release()

    def _mute(self) -> None:
        until = self.world.session.ticker.now() + self.dice.randrange(-MINUTE, 10 * MINUTE)
        self.ask({"do": "mute", "rule": f"r{self.dice.randrange(3)}", "until": until})

    def _nonsense(self) -> None:
        request = self.dice.choice(NONSENSE)
        answer = self.ask(dict(request))
        if request.get("do") == "halt":
            self.halted = answer == ""

    def _switch(self) -> None:
        """Set the kill switch, or take it away and resume."""
        path = self.world.state / KILL
        if not path.exists():
            path.touch()
            self.world.checked()
            self.halted = True
        else:
            path.unlink()
            if self.dice.random() < 0.7:
                self._resume()

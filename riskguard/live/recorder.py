"""What a guard is told, kept until it is stored, and the rules of earlier files beside it.

From what is kept the same decisions can be made again: a restart and a replay tell it to a guard
just as the feeds did.
"""

from __future__ import annotations

from functools import reduce
from operator import is_
from typing import TYPE_CHECKING, Any

from riskguard.engine.evaluation import STAGES
from riskguard.engine.strictest import strictest
from riskguard.errors import StateError, foreign
from riskguard.live.flapping import FLAPPING
from riskguard.market import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from riskguard.engine.decision import Decision
    from riskguard.engine.guard import Guard
    from riskguard.live.flapping import Flapping
    from riskguard.live.rules import Loaded

__all__ = ["SAMPLES", "Former", "Recorder"]

SAMPLES = ("renew", "update")
MOST_EMPTY = 4096  # rows
# what else may be told to a guard: the names of its methods
CALLS = ("amend", "forget", "halt", "latch", "lose", "mute", "pause", "release", "resume")


class Former:
    """Rules of an earlier file that were on when it was replaced, in the guard they were on in."""

    __slots__ = ("guard", "loaded")

    def __init__(self, loaded: Loaded, guard: Guard) -> None:
        self.loaded, self.guard = loaded, guard

    @property
    def on(self) -> list[str]:
        """The rules that still are, and the way back of those that were ("reentry NAME")."""
        guard = self.guard
        only, change = guard.only or frozenset(), guard.stream.change
        rules = zip(guard.ruleset.rules, change.on, strict=True)
        ramps = zip(guard.plan.ramps, guard.stream.ramps, strict=True)
        return [
            *([STAGES] if STAGES in only and change.stage else []),
            *(rule.name for rule, is_on in rules if is_on and rule.name in only),
            *(
                spec.name
                for spec, ramp in ramps
                if ramp.rising and not only.isdisjoint((spec.name, guard.owner(spec)))
            ),
        ]


class Recorder:
    """Stands where a guard stands: passes on what it is told, and keeps it.

    Time that passes without an effect is not kept: it would be a row a second for nothing.
    `formers` hear all that the guard hears, until their rules have cleared. `flapping` counts
    how often rules turn: one that does so too often is latched, and that is kept as well.
    """

    def __init__(
        self, guard: Guard, formers: Sequence[Former] = (), flapping: Flapping | None = None
    ) -> None:
        self.guard, self.formers, self.flapping = guard, list(formers), flapping
        self.held: Decision | None = None  # what holds until a loosening is stored
        self.told: list[list[Any]] = []
        self._parts: tuple[Decision, ...] = ()  # what was joined last, and what it came to
        self._decision = guard.own
        self._besides: list[Decision] = []
        self._beside: Decision | None = None
        # of each level since the last change: when it was told in a row that stays, its last row
        self._levels: dict[tuple[str, str], tuple[int, list[Any] | None]] = {}
        self._empty = 0  # rows of `told` that are left out
        self._positions: dict[str, float] = {}
        self._join()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a guard has
        return getattr(self.guard, name)

    @property
    def decision(self) -> Decision:
        """What the rules decide, those of earlier files too; what is held back does not count."""
        parts = (self.guard.own, *(former.guard.own for former in self.formers))
        if not _identical(parts, self._parts):
            self._parts, self._decision = parts, reduce(strictest, parts)
        return self._decision

    def update(self, sample: Sample) -> Decision:
        """Pass a sample on and return the decision in force."""
        return self._fed("update", sample)

    def renew(self, sample: Sample) -> Decision:
        """Pass on a sample whose levels stand in the place of the last ones."""
        return self._fed("renew", sample)

    def amend(self, symbol: str, name: str, ts: int, value: float) -> None:
        """Pass on what a flow brought too late."""
        for guard in self._all():
            guard.amend(symbol, name, ts, value)
        self.told.append(["amend", symbol, name, ts, value])

    def forget(self, symbol: str, name: str) -> Decision:
        """Pass on that a series begins anew."""
        for guard in self._all():
            guard.forget(symbol, name)
        self.told.append(["forget", symbol, name])
        self._levels.clear()
        return self._join()

    def pause(self) -> None:
        """Pass on that what follows comes after a silence."""
        for guard in self._all():
            guard.pause()
        self.told.append(["pause"])

    def halt(self, ts: int, reason: str) -> Decision:
        """Pass on a halt."""
        return self._ordered("halt", ts, reason)

    def lose(self, ts: int, reason: str) -> Decision:
        """Pass on that an earlier state is lost."""
        return self._ordered("lose", ts, reason)

    def resume(self, ts: int, reason: str) -> Decision:
        """Pass on the end of a halt."""
        return self._ordered("resume", ts, reason)

    def latch(self, ts: int, rule: str, reason: str) -> Decision:
        """Pass on that a rule stays on until it is released."""
        return self._ordered("latch", ts, rule, reason)

    def mute(self, ts: int, rule: str, until: int, reason: str) -> Decision:
        """Pass on that the messages of a rule are silenced."""
        return self._ordered("mute", ts, rule, until, reason)

    def release(self, ts: int, rule: str, reason: str) -> Decision:
        """Release a rule; one of an earlier file is let go as it is, latched or not."""
        for former in self.formers:
            named = {rule, f"reentry {rule}"}
            if former.guard.only is not None and not named.isdisjoint(former.on):
                former.guard.only -= named
                former.guard.remade()
                self.told.append(["release", ts, rule, foreign(reason)])
                return self._join()
        decision = self._ordered("release", ts, rule, reason)
        if self.flapping is not None:
            self.flapping.forget(rule)
        return decision

    def hold(self, decision: Decision | None) -> Decision:
        """Let a decision hold until what comes after it is stored; None lets it go."""
        self.held = decision
        return self._join()

    def taken(self) -> list[list[Any]]:
        """Return what was told since the last time it was asked for."""
        told, self.told, self._empty = self.told, [], 0
        self._levels.clear()
        return [row for row in told if row]

    def tell(self, row: Sequence[Any]) -> None:
        """Take what was kept, as if it were told now.

        Raises:
            StateError: the row is none of ours.
        """
        name, *given = row
        try:
            if name in SAMPLES:
                ts, symbol, values = given
                self._fed(name, Sample(int(ts), str(symbol), _values(values)))
                return
            if name not in CALLS:
                msg = f"a journal with {foreign(name, 40)!r} in it is none of riskguard's"
                raise StateError(msg)
            getattr(self, name)(*given)
        except (TypeError, ValueError) as error:
            msg = f"a journal holds {foreign(row, 80)} that cannot be told: {error}"
            raise StateError(msg) from error

    # ------------------------------------------------------------ inside

    def _all(self) -> list[Guard]:
        return [self.guard, *(former.guard for former in self.formers)]

    def _fed(self, name: str, sample: Sample) -> Decision:
        guard = self.guard
        before, instant = guard.own, guard.as_of
        decision: Decision = getattr(guard, name)(sample)
        for former in self.formers:
            getattr(former.guard, name)(sample)
        quiet = guard.own is before and guard.as_of == instant
        if not quiet or (sample.values and not self._stands(sample)):
            self._keep([name, sample.ts, sample.symbol, dict(sample.values)], quiet=quiet)
        if self.flapping is not None and guard.own is not before:
            for rule in self.flapping.found():
                decision = self.latch(guard.as_of, rule, FLAPPING)
            self.flapping.settle()
        return self._join() if self.formers else decision

    def _stands(self, sample: Sample) -> bool:
        """Say whether a sample tells a position, and no other than before."""
        if sample.values.keys() != {"position"}:
            return False
        last = self._positions.get(sample.symbol)
        self._positions[sample.symbol] = sample.values["position"]
        return last == sample.values["position"] and not self._fresh(sample.symbol, "position")

    def _keep(self, row: list[Any], *, quiet: bool) -> None:
        """Keep a row; of a level that is told again and again no more than shows it fresh.

        A row is left out where the one before it is recent enough for all that was told until
        the one after it: no instant between them sees the level too old.
        """
        name, ts, symbol, values = row
        self.told.append(row)
        if not quiet:
            self._levels.clear()
        elif name == "renew":
            (level,) = values
            since, last = self._levels.get((symbol, level), (ts, None))
            if last is not None and ts - since > self._fresh(symbol, level):
                since = last[1]
            elif last is not None:
                self._leave_out(last)
            first = (symbol, level) not in self._levels
            self._levels[symbol, level] = (since, None if first else row)

    def _leave_out(self, row: list[Any]) -> None:
        """Empty a row: it is passed over, and taken out with others."""
        row.clear()
        self._empty += 1
        if self._empty > MOST_EMPTY:
            self.told = [one for one in self.told if one]
            self._empty = 0

    def _fresh(self, symbol: str, level: str) -> int:
        """Return for how long a level stands, at the guard that is the first to call it old."""
        own = "" if symbol in {"*", self.guard.symbol} else symbol
        spans = (
            tape.fresh
            for guard in self._all()
            for spec, tape in zip(guard.plan.tapes, guard.stream.tapes, strict=True)
            if (spec.symbol, spec.name) == (own, level)
        )
        return min(spans, default=0)

    def _ordered(self, name: str, *given: object) -> Decision:
        *what, reason = given
        given = (*what, foreign(reason))
        answer: Decision = getattr(self.guard, name)(*given)  # what is refused is not kept
        self.told.append([name, *given])
        return answer

    def _join(self) -> Decision:
        for former in self.formers:  # what has cleared comes on no more: its file is gone
            former.guard.only = frozenset(former.on)
        if any(not former.guard.only for former in self.formers):
            self.formers = [former for former in self.formers if former.guard.only]
        parts = [former.guard.own for former in self.formers]
        if self.held is not None:
            parts.append(self.held)
        if not _identical(parts, self._besides):
            self._besides, self._beside = parts, reduce(strictest, parts) if parts else None
        return self.guard.also(self._beside)


def _identical(one: Sequence[Decision], two: Sequence[Decision]) -> bool:
    return len(one) == len(two) and all(map(is_, one, two))


def _values(told: Mapping[str, float]) -> dict[str, float]:
    return {str(name): float(value) for name, value in told.items()}

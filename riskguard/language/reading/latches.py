"""Rules and stages: the latches of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.findings import near
from riskguard.language.reading.actions import ActionReader
from riskguard.language.reading.blocks import BlockReader
from riskguard.language.ruleset import Actions, All, Not, Rule, Stage
from riskguard.language.schema import HIGHEST_PRIORITY, RULE_KEYS, STAGE_KEYS, required
from riskguard.language.source import Scalar
from riskguard.market import DAY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from riskguard.language.reading.blocks import Block, Entry
    from riskguard.language.reading.conditions import ConditionReader
    from riskguard.language.reading.scope import Scope
    from riskguard.language.ruleset import Condition, Reentry, Span
    from riskguard.language.schema import Key

__all__ = ["LatchReader"]

# stands for a condition with a fault while the rest of its rule is read
NOTHING = All(())
# what is said of a rule or a stage that lacks one of its keys
LACKING = {"when": "RG148", "enter": "RG152", "do": "RG149", "stage": "RG153"}


class LatchReader(BlockReader):
    """Reads the block of a rule or of a stage."""

    def __init__(self, scope: Scope, conditions: ConditionReader) -> None:
        super().__init__(scope)
        self.conditions = conditions
        self.actions = ActionReader(scope)

    def rule(self, entry: Entry) -> Rule | None:
        """Return a rule, None when it has a fault."""
        name = entry.key.text
        if isinstance(entry.node, Scalar) and entry.node.empty:
            self.no_value(entry, f"rule '{name}'")
            return None
        block = self.block(entry.node, RULE_KEYS, f"rule '{name}'")
        if block is None:
            return None
        whole = self._whole(block, entry.key.span, f"rule '{name}'", RULE_KEYS)
        missing = self.chosen(block, "on_missing", RULE_KEYS)
        when = self._condition(block, "when", missing)
        clear = self._condition(block, "clear", missing, clearing=True)
        when, clear = self._hours(block, when, clear)
        do = self.actions.actions(block["do"], "do") if "do" in block else None
        found = Rule(
            name,
            when or NOTHING,
            do or Actions(),
            clear,
            min_hold=self._time(block, "min_hold"),
            cooldown=self._cooldown(block),
            latch=self._latch(block),
            priority=self._priority(block),
            severity=self.chosen(block, "severity", RULE_KEYS),
            title=self._text(block, "name"),
            description=self._text(block, "description"),
            mutes=self._mutes(block),
            reentry=self._reentry(block, do.exposure_cap if do else None),
            fallback=self._fallback(block),
            span=entry.key.span,
        )
        whole = whole and when is not None and do is not None
        return found if whole and ("clear" not in block or clear is not None) else None

    def _hours(
        self, block: Block, when: Condition | None, clear: Condition | None
    ) -> tuple[Condition | None, Condition | None]:
        """Join the hours of a rule to its `when`; they never touch clearing."""
        if "during" not in block:
            return when, clear
        hours = self.conditions.hours.during(block["during"])
        if when is None or hours is None:
            return None, clear
        if "clear" not in block:
            clear = Not(when, when.span)
        return All((hours, when), block["during"].key.span), clear

    def _latch(self, block: Block) -> bool:
        latch = self.truth(block["latch"], "latch") if "latch" in block else False
        if latch and "clear" in block:
            message = '"clear" is not used: a latched rule is released by hand (riskguard release)'
            fix = 'leave out "clear:", or "latch:"'
            self.findings.warn("RG413", block["clear"].key.span, message, fix)
        return latch

    def stage(self, name: Scalar, block: Block) -> Stage | None:
        """Return a stage of the ladder, None when it has a fault."""
        what = f"stage '{name.text}'"
        whole = self._whole(block, name.span, what, STAGE_KEYS)
        missing = self.chosen(block, "on_missing", STAGE_KEYS)
        enter = self._condition(block, "enter", missing)
        recover = self._condition(block, "recover", missing, clearing=True)
        do = self.actions.actions(block["do"], "do") if "do" in block else None
        fallback = self._fallback(block)
        min_hold = self._time(block, "min_hold")
        reentry = self._reentry(block, do.exposure_cap if do else None)
        description = self._text(block, "description")
        broken = not whole or ("recover" in block and recover is None)
        if enter is None or do is None or broken:
            return None
        return Stage(
            name.text, enter, do, recover, min_hold, reentry, fallback, description, name.span
        )

    def _whole(self, block: Block, at: Span, what: str, keys: Mapping[str, Key]) -> bool:
        there = [self.require(block, (key,), at, LACKING[key], what) for key in required(keys)]
        return all(there)

    def _condition(
        self, block: Block, key: str, missing: str, *, clearing: bool = False
    ) -> Condition | None:
        if key not in block:
            return None
        return self.conditions.condition(block[key], missing=missing, clearing=clearing)

    def _fallback(self, block: Block) -> Actions | None:
        return self.actions.actions(block["fallback"], "fallback") if "fallback" in block else None

    def _reentry(self, block: Block, cap: float | None) -> Reentry | None:
        if "reentry" not in block:
            return None
        return self.actions.reentry(block["reentry"], cap, self.conditions)

    def _time(self, block: Block, key: str) -> int:
        return self.duration(block[key], key) if key in block else 0

    def _cooldown(self, block: Block) -> int:
        cooldown = self._time(block, "cooldown")
        if cooldown > 30 * DAY:
            message = f"a cooldown of {cooldown / DAY:g} d is longer than 30 d"
            self.findings.warn("RG418", block["cooldown"].node.span, message, "shorten it")
        return cooldown

    def _text(self, block: Block, key: str) -> str:
        return self.text(block[key], key) if key in block else ""

    def _priority(self, block: Block) -> int:
        if "priority" not in block:
            return 0
        found = self.scalar(block["priority"], "priority")
        if found is None:
            return 0
        number = int(found.text[:9]) if found.text.isascii() and found.text.isdigit() else -1
        if 0 <= number <= HIGHEST_PRIORITY:
            return number
        message = f"priority {found.text} is outside 0..{HIGHEST_PRIORITY}"
        self.findings.error("RG304", found.span, message, "write a whole number")
        return 0

    def _mutes(self, block: Block) -> tuple[str, ...]:
        if "mutes" not in block:
            return ()
        names = self.names(block["mutes"], "mutes")
        for name in names:
            if name.text not in self.scope.rules:
                close = near(name.text, self.scope.rules)
                fix = f"did you mean '{close}'?" if close else ""
                self.findings.error("RG201", name.span, f"unknown rule '{name.text}'", fix)
        return tuple(name.text for name in names)

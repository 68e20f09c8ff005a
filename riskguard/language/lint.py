"""Rules that can be read but cannot be meant: thresholds, gaps, ladders, floors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from riskguard.language.expanding import Expander
from riskguard.language.judging.floorcheck import floors
from riskguard.language.judging.hysteresis import gaps, ladder
from riskguard.language.judging.scales import scale
from riskguard.language.rewriting import latches, release, trigger
from riskguard.language.ruleset import (
    All,
    Arithmetic,
    Compare,
    During,
    Indicator,
    Measured,
    Not,
    ParameterValue,
    Rule,
    SeriesValue,
    input_of,
    values,
)
from riskguard.language.schema import MEASURES, SELLING
from riskguard.language.text.units import span_words
from riskguard.market import DAY

if TYPE_CHECKING:
    from riskguard.language.findings import Findings
    from riskguard.language.ruleset import RuleSet, Stage, Value

__all__ = ["lint"]

BELOW = frozenset({"<", "<="})
CHANGES = frozenset({"change", "drop", "rise"})
LONG = 7 * DAY


def lint(rules: RuleSet, found: Findings) -> None:
    """Note errors and warnings of meaning in a file that could be read."""
    expander = Expander(rules)
    for leaf in expander.every_leaf():
        if not _unmoved(leaf, expander, found):
            _threshold(leaf, rules, expander, found)
            scale(leaf, rules.every, found)
    for leaf in expander.leaves(*map(trigger, latches(rules))):
        _sign(leaf, expander, found)
    for latch in latches(rules):
        _silence(latch, expander, found)
        _forever(latch, found)
        gaps(latch, expander, found)
    _memory(rules, expander, found)
    floors(rules, expander, found)
    ladder(rules, expander, found)


# ---------------------------------------------------------------- one leaf


def _unmoved(leaf: Compare, expander: Expander, found: Findings) -> bool:
    """Note a line that no bar can change: divided by zero, or without any data in it."""
    inside = [*values(leaf.left), *values(leaf.right)]
    for value in inside:
        if not isinstance(value, Arithmetic) or value.op != "/":
            continue
        if expander.number(value.right) == 0:
            message = f"{value.text} divides by zero: this line would never be known"
            found.error("RG430", value.right.span, message, "divide by a number that is not 0")
            return True
    if any(isinstance(value, SeriesValue | Indicator) for value in inside):
        return False
    message = "no data in this line: it is the same at every bar"
    fix = "compare an input, for example close < 75_000"
    written = not any(isinstance(value, ParameterValue) for value in inside)
    (found.error if written else found.warn)("RG431", leaf.span, message, fix)
    return True


def _threshold(leaf: Compare, rules: RuleSet, expander: Expander, found: Findings) -> None:
    """Refuse thresholds that a value can never reach, or never fail to."""
    limit, place = expander.number(leaf.right), leaf.right.span
    if limit is not None and math.isinf(limit):
        message = f"{leaf.right.text} is too large a number: nothing reaches it"
        found.error("RG404", place, message, "write a smaller one")
        return
    if limit is None or isinstance(leaf.left, Arithmetic):
        return
    result = "false" if leaf.op in BELOW | {"=="} else "true"
    measure = MEASURES[leaf.left.function] if isinstance(leaf.left, Measured) else None
    if measure is not None and measure.positive and limit < 0:
        function = leaf.left.function if isinstance(leaf.left, Measured) else ""
        falls = " when it falls" if function in {"drop", "drawdown"} else ""
        message = f"{function}() is already positive{falls}, so this is always {result}"
        fix = f"write {function}(...) {leaf.op} {leaf.right.text.lstrip('-')}"
        found.error("RG402", place, message, fix)
    elif limit < 0 and _never_negative(leaf.left, rules):
        message = f"a price or amount is never negative: always {result}"
        found.error("RG401", place, message, "remove the minus sign")
    elif measure is not None and measure.fraction and limit > 1:
        verb = "falls" if not measure.relative else "is"
        never = "always true" if leaf.op in BELOW else "never true"
        message = f"nothing {verb} by more than 100%: {never}"
        found.error("RG404", place, message, "write at most 100%")
    elif leaf.left.dimension == "index" and not 0 <= limit <= 100 and _of_series(leaf.left):
        message = "this index lies between 0 and 100"
        found.error("RG404", place, message, "write a number from 0 to 100")
    elif isinstance(leaf.left, Measured) and leaf.left.function == "change" and limit < -1:
        never = "never true" if leaf.op in BELOW else "always true"
        message = f"nothing falls by more than 100%: {never}"
        found.error("RG404", place, message, "write at least -100%")


def _of_series(value: Value) -> bool:
    while isinstance(value, Measured) and not MEASURES[value.function].result:
        value = value.of
    return isinstance(value, SeriesValue)


def _never_negative(value: Value, rules: RuleSet) -> bool:
    if isinstance(value, Measured):
        measure = MEASURES[value.function]
        return (measure.positive or not measure.result) and _never_negative(value.of, rules)
    if not isinstance(value, SeriesValue):
        return False
    return not input_of(rules, value.symbol, value.name).spec.signed


def _sign(leaf: Compare, expander: Expander, found: Findings) -> None:
    """Warn of a change that fires on the side nobody means."""
    limit = expander.number(leaf.right)
    if limit is None or not (isinstance(leaf.left, Measured) and leaf.left.function == "change"):
        return
    written = leaf.right.text.lstrip("-")
    op = leaf.op[0] + "="
    if leaf.op in BELOW and limit > 0:
        message = "true also while it rises: a fall is a negative change"
        fix = f"write {op} -{written}, or {leaf.left.of.text}.drop(...) >= {written}"
        found.warn("RG403", leaf.right.span, message, fix)
    elif leaf.op not in BELOW and leaf.op[0] == ">" and limit < 0:
        message = "true also while it falls: a rise is a positive change"
        fix = f"write {op} {written}, or {leaf.left.of.text}.rise(...) >= {written}"
        found.warn("RG403", leaf.right.span, message, fix)


# ---------------------------------------------------------------- one rule or stage


def _silence(latch: Rule | Stage, expander: Expander, found: Findings) -> None:
    """Refuse a rule that missing data alone would let sell."""
    fires = trigger(latch)
    asked = (latch.do, latch.fallback or latch.do)
    sells = any(getattr(do, name) not in {None, ""} for do in asked for name in SELLING)
    if sells and expander.fires_blind(fires):
        firing = expander.firing(fires) or latch
        fix = "use block_entries, or put a line that is known beside it"
        found.error("RG428", firing.span, "missing data alone would sell", fix)


def _forever(latch: Rule | Stage, found: Findings) -> None:
    """Warn of a rule that is on exactly as long as its trigger is true."""
    rule = isinstance(latch, Rule)
    latched = isinstance(latch, Rule) and latch.latch
    if _implicit(latch) and not latch.min_hold and not latched:
        on, off = ("when", "clear") if rule else ("enter", "recover")
        message = f"no gap and no {off}: the {'rule' if rule else 'stage'} follows every "
        message += f'wiggle of "{on}"'
        found.warn("RG417", latch.span, message, f'add "{off}:" or "min_hold: 6h"')


def _implicit(latch: Rule | Stage) -> bool:
    """Say whether nothing is written that turns it off; hours beside `when` leave it as it is."""
    frees, fires = release(latch), trigger(latch)
    if isinstance(fires, All) and isinstance(fires.of[0], During):
        return frees is None or frees == Not(fires.of[-1])
    return frees is None


def _memory(rules: RuleSet, expander: Expander, found: Findings) -> None:
    """Warn of a long window that holds a rule on by itself."""
    followed = [one for one in latches(rules) if not (isinstance(one, Rule) and one.latch)]
    for leaf in expander.alone(*map(trigger, followed)):
        value = leaf.left
        if not isinstance(value, Measured) or value.function not in CHANGES:
            continue
        if value.window is not None and value.window > LONG:
            message = f"a window of {span_words(value.window)} can hold the rule on that long "
            message += "after the event"
            fix = 'add "and still falling", for example oi.change(24h) <= -1%'
            found.warn("RG425", value.span, message, fix)

"""Samples that do not come: nothing is loosened by it, nothing is sold by it, entries stop."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import product

from riskguard.engine.decision import Decision
from riskguard.engine.guard import Guard
from riskguard.engine.logic import FALSE, TRUE
from riskguard.language.expanding import Expander
from riskguard.language.rewriting import release, trigger
from riskguard.language.ruleset import (
    All,
    Any,
    AtLeast,
    Compare,
    Condition,
    During,
    Flag,
    Not,
    Rule,
    Stage,
    parts,
)
from riskguard.language.schema import SELLING
from riskguard.market import ACCOUNT, HOUR, Sample
from tests.counts import counts
from tests.history.test_columns import Draw

SIDES = {"none": set(), "long": {"long"}, "short": {"short"}, "both": {"long", "short"}}
CLOSES = {"none": set(), "longs": {"l"}, "shorts": {"s"}, "all": {"l", "s"}}
CANCELS = {"none": 0, "entries": 1, "all": 2}


def thinned(samples: list[Sample], pick: random.Random) -> list[Sample]:
    """Return a history without some of its values, with clock events at odd times between."""
    lost, found = pick.choice([0.05, 0.3, 0.7]), []
    for sample in samples:
        kept = {
            name: value
            for name, value in sample.values.items()
            if pick.random() > lost or (name == "close" and sample.symbol == "BTC")
        }
        if kept != {"close": sample.values.get("close")} or pick.random() > lost / 3:
            found.append(Sample(sample.ts, sample.symbol, kept))
        if pick.random() < 0.2:
            found.append(Sample(sample.ts + pick.randrange(1, HOUR // 2), "*", {}))
    return found


# ---------------------------------------------------------------- what a condition could be


class Doubt:
    """What the conditions of a guard could be, if what it does not know were known."""

    def __init__(self, guard: Guard) -> None:
        self.guard, self.rules = guard, guard.ruleset

    def truth(self, node: Condition, *, clearing: bool) -> int:
        return self.guard.stream.truth(self.guard.plan.slot(node, clearing=clearing))

    def known(self, leaf: Compare) -> bool:
        places = (self.guard.plan.numbers[side] for side in (leaf.left, leaf.right))
        return not any(math.isnan(self.guard.stream.value(place)) for place in places)

    def possible(self, node: Condition, *, clearing: bool) -> set[bool]:
        """Return the truths that a condition may have, each unknown line being true or false."""
        if isinstance(node, Compare | During):
            if isinstance(node, Compare) and not self.known(node):
                return {False, True}
            return {self.truth(node, clearing=clearing) == TRUE}
        if isinstance(node, Flag):
            if node.kind == "definition":
                return self.possible(self.rules.define[node.name], clearing=clearing)
            return {self.truth(node, clearing=clearing) == TRUE}
        below = [self.possible(part, clearing=clearing) for part in parts(node)]
        if isinstance(node, All | Any | AtLeast | Not):
            return {_joined(node, truths) for truths in product(*below)}
        # what remembers: true needs its last part to be so, false may rest on what was known
        truth = self.truth(node, clearing=clearing)
        if truth == TRUE:
            return {True} if below[-1] == {True} else {False, True}
        return {False} if truth == FALSE else {False, True}

    def leaves(self, node: Condition) -> Iterator[Compare]:
        return Expander(self.rules).leaves(node)


def _joined(node: Condition, truths: tuple[bool, ...]) -> bool:
    if isinstance(node, All):
        return all(truths)
    if isinstance(node, Any):
        return any(truths)
    if isinstance(node, AtLeast):
        return sum(truths) >= node.count
    return not truths[0]


def looser(now: Decision, before: Decision) -> list[str]:
    """Return the fields that allow more than they did; a stop moves with the range anyway."""
    found = {
        "exposure_cap": now.exposure_cap > before.exposure_cap,
        "leverage_cap": (now.leverage_cap or math.inf) > (before.leverage_cap or math.inf),
        "hedge": now.hedge < before.hedge,
        "reduce_by": now.reduce_by < before.reduce_by,
        "block_entries": not SIDES[now.block_entries] >= SIDES[before.block_entries],
        "close": not CLOSES[now.close] >= CLOSES[before.close],
        "cancel_orders": CANCELS[now.cancel_orders] < CANCELS[before.cancel_orders],
        "reduce_only": now.reduce_only < before.reduce_only,
        "state": now.state < before.state,
    }
    return [name for name, is_looser in found.items() if is_looser]


def frees(latch: Rule | Stage) -> Condition:
    given = release(latch)
    return Not(trigger(latch)) if given is None else given


def sells(latch: Rule | Stage) -> bool:
    return any(getattr(latch.do, name) not in {None, ""} for name in SELLING)


class Watch:
    """Looks at a guard after each sample, and remembers where it stood."""

    def __init__(self, guard: Guard) -> None:
        self.guard, self.doubt = guard, Doubt(guard)
        self.before = guard.update(Sample(1, "*", {}))
        self.caps = list(guard.stream.caps)
        self.last: dict[tuple[str, str], int] = {}
        self.seen = {"looser": 0, "sold": 0, "blind": 0}

    def feed(self, sample: Sample) -> None:
        guard, instant = self.guard, self.guard.as_of
        for name in sample.values:
            self.last[sample.symbol.replace("BTC", ""), name] = sample.ts
        decision = guard.update(sample)
        self.blind(sample.ts, decision)
        if guard.as_of > instant:
            self.moved(decision)
        self.before, self.caps = decision, list(guard.stream.caps)

    def blind(self, now: int, decision: Decision) -> None:
        """A needed input older than it may be: named, and entries are blocked on both sides."""
        late = {
            spec.shown
            for spec in self.guard.plan.tapes
            if spec.needed
            and not spec.begins
            and now - self.last.get((spec.symbol, spec.name), -math.inf) > spec.max_age
        }
        # the account ages only once it has begun: tests/engine/test_account.py
        assert set(decision.blind) - ACCOUNT == late
        assert decision.block_entries == "both" or not (decision.blind or decision.priming)
        self.seen["blind"] += bool(late)

    def moved(self, decision: Decision) -> None:
        change, rules = self.guard.stream.change, self.guard.ruleset
        freed = False
        for rule, on, was in zip(rules.rules, change.on, change.on_before, strict=True):
            if was and not on:
                freed = True
                assert self.doubt.possible(frees(rule), clearing=True) == {True}, rule.name
            elif on and not was:
                self.fired(rule)
        if change.stage < change.stage_before:
            freed = True
            left = rules.stages[change.stage_before - 1]
            assert self.doubt.possible(frees(left), clearing=True) == {True}, left.name
        elif change.stage > change.stage_before:
            self.fired(rules.stages[change.stage - 1])
        freed |= change.stage > change.stage_before  # a harsher stage replaces a milder one
        freed |= any(now > was for now, was in zip(self.guard.stream.caps, self.caps, strict=True))
        seeing = len(decision.blind) + len(decision.priming) == 0
        freed |= seeing and bool(self.before.blind or self.before.priming)
        allowed = looser(decision, self.before)
        assert freed or not allowed, allowed
        self.seen["looser"] += bool(allowed)

    def fired(self, latch: Rule | Stage) -> None:
        """Nothing is sold by what is unknown alone."""
        if not sells(latch) or Expander(self.guard.ruleset).fires_blind(trigger(latch)):
            return  # the reader refuses those that would be (RG428)
        self.seen["sold"] += 1
        others = [node for node in self.under(trigger(latch)) if isinstance(node, Flag)]
        read = [leaf for leaf in self.doubt.leaves(trigger(latch)) if self.doubt.known(leaf)]
        states = [flag for flag in others if flag.kind != "definition"]
        remembers = [node for node in self.under(trigger(latch)) if not self.plain(node)]
        assert read or states or remembers, latch.name

    def plain(self, node: Condition) -> bool:
        return isinstance(node, Compare | Flag | All | Any | AtLeast | Not)

    def under(self, node: Condition) -> Iterator[Condition]:
        yield node
        inner = parts(node)
        if isinstance(node, Flag) and node.kind == "definition":
            inner = (self.guard.ruleset.define[node.name],)
        for part in inner:
            yield from self.under(part)


@counts(60, 1_500)
def test_missing_samples_neither_loosen_nor_sell_and_block_entries(count: int, measured):
    seen = {"looser": 0, "sold": 0, "blind": 0}
    for seed in range(count):
        draw = Draw(seed)
        rules, (samples, _) = draw.rules(), draw.history(100)
        watch = Watch(Guard(rules))
        for sample in thinned(samples, draw.random):
            watch.feed(sample)
        for name in seen:
            seen[name] += watch.seen[name]
    measured(
        f"{count:,} histories with samples deleted: {seen['looser']:,} decisions loosened, each by "
        f"a clear on known values; {seen['sold']:,} sold; {seen['blind']:,} events blind"
    )
    assert min(seen.values()) > count

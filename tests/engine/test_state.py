"""The state of a guard as a text: fed on, it is the run that was never interrupted."""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from riskguard import Guard, Sample, load_rules
from riskguard.adapters.backtrader import CAPABILITIES
from riskguard.engine.bodies import canonical, runs, unrun
from riskguard.engine.measures import MEASURES
from riskguard.engine.measures.calendar import CALENDAR
from riskguard.errors import StateError
from riskguard.history import History
from riskguard.language.binding import bind
from riskguard.language.reader import read_text
from riskguard.language.ruleset import RuleSet
from riskguard.market import HOUR, MINUTE
from riskguard.shipped import shipped
from tests.counts import counts
from tests.history.test_columns import EVERY, START, Draw

PACKS = sorted(
    path.stem for path in shipped("rules").glob("*.yaml") if not path.stem.endswith("_test")
)


def again(guard: Guard) -> Guard:
    """Return a guard that goes on from the dump of another, which asking did not change."""
    blob = guard.dump()
    made = Guard(guard.ruleset, sources=guard.sources)
    made.load(blob)
    assert made.dump() == blob == guard.dump()
    return made


def same(one: Guard, two: Guard, sample: Sample) -> None:
    first, second = one.update(sample), two.update(sample)
    assert first == second
    assert repr(one.stream.values) == repr(two.stream.values)
    assert one.stream.truths == two.stream.truths
    assert one.stream.caps == two.stream.caps


def mixed(draw: Draw, samples: list[Sample]) -> Iterator[Sample]:
    """Yield a history with what a feed does besides: clocks, repeats, nonsense, late values."""
    pick = draw.random
    for sample in samples:
        yield sample
        chance = pick.random()
        if chance < 0.1:
            yield Sample(sample.ts + pick.randrange(1, EVERY), "*", {})
        elif chance < 0.15:
            yield sample
        elif chance < 0.2:
            yield Sample(sample.ts + MINUTE, sample.symbol, {"oi": float("nan"), "close": -1.0})
        elif chance < 0.25:
            yield Sample(sample.ts + MINUTE, pick.choice(["ETH", "BTC"]), {"oi": 1000.0})
        elif chance < 0.27:
            yield Sample(sample.ts - 5 * HOUR, "ETH", {"close": 50.0, "oi": 999.0})


@counts(200, 100_000)
def test_dumps_at_random_cuts_go_on_as_the_run_that_was_not_interrupted(
    count: int, measured: Callable[[str], None]
) -> None:
    cuts = size = 0
    for seed in range(count // 10):
        draw = Draw(seed + 7_000)
        ruleset, (samples, _) = draw.rules(), draw.history()
        if seed % 3 == 0:
            ruleset = replace(ruleset, evaluate="event", hash="")
        straight, broken = Guard(ruleset), Guard(ruleset)
        history = list(mixed(draw, samples))
        chosen = set(draw.random.sample(range(len(history)), 10))
        for number, sample in enumerate(history):
            if number in chosen:
                broken = again(broken)
                cuts, size = cuts + 1, max(size, len(broken.dump()))
            if draw.random.random() < 0.01:
                straight.expire(sample.ts, "", "oi")
                broken.expire(sample.ts, "", "oi")
            same(straight, broken, sample)
        assert straight.dump() == broken.dump(), seed
        assert straight.refused == broken.refused
    measured(f"dumps: {cuts:,} random cuts equal to the run without; the largest {size:,} bytes")


def played(pack: str) -> tuple[RuleSet, Iterable[Sample]]:
    """Return a pack with the shipped scenario, or with a made account where it reads one."""
    history, loaded = History.read("feb-2026"), load_rules(shipped("rules") / f"{pack}.yaml")
    if pack in {"account-limits", "blind-guard"}:
        draw = Draw(1)
        return replace(loaded, symbol="BTC", every=EVERY, hash=""), draw.history(400)[0]
    bound = bind(
        loaded, symbol=history.symbol, every=history.every, carried=history.inputs(),
        capabilities=CAPABILITIES,
    )  # fmt: skip
    return bound.ruleset, history.samples()


@pytest.mark.parametrize("pack", PACKS)
def test_every_pack_goes_on_from_a_dump_on_the_shipped_scenario(
    pack: str, measured: Callable[[str], None]
) -> None:
    ruleset, samples = played(pack)
    straight, broken = Guard(ruleset), Guard(ruleset)
    pick, size = random.Random(pack), 0
    for sample in samples:
        if pick.random() < 0.02:
            broken = again(broken)
            size = max(size, len(broken.dump()))
        same(straight, broken, sample)
    assert straight.dump() == broken.dump()
    measured(f"dump of {pack}: at most {size:,} bytes")


# ---------------------------------------------------------------- every measure by name

LINES = {
    "accel": "liq.long.accel(4h) >= 2x", "age": "oi.age() > 2h", "ago": "close.ago(5h) > 100",
    "change": "oi.change(5h) <= -1%", "drawdown": "close.drawdown(9h) >= 2%",
    "drop": "close.drop(5h) >= 1%", "ema": "close.ema(4h) > 100", "high": "high.high(9h) > 103",
    "low": "low.low(9h) < 97", "mean": "close.mean(9h) > 100",
    "percentile": "oi.percentile(12h) > 90%", "rise": "close.rise(5h) >= 1%",
    "stdev": "close.stdev(12h) > 1", "sum": "liq.long.sum(6h) > $9M",
    "times_avg": "liq.long.times_avg(12h) >= 2x", "vol": "close.vol(12h) > 60%",
    "zscore": "oi.zscore(12h) > 1", "atr": "close.atr(3h) > 2",
    "library": "ta.rsi(window=3, warmup=12) < 40",
    "drawdown ever": "equity.drawdown(all) >= 3%",
    "of a measure": "liq.long.sum(3h).mean(9h) > $4M",
    "chained": "equity.drop(7h) >= 1%", "streak": "loss_streak >= 3",
    **{f"{name} since midnight": f"NAME.{name}(today) > 0.5%" for name in CALENDAR
       if name not in {"sum", "mean", "high", "low"}},
    "sum since midnight": "liq.long.sum(today) > $20M",
    "mean since midnight": "close.mean(today) > 100",
    "high since midnight": "close.high(today) > 103",
    "low since midnight": "close.low(today) < 97",
}  # fmt: skip


def whole(count: int) -> Iterator[Sample]:
    """Yield bars of one symbol and its account without a hole."""
    draw, price, equity = Draw(3), 100.0, 3e6
    for number in range(1, count + 1):
        price *= 1 + draw.random.gauss(0, 0.01)
        account = draw.account(equity)
        equity = account["equity"]
        yield Sample(START + number * EVERY, "BTC", draw.bar(price) | account)


def test_every_measure_has_its_line() -> None:
    assert set(MEASURES) - set(LINES) == set()


@pytest.mark.parametrize("name", LINES)
def test_every_measure_goes_on_from_a_dump_at_every_bar(name: str) -> None:
    line = LINES[name].replace("NAME", "close")
    text = "version: 1\nsymbol: BTC\nevery: 1h\ntimezone: Asia/Kolkata\nrules:\n"
    text += f"  r: {{when: {json.dumps(line)}, min_hold: 1h, do: {{exposure_cap: 50%}}}}\n"
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, [one.render() for one in found]
    straight, broken = Guard(ruleset), Guard(ruleset)
    left, values = straight.plan.numbers[ruleset.rules[0].when.left], set()  # type: ignore[union-attr]  # one line
    for sample in whole(90):
        broken = again(broken)
        same(straight, broken, sample)
        values.add(straight.stream.value(left))
    assert straight.dump() == broken.dump()
    assert len({value for value in values if math.isfinite(value)}) > 2 or name == "age"


def test_a_tape_that_was_trimmed_goes_on_from_a_dump() -> None:
    text = "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n"
    text += "  a: {when: close.vol(12h) > 60%, min_hold: 1h, do: {exposure_cap: 50%}}\n"
    text += "  b: {when: equity.drawdown(all) > 20%, min_hold: 1h, do: {exposure_cap: 50%}}\n"
    text += "  c: {when: close.rise(this_week) > 2%, min_hold: 1h, do: {exposure_cap: 50%}}\n"
    text += "  d: {when: liq.long.accel(12h) > 9x, min_hold: 1h, do: {exposure_cap: 50%}}\n"
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, found
    straight, broken = Guard(ruleset), Guard(ruleset)
    for number, sample in enumerate(Draw(5).history(6_000)[0]):
        if number % 700 == 0:
            broken = again(broken)
        same(straight, broken, sample)
    assert len(broken.dump()) < 20_000  # a week of bars, not all that ever came
    assert min(len(tape.times) for tape in straight.stream.tapes) < 6_000


# ---------------------------------------------------------------- what is refused


def rules(more: str = "") -> RuleSet:
    text = "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n  flush:\n"
    text += "    when: {any: [oi.change(3h) <= -5% for 2h, equity.drawdown(all) >= 9%, "
    text += "liq.long.sum(today) >= $90B]}\n"
    text += "    clear: {sequence: [oi > 900, close.high(today) > 100], within: 5h}\n"
    text += "    do: {exposure_cap: 50%, notify: look, stop: 1.5 ATR}\n"
    text += "    reentry: {start: 50%, step: 25%, every: 2h, while: close > 50}\n" + more
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, [one.render() for one in found]
    return ruleset


def fed() -> Guard:
    made = Guard(rules(), sources={"oi": "binance"})
    for sample in Draw(11).history(60)[0]:
        made.update(sample)
    made.mute(made.as_of, "flush", made.as_of + 30 * HOUR, "known")
    made.halt(made.as_of, "a look first")
    return made


def signed(body: Any) -> str:
    """Return a body with the sum that its text has: changed by someone who knows the format."""
    if not isinstance(body, dict):
        return canonical(body)
    body = {key: value for key, value in body.items() if key != "sum"}
    text = canonical(body)
    return canonical(body | {"sum": hashlib.sha256(text.encode()).hexdigest()})


def test_another_format_other_rules_and_other_sources_are_refused_by_name() -> None:
    made = fed()
    body = json.loads(made.dump())
    for key, value in (("format", 2), ("api", [2, 0]), ("rules", "f" * 64), ("sources", {})):
        with pytest.raises(StateError, match=key):
            made.load(signed(body | {key: value}))
    other = Guard(rules("    cooldown: 3h\n"), sources={"oi": "binance"})
    with pytest.raises(StateError, match="digest of these rules"):
        other.load(made.dump())
    with pytest.raises(StateError, match="sources"):
        Guard(rules(), sources={"oi": "bybit"}).load(made.dump())


def test_rules_bound_to_other_inputs_are_refused() -> None:
    made = fed()
    bound = replace(made.ruleset, every=2 * HOUR, hash=made.ruleset.hash)
    other = Guard(bound, sources=made.sources)
    with pytest.raises(StateError, match="bound to the same inputs"):
        other.load(made.dump())


ODD = (
    *("", "{}", "[]", "null", "0", '"x"', "{", "[" * 100_000, '{"a":' * 100_000, "\ud800", "\x00"),
    *("1" * 10_000, "NaN", '{"format": 1e999}', '{"format": ' + "9" * 5_000 + "}"),
)


def test_what_is_no_dump_is_refused_and_changes_nothing() -> None:
    made = fed()
    before, decision = made.dump(), made.decision
    for blob in (*ODD, None, 7, b"{}", ["x"], {"format": 1}):
        with pytest.raises(StateError, match=r"received|holds"):
            made.load(blob)  # type: ignore[arg-type]  # what is no text
    assert made.dump() == before
    assert made.decision is decision


@counts(1_500, 100_000)
def test_flipped_and_cut_dumps_are_refused_and_change_nothing(
    count: int, measured: Callable[[str], None]
) -> None:
    made, pick = fed(), random.Random(1)
    before = made.dump()
    for _ in range(count):
        kind, place = pick.random(), pick.randrange(len(before))
        if kind < 0.3:
            blob = before[:place]
        elif kind < 0.8:
            letter = chr(pick.choice([ord(before[place]) ^ (1 << pick.randrange(7)), 48, 0x20AC]))
            blob = before[:place] + letter + before[place + 1 :]
        else:
            end = min(len(before), place + pick.randrange(1, 50))
            blob = before[:place] + before[end:] if kind < 0.9 else before[:end] + before[place:]
        if blob != before:
            with pytest.raises(StateError):
                made.load(blob)
    assert made.dump() == before
    measured(f"hostile dumps: {count:,} cut, flipped or spliced: all refused, none changed a guard")


def _changed(value: Any, pick: random.Random) -> Any:
    """Return a body with one value somewhere in it replaced, dropped or added."""
    odd = pick.choice(
        [None, True, -1, 1 << 70, 10**30, 1.5, 1e308, "", "nan", "x" * 999, [], {}, [[]], {"a": 1},
         "-inf", 0, [1, 2, 3]]
    )  # fmt: skip
    if isinstance(value, dict) and value and pick.random() < 0.95:
        key = pick.choice(sorted(value))
        if pick.random() < 0.05:
            return {name: one for name, one in value.items() if name != key}
        if pick.random() < 0.05:
            return value | {"odd": odd}
        return value | {key: _changed(value[key], pick)}
    if isinstance(value, list) and value and pick.random() < 0.8:
        place = pick.randrange(len(value))
        return [*value[:place], _changed(value[place], pick), *value[place + 1 :]]
    return odd


@counts(800, 200_000)
def test_dumps_with_a_wrong_value_are_refused_or_go_on_without_a_crash(
    count: int, measured: Callable[[str], None]
) -> None:
    made, pick = fed(), random.Random(2)
    before = made.dump()
    body = json.loads(before)
    body.pop("sum")
    refused = 0
    for _ in range(count):
        blob = signed(_changed(body, pick))
        other = Guard(made.ruleset, sources=made.sources)
        try:
            other.load(blob)
        except StateError:
            refused += 1
            assert other.as_of < 0
            continue
        for hour in range(1, 4):  # a forged state may be any state, but no call raises
            other.update(Sample(made.as_of + hour * HOUR, "BTC", {"close": 100.0, "oi": 900.0}))
        other.status()
        other.dump()
    assert made.dump() == before
    measured(f"forged dumps: {count:,}, {refused:,} refused, the rest go on, no crash")


def test_times_come_back_from_runs() -> None:
    pick = random.Random(3)
    for _ in range(500):
        times, now = [], pick.randrange(100)
        for _ in range(pick.randrange(30)):
            times.append(now)
            now += pick.choice([1, 1, 1, 5, 60])
        assert unrun(runs(times), 100) == times
    assert unrun([0, 1, 10**9], 100) is None
    assert unrun([0, 0, 2], 100) is None
    assert unrun([5, 1, 2, 6, 1, 1], 100) is None
    assert unrun([5, 1], 100) is None


def test_an_answer_given_before_the_whole_bar_had_come_stands_after_a_restart() -> None:
    text = "version: 1\nsymbol: BTC\nevery: 1h\nevaluate: event\nrules:\n"
    text += "  r: {when: ta.williams_r(lbp=3) < -50, min_hold: 1h, do: {exposure_cap: 50%}}\n"
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, [one.render() for one in found]
    straight, broken = Guard(ruleset), Guard(ruleset)
    for sample in whole(60):
        close = sample.values["close"]
        for part in ({"high": close + 1, "low": close - 1}, {"close": close}):
            same(straight, broken, Sample(sample.ts, "BTC", part))
            broken = again(broken)

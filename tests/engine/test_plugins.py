"""Measures of plug-ins in a guard: asked once a bar, trusted with nothing."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from riskguard import Guard, Sample
from riskguard.engine.compile import compile_rules
from riskguard.engine.inheriting import inherit
from riskguard.engine.measures import plugged
from riskguard.errors import StateError
from riskguard.history.columns import Columns
from riskguard.language.reader import read_text
from riskguard.language.ruleset import RuleSet
from riskguard.market import HOUR, MINUTE
from tests.plugged import Installed

START = 1_767_225_600_000_000_000
BARS = 30
TEXT = """\
version: 1
symbol: BTC
every: 1h
rules:
  r:
    when: plugin.bad(window=2h) > 95
    clear: plugin.bad(window=2h) < 90
    do: {exposure_cap: 50%}
"""
# after some good bars: what they do from bar 10 on, in update() or in read()
BAD = {
    "raises": "raise ValueError('no')",
    "divides by zero": "1 / 0",
    "leaves": "import sys; sys.exit(0)",
    "answers a text": "return '96'",
    "answers a truth": "return True",
    "answers NaN": "return float('nan')",
    "answers infinity": "return float('inf')",
    "answers a list": "return [96.0]",
    "never ends by itself": "return self.read()",
    "takes too long": "import time; time.sleep(1.1); return 96.0",
    "eats memory": "return bytearray(1 << 62)",
    "has an error without a text": "raise Mute",
}
CODE = """
class Mute(BaseException):
    def __str__(self):
        raise RuntimeError


class Measure:
    api = (1, 0)
    arguments = {"window": "2h"}
    warmup = "window"

    def __init__(self, *, window):
        self.last, self.bars = None, 0

    def update(self, ts, values):
        self.last, self.bars = values["close"], self.bars + 1
        # update

    def read(self):
        if self.bars > 10:
            pass  # read
        return self.last

    def dump(self):
        return [self.last, self.bars]

    def load(self, state):
        self.last, self.bars = state
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    found = Installed(tmp_path, monkeypatch)
    found.allow("bad", "other")
    return found


def rules(text: str = TEXT) -> RuleSet:
    found, said = read_text(text, "rules.yaml")
    assert found is not None, [one.render() for one in said]
    return found


def closes(low: int = 6) -> list[float]:
    """Return closes under 90, then from bar `low` on above 95."""
    return [80.0 + bar / 10 if bar < low else 96.0 + bar / 10 for bar in range(BARS)]


def fed(guard: Guard, values: list[float], first: int = 0) -> list[tuple[float, bool]]:
    found = []
    for bar, close in enumerate(values[first:], first + 1):
        bars = {"close": close, "high": close, "low": close, "open": close, "volume": 1.0}
        decision = guard.update(Sample(START + bar * HOUR, "BTC", bars))
        found.append((decision.exposure_cap, bool(decision.priming)))
    return found


def column(ruleset: RuleSet, values: list[float]) -> list[tuple[float, bool]]:
    now = START + HOUR * np.arange(1, len(values) + 1, dtype=np.int64)
    columns = Columns(compile_rules(ruleset), {"close": (now, np.array(values))}, now, "BTC")
    return [
        (columns.decision(bar).exposure_cap, bool(columns.decision(bar).priming))
        for bar in range(len(values))
    ]


def test_a_good_measure_decides_and_its_column_is_its_step(install: Installed) -> None:
    install("bad")
    found = fed(Guard(rules()), closes())
    assert found == column(rules(), closes())
    assert found == [(1.0, True)] + [(1.0, False)] * 5 + [(0.5, False)] * (BARS - 6)


@pytest.mark.parametrize("low", [6, 20], ids=["on", "off"])
@pytest.mark.parametrize("what", BAD)
def test_a_bad_measure_is_unknown_then_quarantined(
    install: Installed, monkeypatch: pytest.MonkeyPatch, what: str, low: int
) -> None:
    """What is on stays on, what is off stays off, and nothing enters once it is quarantined."""
    passed = [0.0]  # a machine that is busy elsewhere must not look like a slow plug-in
    monkeypatch.setattr(plugged, "perf_counter", lambda: passed[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: passed.append(passed.pop() + seconds))
    install("bad", CODE.replace("pass  # read", BAD[what]))
    guard, values = Guard(rules()), closes(low)
    found = fed(guard, values)
    assert found == column(rules(), values)
    cap = 0.5 if low == 6 else 1.0
    assert found[10:12] == [(cap, False)] * 2  # unknown: nothing moves
    assert found[12:] == [(cap, True)] * (BARS - 12)  # quarantined: the guard cannot see
    assert guard.decision.block_entries == "both"
    (told,) = guard.status()["plugins"]
    assert (told["measure"], told["from"]) == ("plugin.bad(window=2h)", "acme 0.1")
    assert (told["faults"], told["quarantined"]) == (3, True)
    assert told["fault"]
    assert guard.status()["fault"] is None


@pytest.mark.parametrize(
    "change", ["values['close'] = 0.0", "values.clear()", "values.pop('close')"]
)
def test_a_measure_that_changes_what_it_is_given_fails_and_changes_nothing(
    install: Installed, change: str
) -> None:
    install("bad", CODE.replace("# update", change))
    install("other", of="acme2")
    text = TEXT + TEXT.partition("rules:\n")[2].replace(" r:", " s:").replace("bad", "other")
    guard = Guard(rules(text))
    fed(guard, closes())
    assert [one["faults"] for one in guard.status()["plugins"]] == [3, 0]
    assert guard.stream.tapes[0].values[-1] == closes()[-1]
    assert [one.name for one in guard.ruleset.rules] == ["r", "s"]
    assert guard.decision.active == ("s",)


def test_a_constructor_that_fails_later_quarantines_at_once(install: Installed) -> None:
    begin = "self.last, self.bars = None, 0"
    code = "MADE = [1]\n" + CODE.replace(begin, f"MADE[0]\n        {begin}")
    module, text = install("bad", code), rules()
    sys.modules[module].MADE.clear()
    guard = Guard(text)
    assert set(fed(guard, closes())) == {(1.0, True)}
    assert guard.status()["plugins"][0]["quarantined"] is True


def test_ctrl_c_inside_a_measure_is_the_users(install: Installed) -> None:
    install("bad", CODE.replace("pass  # read", "raise KeyboardInterrupt"))
    guard = Guard(rules())
    with pytest.raises(KeyboardInterrupt):
        fed(guard, closes())
    install("other", CODE.replace("self.last, self.bars = state", "raise KeyboardInterrupt"))
    text = TEXT.replace("bad", "other")
    guard = Guard(rules(text))
    fed(guard, closes())
    with pytest.raises(KeyboardInterrupt):
        Guard(rules(text)).load(guard.dump())


def test_a_guard_restored_at_any_bar_goes_on_as_if_never_interrupted(install: Installed) -> None:
    for code in (CODE, CODE.replace("pass  # read", "raise ValueError")):
        install("bad", code)
        whole = fed(Guard(rules()), closes())
        for cut in range(1, BARS):
            before, after = Guard(rules()), Guard(rules())
            fed(before, closes()[:cut])
            after.load(before.dump())
            assert fed(after, closes(), cut) == whole[cut:]
            assert after.status()["plugins"] == fed_status(closes())
        (install.folder / "acme-0.1.dist-info" / "entry_points.txt").unlink()


def fed_status(values: list[float]) -> list[dict[str, object]]:
    guard = Guard(rules())
    fed(guard, values)
    found: list[dict[str, object]] = guard.status()["plugins"]
    return found


@pytest.mark.parametrize(
    "said", ["1 / 0", "return {1}", "return float('nan')", "return 'x' * 2**21"]
)
def test_a_measure_that_cannot_be_saved_is_quarantined_and_the_guard_is_saved(
    install: Installed, said: str
) -> None:
    install("bad", CODE.replace("return [self.last, self.bars]", said))
    guard, again = Guard(rules()), Guard(rules())
    fed(guard, closes()[:8])
    again.load(guard.dump())
    for one in (guard, again):
        (told,) = one.status()["plugins"]
        assert told["quarantined"] is True
        assert told["fault"].startswith("its state cannot be saved: ")
        assert set(fed(one, closes(), 8)) == {(0.5, True)}


def test_a_state_that_a_measure_does_not_take_is_refused_with_its_version(
    install: Installed,
) -> None:
    install("bad", CODE.replace("self.last, self.bars = state", "raise ValueError('old')"))
    guard = Guard(rules())
    fed(guard, closes()[:8])
    with pytest.raises(StateError, match=r"plugin.bad of acme 0.1 does not take .* old"):
        Guard(rules()).load(guard.dump())


def test_it_is_told_each_sample_once_in_order_with_what_stood_beside_it(
    install: Installed,
) -> None:
    code = (
        CODE.replace("self.last, self.bars = None, 0", "self.last, self.bars = [], 0")
        .replace(
            'self.last, self.bars = values["close"], self.bars + 1',
            'self.last.append([ts, values["close"], values["funding"] == values["funding"]])',
        )
        .replace("return self.last\n\n    def dump", "return 1.0\n\n    def dump")
    )
    install("bad", code.replace("api =", "reads = ('close', 'funding'); api ="))
    guard = Guard(rules())
    for bar in range(1, 21):
        if bar in {4, 12}:
            guard.update(Sample(START + bar * HOUR, "BTC", {"funding": 0.0001}))
        guard.update(Sample(START + bar * HOUR, "BTC", {"close": 80.0 + bar}))
        guard.explain()
    state = json.loads(guard.dump())["windows"]["0"]["memory"]
    told = json.loads(state)[0]
    assert [one[:2] for one in told] == [[START + bar * HOUR, 80.0 + bar] for bar in range(1, 21)]
    assert not told[2][2]
    assert told[3][2]


def test_a_measure_that_answers_none_is_unknown_and_no_fault(install: Installed) -> None:
    install("bad", CODE.replace("pass  # read", "return None if self.bars < 20 else 80.0"))
    guard = Guard(rules())
    found = fed(guard, closes())
    assert found == column(rules(), closes())
    # on from bar 7 on; from bar 11 it says nothing, at bar 20 that it is over
    assert [cap for cap, _ in found] == [1.0] * 6 + [0.5] * 13 + [1.0] * 11
    assert guard.status()["plugins"][0]["faults"] == 0


def test_a_measure_is_asked_nothing_between_its_bars_and_what_it_said_stands(
    install: Installed,
) -> None:
    install("bad")
    more = "  dear: {when: funding > 1%, clear: funding < 0.5%, do: {block_entries: both}}\n"
    guard = Guard(rules(TEXT.replace("rules:", "evaluate: event\nrules:") + more))
    fed(guard, closes()[:8])
    before = guard.stream.rollings[0].memory
    for number, (rate, blocked) in enumerate(((0.02, "both"), (0.001, "none")), 1):
        ts = START + 8 * HOUR + number * MINUTE
        decision = guard.update(Sample(ts, "BTC", {"funding": rate}))
        assert (decision.ts, decision.exposure_cap, decision.block_entries) == (ts, 0.5, blocked)
        assert guard.stream.rollings[0].memory == before


def test_a_flow_that_comes_late_is_not_told_again(install: Installed) -> None:
    code = CODE.replace("api =", "reads = ('close', 'liq.long'); api =")
    code = code.replace("self.bars + 1", 'self.bars + values["liq.long"]')
    install("bad", code)
    guard = Guard(rules())
    for bar, close in enumerate(closes(), 1):
        guard.update(Sample(START + bar * HOUR, "BTC", {"close": close, "liq.long": 1.0}))
        if bar > 1:
            guard.amend("BTC", "liq.long", START + (bar - 1) * HOUR, 100.0)
    assert guard.refused == {}
    assert guard.stream.tapes[1].values[-3:] == [101.0, 101.0, 1.0]
    assert json.loads(guard.stream.rollings[0].memory) == [closes()[-1], float(BARS)]
    assert guard.decision.exposure_cap == 0.5


def test_a_backtest_tells_which_measure_failed(install: Installed) -> None:
    install("bad", CODE.replace("pass  # read", "raise ValueError('no')"))
    now = START + HOUR * np.arange(1, BARS + 1, dtype=np.int64)
    columns = Columns(compile_rules(rules()), {"close": (now, np.array(closes()))}, now, "BTC")
    told = "plugin.bad(window=2h) of acme 0.1 failed 3 times, and was not called again"
    assert columns.failed == [f"{told}: ValueError: no"]


def test_a_new_measure_is_told_no_bar_that_never_was(install: Installed) -> None:
    """Tapes that share a clock are as long as the longest: what fills them up is no bar."""
    install("bad", CODE)
    beside = "  thin: {when: volume.mean(20h) < 1, min_hold: 1h, do: {reduce_only: true}}\n"
    fall = "  fall: {when: close.change(9h) < -9%, min_hold: 1h, do: {reduce_only: true}}\n"
    head = TEXT[: TEXT.index("  r:")]
    before, again = Guard(rules(head + beside + fall)), Guard(rules(head + beside + fall))
    fed(before, closes())
    again.load(before.dump())
    after = Guard(rules(TEXT + beside + fall))
    inherit(again, after, [])
    kept = len(after.stream.tapes[0].times)
    assert kept < 15 < len(again.stream.tapes[0].times)
    fed(after, [*closes(), 97.0], BARS)
    (measure,) = [one for one in after.stream.rollings if isinstance(one, plugged.Foreign)]
    assert measure.measure.bars == kept + 1

"""What an operator sets by hand: halt, resume, release, mute."""

from __future__ import annotations

import json

import pytest

from riskguard import Decision, Guard, Intent, RiskguardError, Sample, State
from riskguard.engine.gate import gate
from riskguard.language.reader import read_text
from riskguard.market import HOUR, MINUTE

START = 1_767_225_600_000_000_000
RULES = """\
version: 1
symbol: BTC
every: 1h
stages:
  - {stage: careful, enter: close < 95, recover: close > 96, do: {exposure_cap: 90%, notify: low}}
rules:
  deep: {when: close < 90, clear: close > 95, do: {exposure_cap: 50%, notify: deep}}
  loss:
    when: equity.drawdown(all) >= 10%
    latch: true
    do: {exposure_cap: 25%, notify: lost}
    reentry: {start: 25%, step: 25%, every: 2h, while: close > 1}
  after: {when: loss, min_hold: 1h, do: {block_entries: long}}
"""


def guard(text: str = RULES) -> Guard:
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, [one.render() for one in found]
    return Guard(ruleset)


def feed(made: Guard, hour: float, **values: float) -> Decision:
    ts = START + int(hour * HOUR)
    return made.update(Sample(ts, "BTC", {"close": 100.0, **values}))


def again(made: Guard) -> Guard:
    other = Guard(made.ruleset)
    other.load(made.dump())
    return other


def lost() -> Guard:
    """Return a guard whose account has lost 12 %: the latched rule is on."""
    made = guard()
    feed(made, 1, equity=1000.0)
    assert feed(made, 2, equity=880.0).active == ("after", "loss")
    assert feed(made, 3, equity=880.0).active == ("after", "loss")
    return made


# ---------------------------------------------------------------- halt


def test_a_halt_is_in_force_at_once_and_until_it_is_resumed() -> None:
    made = guard()
    feed(made, 1)
    ts = START + HOUR + MINUTE
    halted = made.halt(ts, "exchange is down")
    assert (halted.state, halted.latched, halted.exposure_cap) == (State.HALTED, True, 0.0)
    assert halted.winners["exposure_cap"] == ("manual",)
    assert halted.ts == ts
    assert [one.leaf for one in halted.reasons if one.rule == "manual"] == [
        "halt: exchange is down"
    ]
    assert gate(Intent(ts, "BTC", "buy", 1.0, 0.0), halted).answer == "deny"
    assert gate(Intent(ts, "BTC", "sell", 1.0, 1.0), halted).answer == "allow"
    for hour in range(2, 30):
        assert feed(made, hour).state is State.HALTED
    back = made.resume(START + 29 * HOUR + MINUTE, "it is back")
    assert (back.state, back.latched) == (State.ACTIVE, False)
    assert [one.leaf for one in back.reasons] == ["resume: it is back"]


def test_a_halt_is_in_force_after_a_restart_before_the_first_event() -> None:
    made = guard()
    feed(made, 1)
    made.halt(START + HOUR, "stop")
    other = again(made)
    assert other.decision == made.decision
    assert other.decision.state is State.HALTED
    assert feed(other, 2).state is State.HALTED


def test_a_guard_that_has_seen_nothing_can_be_halted() -> None:
    made = guard()
    assert made.halt(START, "not yet").state is State.HALTED
    assert again(made).decision.state is State.HALTED
    assert feed(made, 1).state is State.HALTED


def test_what_rules_ask_for_stays_when_a_halt_ends() -> None:
    made = guard()
    feed(made, 1, close=80.0)
    assert made.halt(START + HOUR, "stop").winners["exposure_cap"] == (
        "manual", "deep", "stage careful",
    )  # fmt: skip
    assert made.resume(START + HOUR, "go").exposure_cap == 0.5


def test_a_halt_moves_no_rule_and_no_window() -> None:
    plain, halted = guard(), guard()
    for hour in range(1, 20):
        price = 100.0 - hour if hour < 12 else 100.0
        feed(plain, hour, close=price)
        feed(halted, hour, close=price)
        if hour == 5:
            halted.halt(START + 5 * HOUR, "stop")
        if hour == 15:
            halted.resume(START + 15 * HOUR, "go")
        assert halted.stream.truths == plain.stream.truths
        assert halted.stream.change == plain.stream.change
    assert halted.decision.exposure_cap == plain.decision.exposure_cap


def test_resume_without_a_halt_says_what_there_is_to_do() -> None:
    with pytest.raises(RiskguardError, match="no halt is in force"):
        guard().resume(START, "go")


# ---------------------------------------------------------------- release


def test_a_released_rule_leaves_at_once_and_takes_the_loss_as_given() -> None:
    made = lost()
    freed = made.release(START + 3 * HOUR + MINUTE, "loss", "seen")
    assert freed.active == ("after",)
    assert freed.latched is False
    assert freed.exposure_cap == 0.25  # its way back begins at once
    assert freed.reasons[0].leaf == "release loss: seen"
    # by the old peak it would fire again at the next close
    assert feed(made, 4, equity=880.0).active == ()
    assert feed(made, 5, equity=800.0).active == ()
    assert feed(made, 6, equity=791.0).active == ("after", "loss")


@pytest.mark.parametrize("when", ["fallen", "{is: fallen, on_missing: fire}"])
def test_a_release_reaches_a_loss_behind_a_name_and_inside_a_sum(when: str) -> None:
    lines = "[equity.drawdown(all) + 1% >= 11%, close < 1, close.drop(2h) > 90%]"
    text = RULES.replace("rules:\n", f"define:\n  fallen: {{any: {lines}}}\nrules:\n")
    text = text.replace("when: equity.drawdown(all) >= 10%", f"when: {when}")
    text = text.replace("do: {exposure_cap: 25%, notify: lost}", "do: {block_entries: both}")
    ramp = "{start: 25%, step: 25%, every: 2h, while: close > 1}"
    other = f"{{when: close < 1, clear: close > 2, do: {{block_entries: both}}, reentry: {ramp}}}"
    made = guard(text.replace("  after:", f"  crash: {other}\n  after:"))
    for hour in (1, 2, 3):
        feed(made, hour, equity=1000.0)
    if "fire" in when:
        made.release(START + 3 * HOUR, "loss", "it was not known")
    assert feed(made, 4, equity=880.0).active == ("after", "loss")
    assert made.release(START + 4 * HOUR, "loss", "seen").active == ("after",)
    assert "loss" not in feed(made, 5, equity=880.0).active
    assert "loss" in feed(made, 6, equity=791.0).active


def test_the_way_back_of_a_released_rule_rises_step_by_step() -> None:
    made = lost()
    made.release(START + 3 * HOUR, "loss", "seen")
    caps = [feed(made, hour, equity=880.0).exposure_cap for hour in range(4, 10)]
    assert caps == [0.25, 0.5, 0.5, 0.75, 0.75, 1.0]


def test_a_release_is_part_of_the_state() -> None:
    made = lost()
    made.release(START + 3 * HOUR + MINUTE, "loss", "seen")
    other = again(made)
    for hour in range(4, 12):
        equity = 880.0 if hour < 9 else 780.0
        assert feed(other, hour, equity=equity) == feed(made, hour, equity=equity)
    assert other.dump() == made.dump()


def test_a_rule_that_is_released_cools_down() -> None:
    made = guard(RULES.replace("latch: true", "latch: true\n    cooldown: 5h"))
    feed(made, 1, equity=1000.0)
    feed(made, 2, equity=880.0)
    made.release(START + 2 * HOUR, "loss", "seen")
    active = [feed(made, hour, equity=700.0).active for hour in range(3, 9)]
    assert ["loss" in one for one in active] == [False] * 4 + [True] * 2


def test_a_release_moves_the_rules_that_read_it_though_no_line_moves() -> None:
    text = "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n"
    text += "  hit: {when: close < 90, latch: true, do: {exposure_cap: 50%}}\n"
    made = guard(text + "  after: {when: hit, min_hold: 1h, do: {block_entries: long}}\n")
    feed(made, 1, close=80.0)
    for hour in range(2, 5):
        assert feed(made, hour).active == ("after", "hit")
    made.release(START + 4 * HOUR, "hit", "seen")
    assert feed(made, 5).active == ()


def test_a_release_lets_the_loss_of_a_rule_that_is_only_named_stand() -> None:
    both = "  out: {when: {all: [loss, close < 90]}, latch: true, do: {block_entries: both}}\n"
    made = guard(RULES + both)
    feed(made, 1, equity=1000.0)
    assert "out" in feed(made, 2, close=80.0, equity=880.0).active
    assert "out" not in made.release(START + 2 * HOUR, "out", "seen").active
    (found,) = [one for one in feed(made, 3, equity=880.0).reasons if one.rule == "loss"]
    assert found.value == pytest.approx(0.12)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("los", "there are: deep, loss, after"),
        ("deep", "it is not latched"),
        ("after", "it is not on"),
        ("careful", "a stage leaves by its `recover`"),
        ("manual", "`resume` ends a halt"),
    ],
)
def test_what_cannot_be_released_says_why_and_changes_nothing(name: str, why: str) -> None:
    made = guard()
    feed(made, 1, close=80.0)
    before = made.dump()
    with pytest.raises(RiskguardError, match=why):
        made.release(START + HOUR, name, "try")
    assert made.dump() == before


# ---------------------------------------------------------------- mute


def test_a_mute_silences_the_message_of_one_rule_until_then_and_nothing_else() -> None:
    made = guard()
    assert feed(made, 1, close=80.0).notify == ("deep", "low")
    muted = made.mute(START + HOUR, "deep", START + 4 * HOUR, "known")
    assert (muted.notify, muted.exposure_cap, muted.active) == (("low",), 0.5, ("deep",))
    made.mute(START + HOUR, "stage careful", START + 3 * HOUR, "known")
    told = [feed(made, hour, close=80.0).notify for hour in range(2, 6)]
    assert told == [(), ("low",), ("deep", "low"), ("deep", "low")]


def test_a_mute_is_part_of_the_state_and_ends_there_too() -> None:
    made = guard()
    feed(made, 1, close=80.0)
    made.mute(START + HOUR, "deep", START + 4 * HOUR, "known")
    other = again(made)
    for hour in range(2, 7):
        assert feed(other, hour, close=80.0) == feed(made, hour, close=80.0)
    assert other.decision.notify == ("deep", "low")


@pytest.mark.parametrize(
    ("name", "until", "why"),
    [("dep", 2 * HOUR, "there are: deep"), ("deep", 0, "is not after"), ("deep", -1, "not a time")],
)
def test_a_mute_of_nothing_says_why(name: str, until: int, why: str) -> None:
    made = guard()
    with pytest.raises(RiskguardError, match=why):
        made.mute(START, name, START + until if until >= 0 else -1, "x")
    assert made.decision.ts == 0


# ---------------------------------------------------------------- all of them


def test_times_that_are_none_are_refused() -> None:
    made = lost()
    for ts in (-1, 1.5, "now", None, True, 1 << 70):
        for call in (
            lambda ts=ts: made.halt(ts, "x"),
            lambda ts=ts: made.resume(ts, "x"),
            lambda ts=ts: made.release(ts, "loss", "x"),
            lambda ts=ts: made.mute(ts, "loss", START * 2, "x"),
        ):
            with pytest.raises(RiskguardError, match="is not a time"):
                call()
    assert made.decision.active == ("after", "loss")


def test_reasons_are_cut_short_and_made_visible() -> None:
    made = guard()
    halted = made.halt(START, "a\x1b[2Jb\n" + "c" * 10_000)
    (told,) = [one for one in halted.reasons if one.rule == "manual"]
    assert told.leaf.isprintable()
    assert len(told.leaf) < 200
    json.dumps(made.status())


def test_under_evaluate_event_what_others_brought_is_decided_before_the_operator_speaks() -> None:
    text = "version: 1\nsymbol: BTC\nevery: 1h\nevaluate: event\nsymbols: [ETH]\nrules:\n"
    made = guard(text + "  r: {when: ETH.close < 5, min_hold: 1h, do: {exposure_cap: 50%}}\n")
    feed(made, 1)
    made.update(Sample(START + HOUR + MINUTE, "ETH", {"close": 4.0}))
    assert made.halt(START + HOUR + 2 * MINUTE, "stop").active == ("r",)

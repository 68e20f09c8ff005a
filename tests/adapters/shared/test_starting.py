"""What a bot is told where it starts: what stands in for what, and which orders nobody guards."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from riskguard import Guard, RuleError, load_rules
from riskguard.adapters.shared.desk import Offline
from riskguard.adapters.shared.offline import BAR, Terms
from riskguard.adapters.shared.starting import Bot, able, announce
from riskguard.errors import AdapterError
from riskguard.language.ruleset import Actions
from riskguard.market import ACCOUNT, HOUR
from riskguard.testing import ScriptedGuard
from tests.stood_in import STANDS_IN, passing, stood_in

ABLE = frozenset({"exposure_cap", "block_entries"})
WHOLE = frozenset(one.name for one in fields(Actions))
PASS = passing("SOL/USDT", "XRP")
TRADES = ("BTC/USDT:USDT", "XRP", "ETH", "SOL/USDT")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return stood_in(tmp_path)


def bot(capabilities: frozenset[str] = ABLE) -> Bot:
    return Bot("BTC", HOUR, capabilities, BAR)


def said(desk: object) -> list[str]:
    notes: list[str] = []
    assert list(announce(desk, TRADES, notes.append)) == notes
    return notes


def test_a_guard_of_a_backtest_and_a_live_session_tell_the_same(
    rules: Path, tmp_path: Path
) -> None:
    assert said(bot().offline(load_rules(rules))) == [STANDS_IN, PASS]
    with bot().live(rules, tmp_path / "state") as session:
        assert said(session) == [STANDS_IN, PASS]
    with bot().live(rules, tmp_path / "state") as again:  # its guard comes out of the state
        assert said(again) == [STANDS_IN, PASS]


def test_what_is_told_is_what_the_desk_does(rules: Path) -> None:
    desk = bot().offline(load_rules(rules))
    (rule,) = desk.guard.ruleset.rules
    assert (rule.do.hedge, rule.do.exposure_cap, rule.do.block_entries) == (None, 0.4, "long")


def test_the_fallback_replaces_only_what_cannot_be_done(rules: Path) -> None:
    desk = bot(WHOLE).offline(load_rules(rules))
    assert said(desk) == [PASS]
    (rule,) = desk.guard.ruleset.rules
    assert (rule.do.hedge, rule.do.exposure_cap, rule.do.block_entries) == (0.5, None, "long")


def test_what_the_author_allows_is_not_told(rules: Path) -> None:
    rules.write_text(f"{rules.read_text()}allow: [RG513]\n")
    assert said(bot().offline(load_rules(rules))) == [STANDS_IN]


def test_a_desk_that_was_made_elsewhere_is_refused_what_nobody_would_do(rules: Path) -> None:
    desk = Offline(Guard(load_rules(rules)))
    with pytest.raises(AdapterError, match="'fallen' asks for hedge, which this adapter cannot"):
        able(desk, ABLE)
    able(desk, WHOLE)
    able(bot().offline(load_rules(rules)), ABLE)
    terms = Terms.of("", symbol="BTC", desk=lambda: desk)
    with pytest.raises(AdapterError, match="asks for hedge"):
        terms.desk(HOUR, BAR, ABLE)


class Broken:
    def __getattr__(self, name: str) -> None:
        raise RuntimeError("the guard is broken")


@pytest.mark.parametrize(
    "desk", [ScriptedGuard(), Broken(), None], ids=["scripted", "broken", "no"]
)
def test_a_desk_whose_rules_cannot_be_read_has_nothing_to_tell_and_stops_no_bot(desk) -> None:
    assert said(desk) == []
    able(desk, frozenset())


def test_a_live_bot_says_where_it_remembers(rules: Path) -> None:
    with pytest.raises(AdapterError, match="remembers in a folder"):
        bot().live(rules, "")


def test_a_bot_of_one_symbol_is_refused_rules_that_do_not_guard_it(rules: Path) -> None:
    with pytest.raises(RuleError, match="guards BTC, ETH, not SOL"):
        Terms.of(rules, symbol="SOL").desk(HOUR, BAR, ABLE)


DEPOSITS = (
    "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n  one: {when: RULE, do: {exposure_cap: 0%}}\n"
)
NOTE = "no 'transfers' are sent: deposits and withdrawals are taken as none"


def of_account(folder: Path, rule: str) -> tuple[Bot, Path]:
    path = folder / "account.yaml"
    path.write_text(DEPOSITS.replace("RULE", rule))
    return Bot("BTC", HOUR, ABLE, ("close", *sorted(ACCOUNT))), path


def test_a_live_bot_says_that_nobody_tells_of_deposits(tmp_path: Path) -> None:
    one, path = of_account(tmp_path, "equity.drawdown(all) >= 5%")
    assert NOTE not in said(one.offline(load_rules(path)))
    with one.live(path, tmp_path / "state") as session:
        assert NOTE in said(session)


def test_a_live_bot_refuses_rules_on_deposits(tmp_path: Path) -> None:
    one, path = of_account(tmp_path, "transfers.sum(24h) >= $100")
    with pytest.raises(RuleError, match="transfers"):
        one.live(path, tmp_path / "state")

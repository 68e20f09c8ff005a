"""Words from elsewhere: what traders write by habit, and what is written here.

A word may mean several things; where it stands decides which of them is allowed there.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["INSTEAD", "meanings", "plain"]

# the word of the language -> words that mean it
SAME: Mapping[str, str] = {
    # inputs
    "close": "price last last_price mark mark_price px spot close_price",
    "volume": "vol turnover traded_volume",
    "oi": "open_interest openinterest oi_coins interest",
    "oi_usd": "open_interest_usd oi_dollars oi_value notional_oi",
    "liq.long": "liq liqs liquidations liquidation long_liquidations longs_liquidated liq_longs "
    "liquidations_long liquidated_longs long_liq forced_selling liq_long_usd",
    "liq.short": "short_liquidations shorts_liquidated liq_shorts liquidations_short "
    "liquidated_shorts short_liq liq_short_usd",
    "liq.total": "total_liquidations liquidations_total all_liquidations liq_total_usd",
    "funding": "funding_rate fundingrate funding_fee",
    "basis": "premium",
    "fear_greed": "fear greed fear_and_greed fear_greed_index fng fgi sentiment",
    "equity": "balance account account_value capital net_worth nav wallet",
    "pnl.realised": "pnl profit loss realised realized pnl_realized realized_pnl realised_pnl",
    "pnl.unrealised": "upnl unrealized unrealised unrealized_pnl unrealised_pnl open_pnl",
    "loss_streak": "losing_streak consecutive_losses losses_in_a_row",
    "trades.lost": "losing_trades lost_trades losses",
    "trades.stopped": "stop_losses stopouts stopped_trades",
    "leverage": "lev gearing",
    "position": "pos size position_size",
    # measures
    "ago": "prev previous shift lag before delay ref",
    "change": "pct_change percent_change pct change_pct roc return returns delta diff",
    "drop": "fall falls decline decrease down loss",
    "rise": "gain gains increase up growth",
    "sum": "total count cumsum cumulative",
    "mean": "avg average ma moving_average rolling_mean",
    "low": "min minimum lowest lo",
    "high": "max maximum highest hi",
    "stdev": "std stddev sigma deviation",
    "zscore": "z z_score",
    "times_avg": "times_average ratio_to_average multiple relative",
    "percentile": "rank quantile pct_rank",
    "accel": "acceleration speed",
    "drawdown": "dd max_drawdown",
    "vol": "volatility realized_vol realised_vol",
    # keys of rules and stages
    "when": "if condition conditions trigger enter entry on_when fires",
    "enter": "when if condition conditions trigger entry",
    "clear": "unless until recover reset exit clears release_when off_when",
    "recover": "clear unless until reset exit",
    "do": "then action actions react execute response",
    "min_hold": "hold minimum_hold hold_for min_time stop_duration stop_duration_candles",
    "cooldown": "cool_down pause wait rest",
    "latch": "latched sticky",
    "stage": "name id level step",
    "name": "it title id case",
    "during": "hours session schedule",
    # actions
    "exposure_cap": "cap exposure max_exposure exposure_limit max_position position_limit",
    "reduce_by": "reduce cut scale_out trim",
    "block_entries": "block block_entry no_entries block_longs block_shorts stop_trading",
    "leverage_cap": "max_leverage leverage leverage_limit",
    "stop": "stop_loss stoploss sl trailing_stop",
    "cancel_orders": "cancel cancel_all cancel_entries",
    "notify": "alert message telegram email warn notification",
    # keys of the file
    "every": "interval timeframe bar bars period candle frequency",
    "rules": "rule guards_rules",
    "stages": "levels ladder steps",
    "params": "parameters variables vars constants inputs_params settings",
    "define": "definitions defs conditions aliases",
    "symbol": "coin asset market pair ticker instrument",
    "symbols": "coins assets markets pairs tickers instruments universe",
    "timezone": "tz time_zone",
    "extends": "include includes import imports",
    "value": "default val initial",
    "help": "description desc comment note",
    # combinators
    "all": "and all_of every everything both each",
    "any": "or any_of either one_of",
    "not": "none none_of",
    "at_least": "atleast min_of count least",
    "sequence": "then_sequence steps followed_by",
    # choices
    "longs": "long long_positions",
    "shorts": "short short_positions",
    "entries": "entry open new",
    "critical": "high severe fatal",
    "info": "low notice",
    "ignore": "skip pass drop",
    "hold": "keep wait",
    "usd": "dollar dollars $ us_dollars usdt",
    "fraction": "percent % share pct percentage",
    "index": "points score",
    "coins": "coin btc contracts_coins",
    "flow": "amount delta counter",
    "level": "gauge state stock",
}
# words of the language that have more than the meanings above, where they stand for an action
CLOSING = "exit flatten sell sell_all liquidate close_all close_position close_positions go_flat"
YES = "true yes on everything 100%"

# words that no single word of the language stands for
INSTEAD: Mapping[str, str] = {
    "for": 'how long it must hold ends the line: "close < 75_000 for 12h"',
    "within": '"within:" stands beside "sequence:"',
    "and": 'list both conditions under "all:", below "when:"',
    "or": 'list both conditions under "any:", below "when:"',
    "else": 'there is no else: write "clear:", or a second rule',
    "otherwise": 'there is no else: write "clear:", or a second rule',
    "never": 'leave "clear:" out and write "latch: true": a person releases the rule',
    "manual": 'leave "clear:" out and write "latch: true": a person releases the rule',
    "manually": 'leave "clear:" out and write "latch: true": a person releases the rule',
    "always": "a condition compares an input, for example close < 75_000",
    "true": "a condition compares an input, for example close < 75_000",
    "false": "a condition compares an input, for example close < 75_000",
    "abs": 'write two lines under "any:", one for each side',
    "min": 'bounds of a sweep are written "range: 70_000..80_000"',
    "max": 'bounds of a sweep are written "range: 70_000..80_000"',
    "low": 'bounds of a sweep are written "range: 70_000..80_000"',
    "high": 'bounds of a sweep are written "range: 70_000..80_000"',
    "unit": "the unit is written with the number: 5%, $150M, 3x, 12h",
    **dict.fromkeys(
        ("nan", "missing", "stale"),
        "whether data is late is asked with age(): oi.age() > 8h",
    ),
    **dict.fromkeys(
        ("none", "null"),
        'leave "clear:" out; whether data is late is asked with age(): oi.age() > 8h',
    ),
    **dict.fromkeys(("halt", "kill", "kill_switch"), "write close: all"),
    "pause": 'write block_entries: both, and "min_hold: 24h" beside "do:"',
    "cross": "a cross is a sequence: {sequence: [close > 75_000, close < 75_000], within: 4h}",
}


def plain(word: str) -> str:
    """Return a word in small letters, with _ for what joins its parts."""
    return re.sub(r"[\s.-]+", "_", word.strip().lower())


def meanings(word: str) -> tuple[str, ...]:
    """Return the words of the language that a word from elsewhere may stand for."""
    return _table().get(plain(word), ())


@cache
def _table() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    rows = [*SAME.items(), ("close", CLOSING), ("all", YES), ("both", YES + " all")]
    for meant, words in rows:
        for word in words.split():
            found[word] = (*found.get(word, ()), meant)
    return found

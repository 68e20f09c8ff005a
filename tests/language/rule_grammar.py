"""What the lines of a rule file may say, as alternatives; <words> stand for further ones.

Behind ";;" stand the alternatives that nest. Declared are the parameters p (a plain number), s_p
(a share), d_p, r_p, t_p and bars_p, and the inputs stoxx, a.b_c and deals.
"""

from __future__ import annotations

__all__ = ["GRAMMAR", "TEXTS"]

_ALTERNATIVES = {
    # numbers
    "digits": "<int> ; <int>.<int> ; 0.00<int>1 ; <int>e-2 ; <int>.5e3 ; 75_000 ; 7,500 ; 1e22",
    "amount": "<digits> ; <digits> ; <digits>k ; <int>M",
    "percent": "<int>% ; 0.<int>% ; <int>bp ; 4.4% ; 1e-9% ; 0.00<int>%",
    "dollar": "$<digits> ; $<int>k ; $<int>.<int>M ; $0.<int>B ; $<int>bn ; $75k ; $<int>T"
    " ; $1_234.5",
    "times": "<digits>x ; <digits> ; 3x",
    "hold": "<int>h ; <int>m ; <int>min ; <int>s ; <int>d ; <int>.5h ; 0.<int>d ; <int>.<int>s"
    " ; 2h",
    "span": "<hold> ; <int> closes ; 1 close ; 2 bars ; t_p ; bars_p",
    "window": "9h ; <two>h ; <two>d ; 9.25h ; <two> bars ; 8.5 bars ; 4w ; t_p ; bars_p"
    " ; window=30h",
    "least": " ; ; , min=4h ; , min=4 bars ; , min=4.5h",
    # series and measures
    "same": "ago ; mean ; sma ; ema ; low ; high ; stdev",
    "flow": "<own>liq.long ; liq.short ; <own>liq.total ; pnl.realised ; transfers",
    "ta": "rsi(window=14) ; rsi() ; rsi(window=7 bars, warmup=200) ; macd() ; kama(pow1=3) ;"
    " ulcer_index(window=bars_p) ; stochrsi(smooth1=4) ; psar_down(step=0.025) ;"
    " bollinger_hband(window=20, window_dev=2) ; keltner_channel_hband(original_version=false)",
    "any": "<price> ; <dollars> ; <coins>",
    "series": "<own>close ; <own>oi ; oi_usd ; low ; holder.cost ; liq.long.sum(<window>)",
    # values with data in them, by dimension
    "price": "<own>close ; <own>high ; holder.cost ; holder.fund.cost ; low.<same>(<window>) ;"
    " <own>close.mean(<window><least>) ; <own>close.atr(<window>)"
    " ;; <price> + 5 ; 0 - <price> ; p - <price> ; <price> - 0.5 * close.atr(14 bars) ; (<price>) ;"
    " <price> - 0.5% ; (<price>) + s_p ; <price> + (1% - s_p) ; <price> - s_p * 2 ; <price><arith>",
    "dollars": "oi_usd ; equity ; notional.<same>(<window>) ; <flow>.sum(<window>) ;"
    " pnl.realised.sum(today) ; <own>oi_usd.low(this_week)"
    " ;; holder.units * (close - holder.cost) ; <coins> * <price> ; <dollars><arith> ;"
    " <dollars> - 0.5% ; -<dollars>",
    "coins": "<own>oi ; position ; holder.fund.units ; volume.sum(<window>) ; oi.ema(<window>)"
    " ;; <coins><arith> ; -(<coins> + <coins>) ; <coins> + s_p",
    "share": "<own>funding ; basis.mean(<window>) ; <series>.change(<window>) ;"
    " <series>.drop(today) ; <series>.rise(<window>) ; <series>.drawdown(all) ;"
    " <series>.vol(<window>) ; <series>.percentile(<window><least>) ;"
    " equity.drawdown(this_week) ;; <share><arith>",
    "ratio": "leverage ; <flow>.accel(<window>) ; <series>.times_avg(<window><least>) ;"
    " liq.long.sum(24h).times_avg(30d<least>) ; <own>close / open ;; <ratio><arith>",
    "number": "stoxx ; a.b_c ; <own>ta.<ta> ; ta.<ta>.mean(24h) ; <series>.zscore(7d<least>)"
    " ;; <number><arith> ; - <number>",
    "index": "fear_greed ; fear_greed.mean(<window>)",
    "count": "loss_streak ; deals ; trades.lost.sum(<window>) ; trades.closed.sum(this_week)",
    "time": "<own>close.age() ; oi.age() ; fear_greed.age()",
    # what may follow any value
    "arith": " * <factor> ; / <factor> ; * <factor> / (<factor> * <factor>) ; * 2 * 3 / 4",
    "factor": "2 ; -0.5 ; 50% ; p ; (1 + p) ; (2 - (3 - p)) ; (2 - 3 - p) ; -p ; --p",
    # thresholds, by dimension
    "price limit": "<amount> ; p ; -(-p) ; p - s_p ; p * (1 - 5%) ; $75k ; p + 0.1% ; <price>",
    "dollars limit": "<dollar> ; d_p ; (d_p * 2) ; <dollar> + d_p",
    "coins limit": "<amount> ; p ; p / 2 / 3 ; p / (2 / 3)",
    "share limit": "<percent> ; s_p ; s_p - -1% ; 1% + s_p * 2",
    "ratio limit": "<times> ; r_p ; r_p * r_p ; 2 * (r_p + 1)",
    "number limit": "<amount> ; p ; 0 ; -0 ; -3 ; p - (1 - (2 - p))",
    "index limit": "<two> ; 10.5",
    "count limit": "<int> ; p",
    "time limit": "<hold> ; t_p ; t_p * 2",
    "op": "< ; <= ; > ; >=",
    "line": "<price> <op> <price limit> ; <price limit> <op> <price> ;"
    " <dollars> <op> <dollars limit> ; <coins> <op> <coins limit> ;"
    " <share> <op> <share limit> ; <share limit> <op> <share> ;"
    " <ratio> <op> <ratio limit> ; <number> <op> <number limit> ; <index> <op> <index limit> ;"
    " <count> <op> <count limit> ; <count> == <int> ; <time> <op> <time limit> ;"
    " <price>  >  <price>",
    # long forms
    "where": "close.drop(24h) >= 5% ; ta.rsi(window=14) < 30 for 2h ; oi < p ; close - open > 5 ;"
    " funding.mean(7d, min=1d) >= s_p ; fear_greed < 20",
    "side": "long ; short ; total",
    "pace": "3x average(30d) ; r_p average(7d) ; 2.5x average(40 bars)",
    "source": "published ; Own: feed ; binance",
    "from": "08:00 ; 0:00 ; 23:30 ; 24:00",
    "to": "16:30 ; 24:00 ; 07:05",
    "zone": "Europe/London ; UTC ; Asia/Tokyo",
    # actions
    "cap": "<two>% ; 12.5% ; s_p ; 75bp ; 33.3333% ; 100%",
    "stop": "5% ; 1.5 ATR ; 0.25 ATR ; 3ATR ; s_p ; 10 ATR ; 0.000000000001 ATR",
}
GRAMMAR = {
    name: tuple(tuple(one.strip() for one in half.split(";")) for half in text.split(";;"))
    for name, text in _ALTERNATIVES.items()
}
# free texts that YAML might take for something else
TEXTS = (
    *("no", "null", "~", "y", "12", "08:00", "out of the market", "caf\u00e9", "\U0001f600 smile"),
    *(
        "a: b",
        "end:",
        "yes # no",
        "#",
        "{x}",
        "[a, b]",
        "? q",
        "- item",
        "-dash",
        "<<",
        "%",
        "*star",
    ),
    *("&and", "!bang", "| bar", "> more", "@at", "`tick", "it's", "'", "''", '"', 'so "called"'),
    *("back\\slash", "tab\there", "two\nlines", "two\n\n  lines apart", "\u0007 bell", "\u2028"),
    *("\u201ccurly\u201d", "\u00a0x", "x" * 120, "word " * 40 + "end", "a  b " * 30 + "c"),
    *("word: and # more " * 9 + "end", "- a -b " * 20 + "c", "\ufeff", "\u00ad", "='"),
)

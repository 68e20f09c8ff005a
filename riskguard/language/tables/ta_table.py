"""The functions of the library `ta` 0.11 that a line may use, with their parameters.

Series are bound by name and never written: o, h, l, c, v stand for open, high, low, close and
volume. The table is compared with the installed library by a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FUNCTIONS", "Function", "called", "warmup_bars"]

SERIES = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
# parameters of ta that count bars: the longest of them says how far back a value reaches
BARS = ("window", "lbp", "roc", "smooth", "cycle", "nsig")
WARMUP_SPANS = 10  # rules.md section 4
WITHOUT_WINDOW = 200  # bars, for functions that add up from the first bar on

Number = float | int | bool | None


@dataclass(frozen=True, slots=True)
class Function:
    """One function: the module of `ta` it lives in, its series, its parameters with defaults."""

    module: str
    letters: str
    parameters: Mapping[str, Number]

    @property
    def series(self) -> tuple[str, ...]:
        """Names of the series it takes, in the order of the library."""
        return tuple(SERIES[letter] for letter in self.letters)


def warmup_bars(function: Function, written: Mapping[str, Number]) -> int:
    """Return over how many bars a function is computed: `warmup`, or ten of its windows."""
    said = written.get("warmup")
    if said:
        return int(said)
    values = {**function.parameters, **written}
    spans = [int(value or 0) for name, value in values.items() if name.startswith(BARS)]
    longest = max(spans, default=0)
    return WARMUP_SPANS * longest if longest else WITHOUT_WINDOW


FUNCTIONS: Mapping[str, Function] = {
    "acc_dist_index": Function("volume", "hlcv", {}),
    "adx": Function("trend", "hlc", {"window": 14}),
    "adx_neg": Function("trend", "hlc", {"window": 14}),
    "adx_pos": Function("trend", "hlc", {"window": 14}),
    "aroon_down": Function("trend", "hl", {"window": 25}),
    "aroon_up": Function("trend", "hl", {"window": 25}),
    "average_true_range": Function("volatility", "hlc", {"window": 14}),
    "awesome_oscillator": Function("momentum", "hl", {"window1": 5, "window2": 34}),
    "bollinger_hband": Function("volatility", "c", {"window": 20, "window_dev": 2}),
    "bollinger_hband_indicator": Function("volatility", "c", {"window": 20, "window_dev": 2}),
    "bollinger_lband": Function("volatility", "c", {"window": 20, "window_dev": 2}),
    "bollinger_lband_indicator": Function("volatility", "c", {"window": 20, "window_dev": 2}),
    "bollinger_mavg": Function("volatility", "c", {"window": 20}),
    "bollinger_pband": Function("volatility", "c", {"window": 20, "window_dev": 2}),
    "bollinger_wband": Function("volatility", "c", {"window": 20, "window_dev": 2}),
    "cci": Function("trend", "hlc", {"window": 20, "constant": 0.015}),
    "chaikin_money_flow": Function("volume", "hlcv", {"window": 20}),
    "cumulative_return": Function("others", "c", {}),
    "daily_log_return": Function("others", "c", {}),
    "daily_return": Function("others", "c", {}),
    "donchian_channel_hband": Function("volatility", "hlc", {"window": 20, "offset": 0}),
    "donchian_channel_lband": Function("volatility", "hlc", {"window": 20, "offset": 0}),
    "donchian_channel_mband": Function("volatility", "hlc", {"window": 10, "offset": 0}),
    "donchian_channel_pband": Function("volatility", "hlc", {"window": 10, "offset": 0}),
    "donchian_channel_wband": Function("volatility", "hlc", {"window": 10, "offset": 0}),
    "dpo": Function("trend", "c", {"window": 20}),
    "ease_of_movement": Function("volume", "hlv", {"window": 14}),
    "ema_indicator": Function("trend", "c", {"window": 12}),
    "force_index": Function("volume", "cv", {"window": 13}),
    "ichimoku_a": Function("trend", "hl", {"window1": 9, "window2": 26}),
    "ichimoku_b": Function("trend", "hl", {"window2": 26, "window3": 52}),
    "ichimoku_base_line": Function("trend", "hl", {"window1": 9, "window2": 26}),
    "ichimoku_conversion_line": Function("trend", "hl", {"window1": 9, "window2": 26}),
    "kama": Function("momentum", "c", {"window": 10, "pow1": 2, "pow2": 30}),
    "keltner_channel_hband": Function(
        "volatility", "hlc", {"window": 20, "window_atr": 10, "original_version": True}
    ),
    "keltner_channel_hband_indicator": Function(
        "volatility", "hlc", {"window": 20, "window_atr": 10, "original_version": True}
    ),
    "keltner_channel_lband": Function(
        "volatility", "hlc", {"window": 20, "window_atr": 10, "original_version": True}
    ),
    "keltner_channel_lband_indicator": Function(
        "volatility", "hlc", {"window": 20, "window_atr": 10, "original_version": True}
    ),
    "keltner_channel_mband": Function(
        "volatility", "hlc", {"window": 20, "window_atr": 10, "original_version": True}
    ),
    "keltner_channel_pband": Function(
        "volatility", "hlc", {"window": 20, "window_atr": 10, "original_version": True}
    ),
    "keltner_channel_wband": Function(
        "volatility", "hlc", {"window": 20, "window_atr": 10, "original_version": True}
    ),
    "kst": Function(
        "trend",
        "c",
        {
            "roc1": 10,
            "roc2": 15,
            "roc3": 20,
            "roc4": 30,
            "window1": 10,
            "window2": 10,
            "window3": 10,
            "window4": 15,
        },
    ),
    "kst_sig": Function(
        "trend",
        "c",
        {
            "roc1": 10,
            "roc2": 15,
            "roc3": 20,
            "roc4": 30,
            "window1": 10,
            "window2": 10,
            "window3": 10,
            "window4": 15,
            "nsig": 9,
        },
    ),
    "macd": Function("trend", "c", {"window_slow": 26, "window_fast": 12}),
    "macd_diff": Function("trend", "c", {"window_slow": 26, "window_fast": 12, "window_sign": 9}),
    "macd_signal": Function("trend", "c", {"window_slow": 26, "window_fast": 12, "window_sign": 9}),
    "mass_index": Function("trend", "hl", {"window_fast": 9, "window_slow": 25}),
    "money_flow_index": Function("volume", "hlcv", {"window": 14}),
    "negative_volume_index": Function("volume", "cv", {}),
    "on_balance_volume": Function("volume", "cv", {}),
    "ppo": Function("momentum", "c", {"window_slow": 26, "window_fast": 12, "window_sign": 9}),
    "ppo_hist": Function("momentum", "c", {"window_slow": 26, "window_fast": 12, "window_sign": 9}),
    "ppo_signal": Function(
        "momentum", "c", {"window_slow": 26, "window_fast": 12, "window_sign": 9}
    ),
    "psar_down": Function("trend", "hlc", {"step": 0.02, "max_step": 0.2}),
    "psar_down_indicator": Function("trend", "hlc", {"step": 0.02, "max_step": 0.2}),
    "psar_up": Function("trend", "hlc", {"step": 0.02, "max_step": 0.2}),
    "psar_up_indicator": Function("trend", "hlc", {"step": 0.02, "max_step": 0.2}),
    "pvo": Function("momentum", "v", {"window_slow": 26, "window_fast": 12, "window_sign": 9}),
    "pvo_hist": Function("momentum", "v", {"window_slow": 26, "window_fast": 12, "window_sign": 9}),
    "pvo_signal": Function(
        "momentum", "v", {"window_slow": 26, "window_fast": 12, "window_sign": 9}
    ),
    "roc": Function("momentum", "c", {"window": 12}),
    "rsi": Function("momentum", "c", {"window": 14}),
    "sma_ease_of_movement": Function("volume", "hlv", {"window": 14}),
    "sma_indicator": Function("trend", "c", {"window": 12}),
    "stc": Function(
        "trend",
        "c",
        {"window_slow": 50, "window_fast": 23, "cycle": 10, "smooth1": 3, "smooth2": 3},
    ),
    "stoch": Function("momentum", "hlc", {"window": 14, "smooth_window": 3}),
    "stoch_signal": Function("momentum", "hlc", {"window": 14, "smooth_window": 3}),
    "stochrsi": Function("momentum", "c", {"window": 14, "smooth1": 3, "smooth2": 3}),
    "stochrsi_d": Function("momentum", "c", {"window": 14, "smooth1": 3, "smooth2": 3}),
    "stochrsi_k": Function("momentum", "c", {"window": 14, "smooth1": 3, "smooth2": 3}),
    "trix": Function("trend", "c", {"window": 15}),
    "tsi": Function("momentum", "c", {"window_slow": 25, "window_fast": 13}),
    "ulcer_index": Function("volatility", "c", {"window": 14}),
    "ultimate_oscillator": Function(
        "momentum",
        "hlc",
        {
            "window1": 7,
            "window2": 14,
            "window3": 28,
            "weight1": 4.0,
            "weight2": 2.0,
            "weight3": 1.0,
        },
    ),
    "volume_price_trend": Function("volume", "cv", {"smoothing_factor": None}),
    "volume_weighted_average_price": Function("volume", "hlcv", {"window": 14}),
    "vortex_indicator_neg": Function("trend", "hlc", {"window": 14}),
    "vortex_indicator_pos": Function("trend", "hlc", {"window": 14}),
    "williams_r": Function("momentum", "hlc", {"lbp": 14}),
    "wma_indicator": Function("trend", "c", {"window": 9}),
}


def called(word: str) -> str:
    """Return how the function of that name is written in a line, "" when `ta` has none."""
    found = FUNCTIONS.get(word.lower())
    if found is None:
        return ""
    first = next(iter(found.parameters.items()), None)
    inside = f"{first[0]}={first[1]}" if first and first[1] is not None else ""
    return f"ta.{word.lower()}({inside})"

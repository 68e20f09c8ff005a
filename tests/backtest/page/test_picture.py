from __future__ import annotations

import struct
from io import BytesIO

import matplotlib as mpl
import numpy as np
from matplotlib.image import imread

from riskguard.backtest.page.picture import picture
from riskguard.market import HOUR
from tests.backtest import made
from tests.backtest.page import drawn


def pixels(found: bytes) -> np.ndarray:
    return (imread(BytesIO(found))[:, :, :3] * 255).round().astype(int)


def near(image: np.ndarray, colour: str, room: int = 6) -> np.ndarray:
    wanted = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return (abs(image - wanted) <= room).all(axis=2)


def test_picture_has_the_size_of_a_card_and_says_what_made_it() -> None:
    found = picture(*drawn.weighed(drawn.comparison(2_000, HOUR)))
    assert struct.unpack(">II", found[16:24]) == (1200, 675)
    assert b"Software\0riskguard/report-1" in found[:128]
    assert len(found) < 400_000


def test_same_comparison_same_picture_whatever_the_user_has_set() -> None:
    first = picture(*drawn.weighed(drawn.comparison(500, HOUR)))
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert picture(*drawn.weighed(drawn.comparison(500, HOUR))) == first


def test_verdict_prices_bands_and_three_lines_are_drawn() -> None:
    image = pixels(picture(*drawn.weighed(drawn.comparison(2_000, HOUR))))
    assert near(image, "#8a6100")[:60].sum() > 200, "the verdict"
    for name, colour in (("guarded", "#1f5fd6"), ("bare", "#80868f"), ("constant", "#a2611a")):
        assert near(image, colour)[380:].sum() > 200, name
    assert near(image, "#3f4956")[160:420].sum() > 200, "candles that fell"


def test_an_alarm_of_one_bar_can_be_seen() -> None:
    levels = np.zeros(35_000, dtype=np.int64)
    levels[20_000] = 3
    shade = "#f6d5d7"  # the strictest stage over white
    quiet = pixels(picture(*drawn.weighed(drawn.comparison(35_000, HOUR, np.zeros_like(levels)))))
    loud = pixels(picture(*drawn.weighed(drawn.comparison(35_000, HOUR, levels))))
    assert not near(quiet, shade)[170:420].any()
    assert near(loud, shade)[170:420].any(axis=1).mean() > 0.5


def test_a_lost_account_is_drawn_below_zero(tmp_path) -> None:
    comparison = made.comparison(tmp_path)
    image = picture(comparison, made.untested(comparison))
    assert struct.unpack(">II", image[16:24]) == (1200, 675)

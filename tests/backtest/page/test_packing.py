from __future__ import annotations

import json
from base64 import b64decode

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from riskguard.backtest.page.packing import floats, levels, script_json, times
from riskguard.market import SECOND


@given(st.lists(st.integers(1, 5), max_size=60))
def test_times_come_back_as_they_were(steps: list[int]) -> None:
    seconds = np.cumsum(np.array([60 * step for step in steps], dtype=np.int64))
    runs = times(seconds * SECOND)
    back = [first + place * step for first, step, count in runs for place in range(count)]
    assert back == seconds.tolist()


def test_an_even_history_is_one_run() -> None:
    assert times(np.arange(1, 20_001) * 3600 * SECOND) == [[3600, 3600, 20_000]]


@given(st.lists(st.floats(width=32, allow_infinity=False), max_size=40))
def test_numbers_come_back_to_the_last_bit_of_float32(values: list[float]) -> None:
    column = np.array(values, dtype=np.float64)
    back = np.frombuffer(b64decode(floats(column)), dtype="<f4")
    np.testing.assert_array_equal(back, column.astype("<f4"))


def test_levels_are_one_byte_each() -> None:
    assert list(b64decode(levels(np.array([0, 3, 127])))) == [0, 3, 127]


@given(st.text() | st.sampled_from(["</script>", "<!--", "]]>", "\u2028", "&lt;"]))
def test_no_text_can_end_the_script_it_stands_in(text: str) -> None:
    written = script_json({text: [text]})
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {text: [text]}

from __future__ import annotations

import time
from itertools import count, islice

import pytest

from riskguard.backtest.evidence import cores
from riskguard.backtest.evidence.cores import in_parts


@pytest.mark.parametrize("there", [1, 2, 64, None])
def test_what_comes_is_in_the_order_of_the_parts_whoever_is_first(there, monkeypatch) -> None:
    monkeypatch.setattr(cores.os, "cpu_count", lambda: there)

    def slow(part: int) -> int:
        time.sleep(0.002 * (part % 3 == 0))
        return part * part

    assert list(in_parts(slow, range(20))) == [part * part for part in range(20)]
    assert list(in_parts(slow, [])) == []


def test_few_parts_are_made_ahead() -> None:
    taken = count()
    assert list(islice(in_parts(lambda part: part, taken), 3)) == [0, 1, 2]
    assert next(taken) <= 2 * cores.MOST


def test_what_goes_wrong_in_a_part_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_parts(lambda part: 1 / part, [1, 0]))

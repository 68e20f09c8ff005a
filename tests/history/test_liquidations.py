from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskguard.history
from riskguard.errors import DataError
from riskguard.history import History
from riskguard.history.liquidations import fit, read_published

FOLDER = Path(riskguard.history.__file__).parent / "scenarios" / "feb-2026"


@settings(max_examples=50)
@given(
    st.lists(st.floats(0.01, 10), min_size=10, max_size=10),
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4)), min_size=1, max_size=4),
)
def test_totals_that_fit_some_series_are_all_met(hidden, windows):
    truth = np.array(hidden)
    shares = []
    for start, length in windows:
        share = np.zeros(10)
        share[start : start + length] = 1.0
        shares.append(share)
    totals = [float((share * truth).sum()) for share in shares]
    fitted = fit(np.ones(10), shares, totals)
    for share, total in zip(shares, totals, strict=True):
        assert float((share * fitted).sum()) == pytest.approx(total, rel=1e-6)
    outside = np.sum(shares, axis=0) == 0
    assert fitted[outside].tolist() == [1.0] * int(outside.sum())


def test_totals_that_contradict_each_other_are_refused():
    whole, part = np.array([1.0, 1.0, 1.0]), np.array([0.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="contradict"):
        fit(np.ones(3), [whole, whole], [1.0, 2.0])
    assert fit(np.ones(3), [whole, part], [3.0, 1.0]).tolist() == pytest.approx([2.0, 0.5, 0.5])


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "copy")
    return tmp_path / "copy"


def edit(folder, name, old, new):
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_order_of_the_totals_moves_no_bar_by_more_than_a_dollar(copy):
    plain = History.read("feb-2026").series["BTC.liq.long"].values
    path = copy / "published-liquidations.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *reversed(rows)]) + "\n")
    turned = History.read(copy).series["BTC.liq.long"].values
    assert np.abs(plain - turned).max() <= 1


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "said"),
    [
        ("2026-01-19T12:00Z", "2026-01-19T12:00", 3, "window_end", "no time zone"),
        ("207287277", "much", 3, "long_usd", "not a number"),
        ("207287277", "0", 3, "long_usd", "not above zero"),
        (",anchor,", ",maybe,", 3, "use", "'maybe'"),
    ],
)
def test_bad_total_is_named(copy, *, old, new, line, column, said):
    edit(copy, "published-liquidations.csv", old, new)
    with pytest.raises(DataError, match=said) as caught:
        History.read(copy)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.help


def test_rebuilding_needs_bars_and_open_interest(copy):
    edit(
        copy,
        "scenario.yaml",
        "series: oi\n    column: oi_coins",
        "series: o_i\n    column: oi_coins",
    )
    with pytest.raises(DataError, match=r"BTC\.oi is needed"):
        History.read(copy)


def test_totals_before_the_bars_are_refused(copy):
    edit(copy, "published-liquidations.csv", "2026-01-19T12:00Z", "2025-10-19T12:00Z")
    with pytest.raises(DataError, match="missing inside a published window"):
        History.read(copy)


def test_figures_that_are_not_anchors_take_no_part(copy):
    published = read_published(copy / "published-liquidations.csv")
    assert len(published.anchors) == 13
    assert 4.4e9 not in {window.usd for window in published.anchors}
    assert published.background * 4 == pytest.approx(2_863_833, abs=1)

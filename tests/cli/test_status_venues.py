"""Status names the venues of a price, who departs, who is silent, and what is in doubt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.live.test_venues import FIT, Venues, all_at


@pytest.fixture
def world(tmp_path: Path) -> Venues:
    return Venues(tmp_path)


def lines(riskguard, world: Venues) -> str:
    code, out, err = riskguard("status", world.state)
    assert (code, err) == (0, "")
    return out


def test_status_names_the_venues_and_who_departs(world, riskguard) -> None:
    with world.session(fit=FIT) as session:
        for hour in range(1, 4):
            world.hour(session, hour, all_at(100.0))
    assert "venues      close 100 of binance, bybit, okx: they agree" in lines(riskguard, world)
    with world.session(fit=FIT) as session:
        world.hour(session, 4, {"binance": 65.0, "bybit": 101.0})
    said = "venues close 101 of binance, bybit, okx: binance departs with 65; okx silent since"
    assert f"{said} 2026-01-01T03:00Z" in " ".join(lines(riskguard, world).split())
    assert "one venue" not in lines(riskguard, world)
    told = json.loads(riskguard("status", world.state, "--json").out)
    assert told["venues"]["close"]["words"]["binance"][1] == {"close": 65.0}
    with world.session(fit=FIT) as session:
        world.hour(session, 5, {"binance": 65.0})
    shown = " ".join(lines(riskguard, world).split())
    assert "binance departs with 65; bybit silent since" in shown
    assert "in doubt since 2026-01-01T05:00Z" in shown


def test_before_anything_is_heard_no_venue_is_with_another(world, riskguard) -> None:
    with world.session(fit=FIT):
        pass
    said = "close unknown of binance, bybit, okx: binance never heard; bybit never heard;"
    assert said in " ".join(lines(riskguard, world).split())

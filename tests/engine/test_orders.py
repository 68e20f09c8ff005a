"""An order as the gate reads it, and what open orders take away from it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from math import inf, isnan, nan

import pytest

from riskguard.engine.orders import Absurd, Intent, Pending, number, read, together


def intent(side: str, quantity: float, position: float, *pending: Pending, **more) -> Intent:
    return Intent(0, "BTC", side, quantity, position, tuple(pending), **more)


def order(name: str, side: str, remaining: float, **more) -> Pending:
    return Pending(name, side, remaining, **{"resting": True} | more)


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("given", [2.5, 2, -3.0, 0.0, 1e300, -1e300, Decimal("0.25")])
def test_a_finite_number_of_any_kind_is_one(given) -> None:
    assert number(given) == float(given)


@pytest.mark.parametrize("given", [nan, inf, -inf, 1.1e300, "2", b"2", True, None, [], 10**400])
def test_what_is_no_number_is_none(given) -> None:
    assert isnan(number(given))


# ---------------------------------------------------------------- an order


@pytest.mark.parametrize(
    ("side", "position", "book", "stands"),
    [
        ("buy", 2.0, "", ("long", 2.0, 0.0, False)),
        ("buy", -2.0, "", ("long", -2.0, 2.0, False)),
        ("sell", 2.0, "", ("short", -2.0, 2.0, False)),
        ("sell", -2.0, "", ("short", 2.0, 0.0, False)),
        ("buy", 0.0, "", ("long", 0.0, 0.0, False)),
        ("buy", -2.0, "long", ("long", 2.0, 0.0, False)),
        ("sell", -2.0, "long", ("short", -2.0, 2.0, True)),
        ("buy", 2.0, "short", ("long", -2.0, 2.0, True)),
        ("sell", 2.0, "short", ("short", 2.0, 0.0, False)),
    ],
)
def test_a_position_lies_along_an_order_or_is_left_to_close(side, position, book, stands) -> None:
    stand = read(intent(side, 3.0, position, book=book))
    assert (stand.side, stand.along, stand.room, stand.bound) == stands
    assert (stand.asked, stand.price, list(stand.mine)) == (3.0, 0.0, [])


@pytest.mark.parametrize("position", [1e300, -1e300])
def test_the_largest_sizes_that_are_numbers_are_sizes(position) -> None:
    whole = order("a", "buy", 1e300)
    stand = read(intent("buy", 1e300, position, whole, price=1e300))
    assert (stand.asked, stand.along, stand.price, stand.mine) == (1e300, position, 1e300, [whole])
    assert read(intent("buy", 1, 2, price=3)).price == 3.0


def test_an_order_may_bind_itself_to_closing() -> None:
    assert read(intent("sell", 1.0, 2.0, reduce_only=True)).bound is True
    assert read(intent("sell", 1.0, 2.0, close=True)).bound is True
    assert read(intent("sell", 1.0, 2.0)).bound is False
    assert read(intent("sell", 1.0, 2.0, price=7.0)).price == 7.0
    assert read(intent("sell", 1.0, 2.0, price=0.0)).price == 0.0


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"side": "long"}, "side 'long': write buy or sell"),
        ({"book": "both"}, "book 'both': write long or short, or '' for one net position"),
        ({"quantity": 0.0}, "quantity 0.0: a finite number above 0 is needed"),
        ({"position": nan}, "position nan: a finite number is needed"),
        ({"price": -1.0}, "price -1.0: a finite number is needed, or None"),
        ({"pending": (order("7", "up", 1.0),)}, "open order '7': 'up' 1.0"),
        ({"pending": (order("7", "buy", -1.0),)}, "open order '7': 'buy' -1.0"),
    ],
)
def test_what_makes_no_sense_is_told_with_what_would(wrong, text) -> None:
    with pytest.raises(Absurd) as error:
        read(replace(intent("sell", 1.0, 2.0), **wrong))
    assert str(error.value) == text


@pytest.mark.parametrize("wrong", [nan, inf, -inf, 1.1e300, -1e-9, True, "2", [], 10**400])
def test_a_price_or_an_open_order_of_no_size_makes_no_sense(wrong) -> None:
    with pytest.raises(Absurd, match="price"):
        read(intent("sell", 1.0, 2.0, price=wrong))
    with pytest.raises(Absurd, match="open order"):
        read(intent("sell", 1.0, 2.0, order("7", "buy", wrong)))


@pytest.mark.parametrize("size", [2, 0, Decimal("0.25"), 0.5, 1e300])
def test_a_price_and_an_open_order_may_be_numbers_of_any_kind(size) -> None:
    stand = read(intent("buy", 1, -2, order("7", "buy", size), price=size))
    assert (stand.asked, stand.along, stand.price) == (1.0, -2.0, float(size))
    assert [one.remaining for one in stand.mine] == [size]


def test_a_careful_reader_passes_over_what_an_exit_can_do_without() -> None:
    good, bad = order("1", "sell", 1.0), order("2", "sell", nan)
    odd = replace(intent("sell", 1.0, 2.0, bad, good, None), price=nan)
    stand = read(odd, careful=True)
    assert (stand.room, list(stand.mine)) == (2.0, [good])
    assert list(read(replace(odd, pending=5), careful=True).mine) == []
    with pytest.raises(TypeError):
        read(replace(odd, price=None, pending=5))
    for wrong in ({"side": "long"}, {"quantity": nan}, {"position": nan}):
        with pytest.raises(Absurd):
            read(replace(odd, **wrong), careful=True)


# ---------------------------------------------------------------- open orders


def test_orders_of_the_same_side_and_book_stand_beside_an_order() -> None:
    net, ours, theirs = (
        order(book or "net", "sell", 1.0, book=book) for book in ("", "long", "short")
    )
    other = order("other", "buy", 1.0)
    hedged = intent("sell", 1.0, 2.0, net, ours, theirs, other, book="long")
    assert list(read(hedged).mine) == [net, ours]
    assert list(read(replace(hedged, book="")).mine) == [net, ours, theirs]


def test_an_order_that_is_filled_or_nearly_so_is_still_an_order() -> None:
    for remaining in (0.0, 0.5):
        flying = order("1", "sell", remaining, resting=False)
        assert read(intent("sell", 1.0, 2.0, flying)).room == 2.0 - remaining


def test_only_what_flies_and_closes_leaves_less_to_close() -> None:
    flying, resting = order("1", "sell", 1.5, resting=False), order("2", "sell", 1.0)
    assert read(intent("sell", 1.0, 2.0, resting)).room == 2.0
    assert read(intent("sell", 1.0, 2.0, resting, flying)).room == 0.5
    assert read(intent("sell", 1.0, 1.0, flying)).room == 0.0
    assert read(intent("buy", 1.0, 1.0, replace(flying, side="buy"))).room == 0.0
    assert read(intent("sell", 1.0, 1.5, flying)).room == 0.0


def test_a_residue_of_float_is_nothing_left_to_close() -> None:
    sent = [order(str(n), "sell", size, resting=False) for n, size in enumerate((0.1, 0.2))]
    assert read(intent("sell", 1.0, 0.1 + 0.2, *sent)).room == 0.0
    assert read(intent("sell", 1.0, 3e6 + 1e-9, order("1", "sell", 3e6, resting=False))).room == 0.0
    assert read(intent("sell", 1.0, 2e-7, order("1", "sell", 1e-7, resting=False))).room == 1e-7


def test_orders_together_fill_what_each_alone_and_each_group_once_can() -> None:
    assert together([]) == 0.0
    alone = [order("1", "buy", 0.1), order("2", "buy", 0.2), order("3", "buy", 0.3)]
    assert together(alone) == 0.6
    group = [order(str(size), "buy", size, group="g") for size in (0.25, 0.5, 0.375)]
    other = order("o", "buy", 0.125, group="h")
    assert together(group) == 0.5
    assert together([*group, other, order("4", "buy", 2.0)]) == 2.625

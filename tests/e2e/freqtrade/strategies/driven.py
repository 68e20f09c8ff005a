"""A strategy that does what a test says, one wish at a time."""

from __future__ import annotations

from riskguard.adapters.freqtrade import guarded
from tests.e2e.freqtrade.desks import LEFT
from tests.e2e.freqtrade.plain import AtMarket


class Wishing(AtMarket):
    order_types = {
        "entry": "market", "exit": "market", "stoploss": "limit", "stoploss_on_exchange": False,
    }  # fmt: skip
    stake: float | None = None  # to be added, or taken out below 0
    price: float | None = None  # of the next entry
    leaves = False
    enters = 0

    def custom_entry_price(self, proposed_rate, **kwargs):
        return self.price or proposed_rate

    def custom_exit(self, **kwargs):
        return "wished" if self.leaves else None

    def adjust_trade_position(self, **kwargs):
        stake, self.stake = self.stake, None
        return stake


@guarded(desk=lambda: LEFT[-1])
class Driven(Wishing):
    pass


@guarded("living.yaml")
class Ruled(Wishing):
    """Obeys a rule file, and remembers in a folder."""


class Stubborn(Driven):
    """Made of a guarded strategy, with hooks of its own, of which some fail."""

    order_types = {
        "entry": "market", "exit": "limit", "stoploss": "limit", "stoploss_on_exchange": False,
    }  # fmt: skip

    def confirm_trade_entry(self, **kwargs):
        super().confirm_trade_entry(**kwargs)
        return True

    def custom_stake_amount(self, **kwargs):
        raise ValueError("freqtrade takes the proposed stake then")

    def confirm_trade_exit(self, **kwargs):
        return False

    def bot_loop_start(self, current_time, **kwargs):
        super().bot_loop_start(current_time, **kwargs)


class Leveraged(Driven):
    """Trades perpetuals, five times its stake."""

    can_short = True

    def leverage(self, **kwargs):
        return 5.0

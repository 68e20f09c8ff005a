"""Rules over history in Backtrader: feed, brokers, runs and what is reported of them."""

from __future__ import annotations

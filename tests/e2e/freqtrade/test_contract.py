"""The contract of adapters, kept by freqtrade under the decorator."""

from __future__ import annotations

from riskguard.testing import AdapterContract
from tests.e2e.freqtrade.bot import Bot


class TestFreqtrade(AdapterContract):
    harness = Bot

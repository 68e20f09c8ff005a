"""Series in files, made into an aligned history; scenarios."""

from __future__ import annotations

from riskguard.history.embedded import scenarios
from riskguard.history.history import Bars, History
from riskguard.history.scenario import Mark
from riskguard.history.series import Series
from riskguard.history.summary import SeriesSummary, Summary, summaries, summarise

__all__ = [
    "Bars",
    "History",
    "Mark",
    "Series",
    "SeriesSummary",
    "Summary",
    "scenarios",
    "summaries",
    "summarise",
]

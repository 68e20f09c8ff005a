"""The report to look at: one HTML file, Markdown, or a picture for a feed."""

from __future__ import annotations

from riskguard.backtest.page.document import page

__all__ = ["page"]

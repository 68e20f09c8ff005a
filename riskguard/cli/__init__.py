"""The command line: one module a command; each imports its own room when it runs."""

from __future__ import annotations

from riskguard.cli.start import main

__all__ = ["main"]

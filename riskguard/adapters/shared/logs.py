"""The logs of adapters: what is said stands on one line, without secrets and not at any length."""

from __future__ import annotations

import logging
from traceback import format_tb

from riskguard.errors import foreign

__all__ = ["logger"]

MOST = 2_000  # letters of a message
HELP = "\n  = help: "  # of an error of riskguard: on a line of its own elsewhere


class _Clean(logging.Filter):
    """Rewrites a record before anything handles it, with the error whose trace is logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = foreign(record.getMessage().replace(HELP, "; "), MOST), None
        if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
            kind, error, trace = record.exc_info
            said = foreign(f"{kind.__name__}: {error}", MOST)  # a venue's holds what was asked
            record.exc_text = "".join((*format_tb(trace), said))
        return True


CLEAN = _Clean()


def logger(name: str) -> logging.Logger:
    """Return the log of this name; whatever is told to it is cleaned."""
    found = logging.getLogger(name)
    found.addFilter(CLEAN)  # once, however often it is asked for
    return found

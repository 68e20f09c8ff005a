"""Rule unit tests: cases written beside the rules, played on the same guard."""

from __future__ import annotations

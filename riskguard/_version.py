"""The one place that knows the version: the build and the reports read it here."""

from __future__ import annotations

__all__ = ["VERSION"]

VERSION = "0.1.0"

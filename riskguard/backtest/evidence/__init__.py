"""How a guard is judged: what is measured, against whom, and which sentence may be printed."""

from __future__ import annotations

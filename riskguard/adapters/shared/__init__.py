"""What adapters share: how a guard is asked and started, and how its duties are carried out."""

from __future__ import annotations

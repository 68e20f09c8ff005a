"""The guard for vectorbt: signals go in, the signals and sizes that may be traded come out.

vectorbt has no bars to stop at: it is handed whole arrays. So the guard is played over the bars
beforehand, and what it decides at close(t), with what the strategy signals there, is handed over
for bar t+1, to be filled at its open. Rules on the account cannot be played so: what it holds is
known only when the orders have been filled.
"""

from __future__ import annotations

from riskguard.adapters.vectorbt.masking import CAPABILITIES, NAME, TESTED, Masks, masks

__all__ = ["CAPABILITIES", "NAME", "TESTED", "Masks", "masks"]

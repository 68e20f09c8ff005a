"""What adapters share: how a guard is asked and started, and how its duties are carried out.

- at the start: `frameworks` come late, `starting` makes rules fit a bot, `offline` a backtest
- with each order: `desk` is asked, `post` is where the orders of one bot go by
- unasked: `enforcing` takes the `steps`, at a `venue`, by `cancels`, and tells the `outcome`
- `symbols`: what each venue calls a market
"""

from __future__ import annotations

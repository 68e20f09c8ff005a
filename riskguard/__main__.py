"""`python -m riskguard`: the same as the command `riskguard`."""

from __future__ import annotations

from riskguard.cli import main

if __name__ == "__main__":
    main()

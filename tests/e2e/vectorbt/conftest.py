"""vectorbt compiles for half a minute what these tests run in seconds without; the figures agree.

The example runs compiled, as its readers run it.
"""

from __future__ import annotations

import os

os.environ["NUMBA_DISABLE_JIT"] = "1"  # before a test module imports vectorbt

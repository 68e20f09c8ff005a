"""An action of one's own: a line in a file for each thing that a rule asks it to tell.

In the place of the file a real one has a pager, a webhook, or the switch of another machine.
"""

from __future__ import annotations

import json
import os
from typing import Any

__all__ = ["Logbook"]


class Logbook:
    """Writes into the file that OWN_LOGBOOK names."""

    api = (1, 0)  # the interface that it was written for

    def act(self, change: dict[str, Any]) -> None:
        """Take the decision in force, and under `asked` what a rule asks for."""
        asked = change["asked"]
        told = {"id": asked["id"], "rule": asked["rule"], "text": asked["text"]}
        with open(os.environ["OWN_LOGBOOK"], "a", encoding="utf-8") as file:  # noqa: PTH123 - as anybody would write it
            file.write(json.dumps({**told, "exposure_cap": change["exposure_cap"]}) + "\n")

"""What rules ask of action plug-ins, told once for each time that a rule turns on.

That it is told is stored before it is told: no kill and no restart makes it be told twice. What
a plug-in made of it is stored as soon as it is known; what a process that was killed cannot know
is `unknown`, and is not told again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskguard.engine.asking import asked, named
from riskguard.engine.bodies import plain
from riskguard.engine.recorded import recorded
from riskguard.live.actors import Actor
from riskguard.live.memory import WAITS
from riskguard.plugins import PluginError
from riskguard.redaction import redacted
from riskguard.store import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from riskguard.engine.asking import Asked
    from riskguard.engine.decision import Decision
    from riskguard.engine.guard import Guard
    from riskguard.language.ruleset import RuleSet

__all__ = ["Acting"]

DONE = "done"
TOLD, ACTED = "plugin_told", "plugin_acted"  # kinds of entries
PATIENCE = 2.0  # seconds that one has to end, when the session ends
Told = dict[str, list[Any]]  # key of who asks for whom -> since (ns), id, how it ended


class Acting:
    """The action plug-ins of a rule set, and what each was told last.

    Those that ran `before` go on, but for quarantined ones: they begin anew.

    Raises:
        PluginError: one is not installed, not allowed, or does not fit; nothing runs then.
    """

    def __init__(
        self, ruleset: RuleSet, told: Mapping[str, list[Any]], before: Acting | None
    ) -> None:
        wanted = named(ruleset)
        self.told: Told = {key: list(one) for key, one in told.items() if key in wanted}
        ran: dict[str, Actor] = {} if before is None else before.actors
        goes_on = {name: one for name, one in ran.items() if not one.quarantined}
        self.actors: dict[str, Actor] = {}
        try:
            for name in sorted(set(wanted.values())):
                self.actors[name] = goes_on.get(name) or Actor(name)
        except PluginError:
            _ended(self.actors, goes_on)
            raise
        _ended(ran, self.actors)

    @property
    def quarantined(self) -> bool:
        """Whether one is never called again."""
        return any(one.quarantined for one in self.actors.values())

    def due(self, guard: Guard) -> list[Asked]:
        """Take note of what is asked for and has not been told, and return it."""
        found = [one for one in asked(guard) if self.told.get(one.key, (None,))[0] != one.since]
        for one in found:
            self.told[one.key] = [one.since, one.id, WAITS]
        return found

    def tell(self, due: list[Asked], decision: Decision) -> None:
        """Let plug-ins hear what is due, with the decision in force."""
        for one in due:
            what = {"id": one.id, "rule": one.rule, "text": one.text, "since": one.since}
            self.actors[one.plugin].hear({**plain(recorded(decision)), "asked": what})

    def entries(self, due: list[Asked], now: int) -> list[Entry]:
        """Return what is to be stored: what is told now, and how what was told has ended."""
        found = [Entry(now, TOLD, {"id": one.id, "text": redacted(one.text)}) for one in due]
        for actor in self.actors.values():
            while actor.ended:
                name, fault = actor.ended.popleft()
                for one in self.told.values():
                    if one[1] == name:
                        one[2] = fault or DONE
                found.append(Entry(now, ACTED, {"id": name, "how": fault or DONE}))
        return found

    def status(self) -> list[dict[str, Any]]:
        """Return how each plug-in does, with what it was told last, as JSON holds it."""
        return [
            {
                **actor.status(),
                "told": {
                    name: how
                    for key, (_, name, how) in sorted(self.told.items())
                    if key.endswith(f":{actor.name}")
                },
            }
            for actor in self.actors.values()
        ]

    def closed(self, now: int) -> list[Entry]:
        """Tell nothing more, once what waits is acted on or has had its time; return the last."""
        for actor in self.actors.values():
            actor.close(PATIENCE)
        return self.entries([], now)


def _ended(ran: Mapping[str, Actor], goes_on: Mapping[str, Actor]) -> None:
    """End those that do not go on; none is waited for."""
    for name, one in ran.items():
        if goes_on.get(name) is not one:
            one.close(0.0)

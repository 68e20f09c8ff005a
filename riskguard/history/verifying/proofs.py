"""All proofs on one rule set and one history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskguard.history.verifying.cuts import chosen, cut_all
from riskguard.history.verifying.stamps import misstamped, used_early
from riskguard.history.verifying.starts import start_later
from riskguard.history.verifying.stepping import step_all
from riskguard.history.verifying.subject import subject_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskguard.history.history import History
    from riskguard.history.verifying.cuts import Cuts
    from riskguard.history.verifying.differences import Difference
    from riskguard.history.verifying.starts import Starts
    from riskguard.history.verifying.stepping import Steps
    from riskguard.history.verifying.subject import Subject
    from riskguard.language.ruleset import RuleSet

__all__ = ["Verified", "verify"]


@dataclass(frozen=True)
class Verified:
    """What was proved of rules on a history, and the first difference of each proof.

    `early` is a value that is known too early, as far as the data tells.
    """

    subject: Subject
    early: Difference | None
    steps: Steps
    cuts: Cuts
    starts: Starts

    @property
    def differences(self) -> tuple[Difference, ...]:
        """The differences found; one that explains others stands before them."""
        found: dict[str, Difference] = {}
        for one in (
            self.early,
            self.cuts.difference,
            self.steps.difference,
            self.starts.difference,
        ):
            if one is not None:  # a piece that is cut may tell of a later start first
                found.setdefault(one.kind, one)
        return tuple(found.values())

    @property
    def fine(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def verify(
    ruleset: RuleSet,
    history: History,
    *,
    symbol: str = "",
    cuts: int | None = None,
    tell: Callable[[str], None] = lambda _step: None,
) -> Verified:
    """Verify rules on a history, cut at every bar or at so many `cuts`, spread evenly.

    `tell` hears of the present step. Raises what `subject_of` does.

    >>> from riskguard import load_rules
    >>> from riskguard.history import History
    >>> found = verify(load_rules("rules/cascade.yaml"), History.read("feb-2026"), cuts=20)
    >>> found.fine, found.cuts.made, found.steps.bars
    (True, 20, 558)
    """
    subject = subject_of(ruleset, history, symbol)
    whole = subject.whole()
    steps = step_all(subject, whole, tell)
    bars = chosen(subject, cuts)
    return Verified(
        subject,
        used_early(subject) or misstamped(subject),
        steps,
        cut_all(subject, whole, bars, tell),
        start_later(subject, whole, tell),
    )

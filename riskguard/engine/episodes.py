"""Episodes: what each symbol remembers while something limits it, and what must be done unasked.

An episode runs from leaving ACTIVE to the return to it (bots.md 3.3). `Episodes` keeps one a
symbol (in hedge mode one a book), judges orders by them and lists duties with stable ids. It
knows positions from the account, in the order unit, and from the orders it is asked about.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from riskguard.engine.decision import Decision, State
from riskguard.engine.duties import duties
from riskguard.engine.gate import UNLIMITED, Terms, exit_alone, gate
from riskguard.engine.orders import RESIDUE, Action, Verdict, number
from riskguard.engine.strangers import unguarded
from riskguard.errors import StateError
from riskguard.market import Instrument, coin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from riskguard.engine.orders import Intent

__all__ = ["Episode", "Episodes", "strictness"]

PLAIN = Instrument()
REDUCED = 2  # where `strictness` holds reduce_by


def strictness(decision: Decision) -> tuple[float, ...]:
    """Return a decision as numbers of which none may rise without a tightening; ACTIVE is all 0."""
    blocked, close = decision.block_entries, decision.close
    return (
        float(decision.state),
        1.0 - decision.exposure_cap,
        decision.reduce_by,
        decision.hedge,
        1.0 / decision.leverage_cap if decision.leverage_cap else 0.0,
        1.0 / decision.stop if decision.stop else 0.0,
        float(blocked in ("long", "both")),
        float(blocked in ("short", "both")),
        float(close in ("longs", "all")),
        float(close in ("shorts", "all")),
        float(decision.reduce_only),
        float(("none", "entries", "all").index(decision.cancel_orders)),
    )


class Episode:
    """What one symbol remembers; sizes in order units, None while not known.

    `base` is what caps are shares of: the position when the episode began or, if flat, the
    first entry that was granted in it. It does not grow inside an episode. `held` is what
    `reduce_by` left, until its rule clears.
    """

    __slots__ = ("base", "done", "held", "position", "tightening", "told", "within")

    def __init__(self, tightening: int = 0) -> None:
        self.base: float | None = None
        self.held: float | None = None
        self.position: float | None = None  # signed, as the account told it last
        self.told: int | None = None  # when
        self.tightening = tightening
        self.done: list[str] = []  # ids of actions of this tightening that were carried out
        self.within = False  # the position has been seen within its limit since

    def end(self) -> None:
        """Forget what belongs to an episode; the position stays."""
        self.base = self.held = None
        self.within = False

    def based(self, intent: Intent) -> float | None:
        """Return the base, where there is none as it would be for this order."""
        if self.base is not None:
            return self.base
        held, asked = abs(number(intent.position)), number(intent.quantity)
        return held if held > 0 else asked if asked > 0 else None

    def ceiling(self, decision: Decision, base: float | None = None) -> float:
        """Return the largest position allowed, in units; infinite where nothing limits it."""
        base = self.base if base is None else base
        held = self.held
        if held is None and decision.reduce_by and base is not None:
            held = (1.0 - decision.reduce_by) * base
        limit = UNLIMITED if held is None else held
        if decision.exposure_cap < 1.0 and base is not None:
            limit = min(limit, decision.exposure_cap * base)
        return limit

    def limit(self, decision: Decision) -> float:
        """Return what may be held of the position as it is: 0 where it is to be closed."""
        side = "longs" if (self.position or 0.0) > 0 else "shorts"
        if decision.exposure_cap <= 0 or decision.close in (side, "all"):
            return 0.0
        return self.ceiling(decision)

    def exceeds(self, decision: Decision) -> bool:
        """Say whether more is held than may be, as far as the account has told."""
        return abs(self.position or 0.0) > self.limit(decision) * (1 + RESIDUE)


class Episodes:
    """The episodes of all symbols under one guard.

    `see` takes each decision, `note` a position of the account, `judge` answers an order,
    `duties` lists what is outstanding, `finish` takes note that a duty was carried out. An id
    of a duty is never used twice: `tightening` only goes up.
    """

    def __init__(
        self, instruments: Mapping[str, Instrument] | None = None, *, max_age: float = math.inf
    ) -> None:
        self.instruments = dict(instruments or {})
        self.tightening = 0
        self.equity: float | None = None
        self.max_age = max_age  # ns that the equity stands for the account
        self.counted: int | None = None  # when it was told
        self.decision: Decision | None = None  # the last one seen
        self._stand: tuple[float, ...] = (0.0,) * 12  # how strict it was
        self._claims: tuple[str, ...] = ()  # the rules that asked to reduce
        self._known: dict[str, Episode] = {}
        self._terms: Terms | None = None  # of the decision that judged last

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols, and books of them, of which a position or a base is known, sorted."""
        return tuple(sorted(self._known))

    def named(self, symbol: str) -> list[str]:
        """Return `symbols`, and the guarded `symbol` where none of them is a name of it."""
        own = coin(symbol)
        known = any(own == coin(one) for one in self._known)
        return sorted(self._known if known else {symbol, *self._known})

    def of(self, symbol: str, book: str = "") -> Episode:
        """Return the episode of a symbol, in hedge mode of one of its books."""
        found = self._known.get(_key(symbol, book))
        return Episode(self.tightening) if found is None else found

    def account(self, ts: int, symbol: str, values: Mapping[str, float]) -> None:
        """Take what a sample says of the account: `equity`, and `position` in coins.

        In hedge mode a net position says nothing of either book: send none.
        """
        if "equity" in values:
            equity = number(values["equity"])
            if equity >= 0 and (self.counted is None or ts >= self.counted):
                self.equity, self.counted = equity, ts
        if "position" in values:
            coins, told = number(values["position"]), self.of(symbol).told
            if coins == coins and (told is None or ts >= told):  # noqa: PLR0124 - NaN is unequal
                self.note(symbol, coins / self._venue(symbol).contract_size, ts)

    def note(self, symbol: str, position: float, ts: int | None = None) -> None:
        """Take note of a position, signed and in the order unit.

        One that has grown over its limit again, by a late fill or past the gate, is a
        tightening: the duty to bring it down begins anew, under a new id.
        """
        episode = self._known.setdefault(symbol, self.of(symbol))
        episode.position, episode.told = position, ts
        decision = self.decision
        if decision is None or decision.state is State.ACTIVE:
            return
        if episode.base is None and position:
            episode.base = abs(position)
        exceeds = episode.exceeds(decision)
        if exceeds and episode.within:
            self._tighten(episode)
        episode.within = not exceeds

    def see(self, decision: Decision, positions: Mapping[str, float] | None = None) -> None:
        """Take note of the decision in force, and of positions when it was made."""
        if positions is not None:
            for symbol, position in positions.items():
                self._known.setdefault(symbol, self.of(symbol)).position = position
        if decision is self.decision:
            return
        self.decision = decision
        before, self._stand = self._stand, strictness(decision)
        claims, self._claims = self._claims, decision.winners.get("reduce_by", ())
        tightened = any(new > old for new, old in zip(self._stand, before, strict=True))
        anew = bool(decision.reduce_by) and _others(claims, self._claims, before[REDUCED])
        if tightened or anew:
            self.tightening += 1
        for episode in self._known.values():
            if tightened or anew:
                episode.tightening, episode.done = self.tightening, []
            if decision.state is State.ACTIVE:
                episode.end()
                continue
            _begin(episode, decision, more=decision.reduce_by > before[REDUCED], anew=anew)
            episode.within = episode.position is not None and not episode.exceeds(decision)

    def _tighten(self, episode: Episode) -> None:
        self.tightening += 1
        episode.tightening, episode.done = self.tightening, []

    def _venue(self, symbol: str) -> Instrument:
        """Return how a symbol is counted: by its own name, or by that of its coin."""
        known = self.instruments
        if not known:
            return PLAIN
        found = known.get(symbol) or known.get(symbol.partition(" ")[0])
        return found or known.get(coin(symbol), PLAIN)

    # ------------------------------------------------------------ orders

    def judge(
        self,
        intent: Intent,
        decision: Decision,
        *,
        guarded: bool = True,
        fault: str = "",
        equity: float | None = None,
        price: float | None = None,
        as_of: int | None = None,
        until: Callable[[Decision, int], int | None] | None = None,
    ) -> Verdict:
        """Answer an order by the decision in force and the episode of its symbol; never raises.

        `equity` and `price` are what a leverage cap is counted at, beside what the account and
        the order tell.
        Nothing is remembered but the base of an episode that has none: the position the order
        stands on or, if flat, what it asked, when an entry was granted. Asked again it changes
        nothing.
        """
        step = 0.0
        try:
            if not guarded:
                return unguarded(intent, decision, as_of)
            terms = self._terms
            if terms is None or terms.decision is not decision:
                terms = self._terms = Terms(decision)
            step, least, size = self._venue(intent.symbol) if self.instruments else PLAIN
            episode, base, ceiling, key = None, None, UNLIMITED, ""
            if terms.limits:
                key = _key(intent.symbol, intent.book) if intent.book else intent.symbol
                episode = self._known.get(key) or Episode(self.tightening)
                base = episode.based(intent) if episode.base is None else episode.base
                ceiling = 0.0 if terms.shut else episode.ceiling(decision, base)
            verdict = gate(
                intent,
                decision,
                ceiling=ceiling,
                equity=self._stands(intent.ts) if equity is None else equity,
                price=price,
                step=step,
                min_quantity=least,
                contract_size=size,
                fault=fault,
                as_of=as_of,
                until=until,
                terms=terms,
            )
            if (
                base
                and episode is not None
                and episode.base is None
                and self._stand[0]
                and _tells(verdict, number(intent.position))
            ):
                episode.base = base
                self._known[key] = episode
        except Exception as error:  # noqa: BLE001 - whatever fails, exits pass and entries do not
            return exit_alone(intent, error, decision=decision, step=step, as_of=as_of)
        return verdict

    def _stands(self, now: int) -> float | None:
        """Return the equity that was told, where it still stands."""
        told = self.counted
        return self.equity if told is not None and now - told <= self.max_age else None

    # ------------------------------------------------------------ duties

    def duties(self, symbol: str) -> list[Action]:
        """List what the last decision asks for unasked, cancels first, less what is done.

        A position that the account has not told is taken to exceed its limit. Less than the
        least order of the venue is not reduced.
        """
        decision, episode = self.decision, self.of(symbol)
        if decision is None:
            return []
        found = duties(decision, episode, symbol, self._venue(symbol).min_quantity)
        return [action for action in found if action.id not in episode.done]

    def finish(self, action_id: str) -> bool:
        """Take note that an action was carried out: it is not asked for again.

        Return whether the id is one of a duty that stands; any other is passed over.
        """
        parts = action_id.split(":", 3)
        if len(parts) < 4:
            return False
        _, number_, kind, symbol = parts
        if kind == "reduce_to":
            symbol = symbol.rpartition(":")[0]
        episode = self.of(symbol)
        if number_ != str(episode.tightening) or action_id in episode.done:
            return False
        episode.done.append(action_id)
        self._known[symbol] = episode
        return True

    # ------------------------------------------------------------ state

    def dump(self) -> dict[str, Any]:
        """Return all that is remembered, as JSON can hold it."""
        return {
            "tightening": self.tightening,
            "equity": self.equity,
            "counted": self.counted,
            "strictness": list(self._stand),
            "claims": list(self._claims),
            "symbols": {
                key: {name: getattr(episode, name) for name in Episode.__slots__}
                | {"done": list(episode.done)}
                for key, episode in sorted(self._known.items())
            },
        }

    def load(self, body: Mapping[str, Any]) -> None:
        """Take what `dump` gave; what cannot be read raises StateError and changes nothing."""
        try:
            known = {key: _loaded(kept) for key, kept in body["symbols"].items()}
            stand = tuple(float(one) for one in body["strictness"])
            claims = tuple(map(str, body["claims"]))
            equity, tightening = _size(body["equity"]), int(body["tightening"])
            counted = body.get("counted")  # states of earlier versions do not say
            counted = None if counted is None else int(counted)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            msg = f"the episodes cannot be read ({error!r}); give what `dump` returned"
            raise StateError(msg) from error
        if len(stand) != len(self._stand):
            raise StateError(f"the episodes hold {len(stand)} fields of a decision, not 12")
        self.tightening, self.equity, self.decision = tightening, equity, None
        self.counted = counted
        self._stand, self._claims, self._known = stand, claims, known


def _key(symbol: str, book: str) -> str:
    return f"{symbol} {book}" if book else symbol


def _size(given: Any) -> float | None:  # noqa: ANN401 - it comes from a file
    if given is None:
        return None
    size = number(given)
    if size != size:  # noqa: PLR0124 - NaN is unequal
        raise ValueError(f"{given!r} is no size")
    return size


def _loaded(kept: Mapping[str, Any]) -> Episode:
    episode = Episode(int(kept["tightening"]))
    for name in ("base", "held", "position"):
        setattr(episode, name, _size(kept[name]))
    episode.told = None if kept["told"] is None else int(kept["told"])
    episode.done = [str(one) for one in kept["done"]]
    episode.within = bool(kept["within"])
    return episode


def _begin(episode: Episode, decision: Decision, *, more: bool, anew: bool) -> None:
    """Take the base of an episode, and what a rule that reduces leaves when it comes on."""
    position = episode.position
    if episode.base is None and position:
        episode.base = abs(position)
    if not decision.reduce_by:
        episode.held = None
    elif position is not None and (more or anew):
        left = (1.0 - decision.reduce_by) * abs(position)
        episode.held = left if anew or episode.held is None else min(episode.held, left)


def _others(before: Collection[str], now: Collection[str], reduced: float) -> bool:
    """Say whether none of the rules that reduce now did so before."""
    return not reduced or bool(before and now and not set(before) & set(now))


def _tells(verdict: Verdict, position: float) -> bool:
    """Say whether a judged order tells the base: it makes sense, and holds or enters something."""
    absurd = bool(verdict.reasons) and verdict.reasons[0].cause == "absurd"
    return verdict.quantity > 0 or (bool(position) and not absurd)

"""The columns of a frame told to a guard, its decisions played against signals and sizes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from riskguard.adapters.shared.frameworks import framework
from riskguard.adapters.shared.logs import logger
from riskguard.adapters.shared.offline import (
    Teller,
    Terms,
    closes,
    columns,
    of_account,
    read_by,
    row,
)
from riskguard.adapters.vectorbt.signals import AMOUNT, PERCENT, VALUE, Signals, play
from riskguard.engine.decision import Decision, State
from riskguard.errors import AdapterError
from riskguard.plugins import permit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from riskguard.adapters.shared.desk import Desk
    from riskguard.language.ruleset import RuleSet

__all__ = ["CAPABILITIES", "NAME", "TESTED", "Masks", "masks"]

NAME, TESTED = "vectorbt", "1.2.0"
CAPABILITIES = frozenset(
    {
        "exposure_cap",
        "reduce_by",
        "close",
        "block_entries",
        "reduce_only",
        "leverage_cap",  # none is below 1, and vectorbt lends nothing
        "cancel_orders",  # no order rests in it
        "notify",
    }
)
log = logger("riskguard")
SIZES = {"amount": AMOUNT, "value": VALUE, "percent": PERCENT}
Array = Any  # numpy comes with vectorbt; nothing here needs it before
Frame = Any  # of pandas


def masks(
    rules: RuleSet | Path | str,
    data: Frame,
    *,
    symbol: str = "",
    sources: Mapping[str, str] | None = None,
    stamp: str = "open",
    desk: Callable[[], Desk] | None = None,
    plugins: Iterable[str] = (),
) -> Masks:
    """Play the guard over the bars of a frame: columns open to close, and series by their names.

    Series beside the bars are columns named as they are ("oi", "liq_long"), flows as sums of the
    bar, NaN where nothing is new. `stamp` says whether the index stamps the "open" or the
    "close" of a bar. `desk` makes a desk to be asked instead of rules (""); `plugins` names the
    plug-ins that rules may use.

    Raises:
        AdapterError: vectorbt is not there, the rules ask what no mask can do, or the bars are
            none.
        RuleError: the rules do not fit the columns.
    """
    framework(NAME, package=NAME, tested=TESTED)
    permit(plugins)
    terms = Terms.of(rules, symbol=symbol, sources=sources, desk=desk)
    if terms.rules is not None:
        _possible(terms.rules, terms.symbol)
    times, every = closes(data.index, stamp)
    named = columns(terms.keys, [str(one) for one in data.columns])
    if "open" not in named:
        raise AdapterError("the frame has no opens", help="give it a column 'Open'")
    read = {name: [float(one) for one in data[name]] for name in named.values()}
    asked, notes = terms.desk(every, list(named), CAPABILITIES, account=False)
    teller, decisions = Teller(asked, terms.symbol, every), []
    for place, ts in enumerate(times):
        bar, facts = row(named, ts, lambda name: read[name][place])  # noqa: B023 - read at once
        try:
            found = teller.tell(ts, bar, facts) if "close" in bar else asked.decision
        except Exception as error:  # noqa: BLE001 - while a guard fails nothing enters
            log.warning("riskguard: the guard failed at bar %d, nothing enters: %r", place, error)
            found = Decision(ts, terms.symbol, state=State.REDUCING, block_entries="both")
        decisions.append(found)
    return Masks(times, decisions, read[named["open"]], notes)


def _possible(rules: RuleSet, symbol: str) -> None:
    """Refuse what depends on the path of the account."""
    account = [key for key in read_by(rules, symbol, strictly=True) if of_account(key)]
    if account:
        raise AdapterError(
            f"the rules read {', '.join(account)}: a mask is made before any order fills, so what"
            " the account holds is not known in it",
            help="run them in Backtrader, backtesting.py or jesse, or leave these lines out",
        )


class Masks:
    """What the guard decided, for each bar as it holds at its open.

    `decisions` are those of the closes, `closes` their times (ns), `notes` say what of the rules
    had to be left out or replaced. Before the first close nothing may enter.
    """

    def __init__(
        self,
        times: Sequence[int],
        decisions: Sequence[Decision],
        opens: Sequence[float],
        notes: tuple[str, ...],
    ) -> None:
        self.closes, self.decisions, self.notes = tuple(times), tuple(decisions), notes
        self._opens = opens

    # ------------------------------------------------------------ what holds at each open

    @property
    def state(self) -> Array:
        """The state, 0 (ACTIVE) to 3 (HALTED)."""
        return self._held(lambda one: int(one.state), int(State.REDUCING))

    @property
    def cap(self) -> Array:
        """The share that may be held of what is held when nothing limits."""
        return self._held(lambda one: one.exposure_cap, 1.0)

    @property
    def longs(self) -> Array:
        """Whether longs may be entered."""
        return self._held(lambda one: _open(one, "long"), first=False)

    @property
    def shorts(self) -> Array:
        """Whether shorts may be entered."""
        return self._held(lambda one: _open(one, "short"), first=False)

    @property
    def flatten(self) -> Array:
        """Whether nothing may be held on either side."""
        return self._held(lambda one: one.exposure_cap <= 0 or one.close == "all", first=False)

    def _held(self, of: Callable[[Decision], float], first: float) -> Array:
        numpy = importlib.import_module("numpy")
        return numpy.array([first, *(of(one) for one in self.decisions[:-1])])

    # ------------------------------------------------------------ signals

    def signals(
        self,
        entries: Array,
        exits: Array = None,
        short_entries: Array = None,
        short_exits: Array = None,
        *,
        size: Array = float("inf"),
        size_type: str = "amount",
        accumulate: bool = False,
        stops: bool = False,
    ) -> dict[str, Array]:
        """Return what `Portfolio.from_signals` takes: the signals as far as the guard lets them.

        Signals are those of the close of each bar, as for a bare run; what comes out is of the
        next bar and fills at its open (`price`). It goes together: sizes of partial reductions
        are said by `size_type` and `accumulate` bar by bar. A cap is exact where sizes are
        amounts or values; of percents and of all there is (infinite) it caps each entry, and
        closes a short. Where `sl_stop` and the like are added, say so by `stops`: they close a
        position unseen. Columns are strategies, each judged alone.

            Portfolio.from_signals(frame["Close"], **masks.signals(entries, exits, size=1.0))
        """
        if size_type not in SIZES:
            raise AdapterError(
                f"size_type={size_type!r}", help=f"signals take {', '.join(sorted(SIZES))}"
            )
        numpy = importlib.import_module("numpy")
        said = [entries, exits, short_entries, short_exits]
        shape = numpy.shape(entries)
        if shape[:1] != (len(self.closes),):
            raise AdapterError(f"signals of shape {shape} for {len(self.closes)} bars")
        tables = [
            numpy.zeros(shape, bool) if one is None else numpy.asarray(one, bool) for one in said
        ]
        sizes = numpy.asarray(size, float)
        if sizes.ndim == 1 and len(shape) > 1:  # one a bar, the same for all columns
            sizes = sizes[:, None]
        flat = (len(self.closes), -1)
        whole = [numpy.broadcast_to(one, shape).reshape(flat) for one in (*tables, sizes)]
        width = whole[0].shape[1]
        strategies = [[one[:, place].tolist() for one in whole] for place in range(width)]
        modes = {"size_type": SIZES[size_type], "accumulate": accumulate, "stops": stops}
        played = [self._column(one, modes) for one in strategies]
        names = (
            "entries", "exits", "short_entries", "short_exits", "size", "size_type", "accumulate"
        )  # fmt: skip
        found = {
            name: numpy.array([column[place] for column in played]).T.reshape(shape)
            for place, name in enumerate(names)
        }
        opens = numpy.array(self._opens)
        return found | {"price": opens if len(shape) == 1 else opens[:, None]}

    def _column(
        self, said: Sequence[Sequence[Any]], modes: dict[str, Any]
    ) -> tuple[tuple[Any, ...], ...]:
        rows = [Signals(*one) for one in zip(*said, strict=True)]
        found = play(rows, self.decisions, self.closes, self._opens, **modes)
        return tuple(zip(*found, strict=True))


def _open(decision: Decision, side: str) -> bool:
    """Say whether a side may be entered."""
    return (
        decision.state < State.REDUCING
        and decision.block_entries not in {side, "both"}
        and decision.close not in {f"{side}s", "all"}
    )

"""A stock freqtrade, driven through its REST API: no line of the strategy is changed.

Entries are not judged one by one: while anything limits, the bot is paused, which is stricter.
Positions are brought down to a target in coins that is read anew each time, so a driver or a
bot that dies in between halves nothing twice. What the bot forgets at a restart, its pause
among it, is asserted again by every step.
"""

from __future__ import annotations

import base64
import http.client
import json
import math
import os
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from riskguard.adapters.freqtrade.facts import step_of
from riskguard.adapters.shared.logs import logger
from riskguard.engine.decision import State
from riskguard.engine.events import Event
from riskguard.engine.orders import RESIDUE, number
from riskguard.errors import AdapterError, foreign
from riskguard.market import coin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from riskguard.adapters.shared.desk import Desk
    from riskguard.engine.orders import Action

__all__ = ["ACCOUNT", "CAPABILITIES", "Driver", "Remote", "Trade"]

CAPABILITIES = frozenset(
    {
        "exposure_cap",
        "reduce_by",
        "close",
        "block_entries",
        "reduce_only",
        "cancel_orders",
        "notify",
    }
)
ACCOUNT = ("equity", "position")  # what of it the API is asked for, and the desk told
MS = 1_000_000  # ns
BARS = 500  # candles of the first step: what the windows of the rules begin with
CANCELS = frozenset({"cancel_all", "cancel_entries"})
PAUSED = "driver.json"  # beside the state of the guard
T = TypeVar("T")
log = logger("riskguard.freqtrade")


class Remote:
    """The REST API of one bot.

    Raises:
        AdapterError: by each call: the bot cannot be reached, or refuses.
    """

    def __init__(self, url: str, login: str, *, timeout: float = 10.0) -> None:
        self.url, self.timeout = f"{url.rstrip('/')}/api/v1", timeout
        self._login = f"Basic {base64.b64encode(login.encode()).decode()}"

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Ask the bot, and return what it answers."""
        try:
            request = urllib.request.Request(  # noqa: S310 - the address is the operator's own
                self.url + path,
                method=method,
                headers={"Authorization": self._login, "Content-Type": "application/json"},
                data=None if body is None else json.dumps(body).encode(),
            )
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:  # noqa: S310 - as above
                return json.load(answer)
        except urllib.error.HTTPError as error:
            said = error.read(500).decode(errors="replace")
            msg = f"freqtrade refuses {method} {path}: {error.code} {said}"
            raise AdapterError(msg, help="see api_server in its configuration") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            why = str(error) or type(error).__name__
            msg = f"freqtrade cannot be asked {method} {path}: {why}"
            raise AdapterError(msg, help="is the bot running, with api_server enabled?") from error

    def config(self) -> dict[str, Any]:
        """Return what the bot says of itself, its state and timeframe among it."""
        found = self.call("GET", "/show_config")
        if not (isinstance(found, dict) and {"state", "timeframe"} <= found.keys()):
            msg = "freqtrade cannot be asked GET /show_config: what answers is no freqtrade"
            raise AdapterError(msg, help="is it the address of its api_server?")
        return found


class Trade(NamedTuple):
    """An open trade, as `GET /status` tells it."""

    id: int
    pair: str
    position: float  # signed, in coins
    leaving: float  # what open exits take out of it
    entering: bool  # an entry is not filled
    step: float

    @staticmethod
    def of(told: Mapping[str, Any]) -> Trade:
        """Read one trade."""
        side = "sell" if told["is_short"] else "buy"
        size = float(told["amount"] or 0.0)
        if not told["nr_of_successful_entries"]:
            size = 0.0  # what is asked, and not held
        opened = [one for one in told["orders"] if one["is_open"]]
        exits = [one for one in opened if one["ft_order_side"] not in {side, "stoploss"}]
        return Trade(
            int(told["trade_id"]),
            str(told["pair"]),
            -size if told["is_short"] else size,
            sum(float(one["remaining"] or 0.0) for one in exits),
            any(one["ft_order_side"] == side for one in opened),
            step_of(told.get("amount_precision"), told.get("precision_mode"), 1.0),
        )


class Driver:
    """Brings one bot to what a desk decides: `step` is called every few seconds.

    `folder` is where it remembers that the pause is its own.
    """

    def __init__(self, desk: Desk, remote: Remote, pair: str, folder: Path) -> None:
        self.desk, self.remote, self.pair = desk, remote, pair
        self.symbol = coin(pair)
        self.path = folder / PAUSED
        self._told: dict[str, float] = {}
        self._open: dict[str, Action] = {}  # asked for, and not seen done
        self._bar = 0  # the last close that was told
        self._said = ""
        self._failed = False  # in this step

    def step(self, now: int) -> list[str]:
        """Tell the desk what the bot knows, and carry out what it wants; return the calls made.

        While the guard fails, or the bot cannot be read, it is paused: nothing enters.

        Raises:
            AdapterError: the bot cannot be reached; the next step begins anew.
        """
        config = self.remote.config()
        self._failed = False
        trades = self._safely(self._trades)
        self._safely(lambda: self._tell(str(config["timeframe"]), trades, now))
        quiet = self._safely(lambda: self.desk.decision.state is State.ACTIVE)
        actions = (None if quiet else self._safely(self.desk.poll)) or []
        tight = self._failed or not quiet
        calls = self._pause(str(config["state"]), tight=tight)
        for trade in trades or ():
            mine = [one for one in actions if one.symbol == coin(trade.pair)]
            if trade.entering and tight:
                calls += self._try("DELETE", f"/trades/{trade.id}/open-order")
            elif trade.position:
                calls += self._bring(trade, mine)
        if not self._failed:
            held = {coin(one.pair): one for one in trades or ()}
            self._safely(lambda: self._settle(actions, held, tight=tight))
        return calls

    def _safely(self, work: Callable[[], T]) -> T | None:
        """Do something that may fail: then nothing enters, and it is told once."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - whatever fails, nothing enters
            self._failed = True
            said = foreign(f"nothing enters: {type(error).__name__}: {error}", 400)
            if said != self._said:
                log.warning("riskguard: %s", said)
            self._said = said
            return None

    def _trades(self) -> list[Trade]:
        return [Trade.of(one) for one in self.remote.call("GET", "/status")]

    def _tell(self, timeframe: str, trades: list[Trade] | None, now: int) -> None:
        fresh = self._tell_candles(timeframe, now)
        if self._bar:  # what is told before the candles would make latecomers of them
            if trades is not None:
                self._tell_account(trades, now, whole=fresh)
            self.desk.tick()

    def _settle(self, actions: list[Action], held: Mapping[str, Trade], *, tight: bool) -> None:
        """Tell the desk what is seen done."""
        asked = {one.id: one for one in actions}
        self._open = self._open | asked if tight else {}
        done = [one.id for one in self._open.values() if _met(one, held.get(one.symbol))]
        if done:
            self.desk.done(*done)
        self._open = {name: one for name, one in asked.items() if name not in done}

    # ------------------------------------------------------------ facts

    def _tell_candles(self, timeframe: str, now: int) -> bool:
        """Tell the candles that have closed; say if there was one."""
        pair, limit = self.pair.replace("/", "%2F").replace(":", "%3A"), 5 if self._bar else BARS
        path = f"/pair_candles?pair={pair}&timeframe={timeframe}&limit={limit}"
        found = self.remote.call("GET", path)
        if not found["data"]:  # the bot has only just begun
            return False
        columns, every = found["columns"], int(found["timeframe_ms"]) * MS
        names = ("open", "high", "low", "close", "volume")
        places = [columns.index(name) for name in names]
        opened = columns.index("__date_ts")
        events = []
        for row in found["data"]:
            close = int(row[opened]) * MS + every
            if self._bar < close <= now:
                bar = {name: float(row[at]) for name, at in zip(names, places, strict=True)}
                events.append(Event(close, "bar", self.symbol, {**bar, "interval_ns": every}))
        if not events:
            return False
        if not self._bar and hasattr(self.desk, "prime"):
            self.desk.prime(events[:-1])
            events = events[-1:]
        for event in events:
            self.desk.take(event)
        self._bar = events[-1].ts
        return True

    def _tell_account(self, trades: list[Trade], now: int, *, whole: bool) -> None:
        """Tell what is held; a trade that is gone is held no more. `whole` tells equity too."""
        held = dict.fromkeys(self._told, 0.0)
        held.setdefault(self.symbol, 0.0)
        for trade in trades:
            name = coin(trade.pair)
            held[name] = held.get(name, 0.0) + trade.position
        for name, size in held.items():
            if self._told.get(name) != size:
                self.desk.take(Event(now, "account", name, {"position": size}))
                self._told[name] = size
        if whole:
            equity = float(self.remote.call("GET", "/balance")["total_bot"])
            self.desk.take(Event(now, "account", self.symbol, {"equity": equity}))

    # ------------------------------------------------------------ calls

    def _pause(self, state: str, *, tight: bool) -> list[str]:
        """Pause while anything limits; start again only what was paused here."""
        if tight:
            if state != "running":  # of a stopped bot a pause would make a running one
                return []
            calls = self._try("POST", "/pause")
            if calls:
                self._note(paused=True)
            return calls
        if not self._ours():
            return []
        calls = self._try("POST", "/start") if state == "paused" else []
        if calls or state != "paused":
            self._note(paused=False)
        return calls

    def _bring(self, trade: Trade, actions: list[Action]) -> list[str]:
        """Bring a position to its target, less what is on its way out."""
        targets = [target for one in actions if (target := _target(one, trade)) is not None]
        size = abs(trade.position)
        missing = size - min(targets) - trade.leaving if targets else 0.0
        if missing <= RESIDUE * size:
            return []
        order: dict[str, object] = {"tradeid": str(trade.id), "ordertype": "market"}
        if min(targets) > 0:
            sent = missing
            if trade.step:  # up to a whole step, and half of one: freqtrade cuts off what is beyond
                sent = math.ceil(missing / trade.step - 1e-9) * trade.step + trade.step / 2
            if sent < size:
                calls = self._try("POST", "/forceexit", order | {"amount": sent})
                if calls or "too small" not in self._said:
                    return calls
        return self._try("POST", "/forceexit", order)  # what would stay could not be sold

    def _try(self, method: str, path: str, body: Mapping[str, object] | None = None) -> list[str]:
        """Make a call; one that is refused is told, and made again by the next step."""
        try:
            self.remote.call(method, path, body)
        except AdapterError as error:
            if str(error) != self._said:
                log.warning("riskguard: %s", error)
            self._said = str(error)
            return []
        told = f"{method} {path}" + (f" {json.dumps(body)}" if body else "")
        log.warning("riskguard: %s", told)
        return [told]

    # ------------------------------------------------------------ memory

    def _ours(self) -> bool:
        try:
            return bool(json.loads(self.path.read_text(encoding="utf-8"))["paused"])
        except (OSError, ValueError, KeyError, TypeError):  # nobody has paused it from here
            return False

    def _note(self, *, paused: bool) -> None:
        beside = self.path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            json.dump({"paused": paused}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)


def _target(action: Action, trade: Trade) -> float | None:
    """Return what an action leaves of a position, None where it leaves all of it."""
    if action.kind == "flatten":
        return 0.0
    if action.kind != "reduce_to":
        return None
    ceiling = number(action.data.get("ceiling"))
    return ceiling if ceiling >= 0 else action.fraction * abs(trade.position)


def _met(action: Action, trade: Trade | None) -> bool:
    """Say whether an action is seen done."""
    if action.kind in CANCELS:
        return trade is None or not trade.entering
    if trade is None or not trade.position:
        return True
    target = _target(action, trade)
    return target is not None and abs(trade.position) <= target * (1 + RESIDUE)

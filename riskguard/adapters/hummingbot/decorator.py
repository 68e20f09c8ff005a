"""The decorator of hummingbot: what a controller asks for goes by `watch` before it is queued."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from riskguard.adapters.shared.frameworks import framework
from riskguard.errors import AdapterError
from riskguard.plugins import permit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from riskguard.adapters.shared.desk import Desk
    from riskguard.market import Sample

__all__ = ["CAPABILITIES", "NAME", "TESTED", "guarded"]

NAME, TESTED = "hummingbot", "20260922"
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
Thing = Any  # an object of hummingbot, which is untyped
Class = TypeVar("Class", bound=type)


def guarded(
    rules: Path | str = "",
    *,
    bars: str = "1h",
    state: Path | str = "",
    sources: Mapping[str, str] | None = None,
    samples: Callable[[], Iterable[Sample]] | None = None,
    feed: Callable[[Any], object] | None = None,
    desk: Callable[[], Desk] | None = None,
    plugins: Iterable[str] = (),
) -> Callable[[Class], Class]:
    """Guard a controller class: `@guarded("rules.yaml", bars="1h", state="riskguard")` above it.

    `bars` are the candles that drive the guard; a candle feed of them is asked for. A live guard
    remembers in a folder below `state`, one for each controller. What else the rules read comes
    in a backtest by `samples`, and live by `feed`, which is called with the session and gives
    `session.take` events from then on; `sources` says where each series comes from. `desk` makes
    a desk to be asked instead of rules; `plugins` names the plug-ins that rules may use.

    Raises:
        AdapterError: hummingbot is missing, or neither rules nor a desk are given.
    """
    if (desk is None) == (not str(rules)):
        raise AdapterError("nothing to obey", help='write @guarded("rules.yaml")')
    framework("hummingbot", package="hummingbot", tested=TESTED)
    from riskguard.adapters.hummingbot.watch import Terms, Watch  # noqa: PLC0415 - only where hummingbot is

    permit(plugins)
    terms = Terms(rules, bars, state, dict(sources or {}), samples, feed, desk, CAPABILITIES)

    def decorate(cls: Class) -> Class:
        _wrap(cls, functools.partial(Watch, terms), HOOKS)

        def below(sub: type, /, **more: object) -> None:
            """Guard what a controller made of a guarded one writes anew."""
            super(cls, sub).__init_subclass__(**more)  # type: ignore[arg-type]  # any class is one
            _wrap(sub, functools.partial(Watch, terms), [one for one in HOOKS if one in vars(sub)])

        if "__init_subclass__" not in vars(cls):
            cls.__init_subclass__ = classmethod(below)  # type: ignore[assignment]  # PEP 487 calls it so
        return cls

    return decorate


def _wrap(cls: type, make: Callable[[Thing], Thing], names: Iterable[str]) -> None:
    for name in names:
        setattr(cls, name, HOOKS[name](getattr(cls, name), make))


def _watch(controller: Thing, make: Callable[[Thing], Thing]) -> Thing:
    """Return the guard of a controller: it is made with the first thing that is asked of it."""
    watch = vars(controller).get("_riskguard")
    if watch is None:
        watch = controller._riskguard = make(controller)  # noqa: SLF001 - a name of our own
        if controller.actions_queue is not None:
            controller.actions_queue = Gate(controller.actions_queue, watch)
    return watch


class Gate:
    """The queue of actions of a controller: what is put in past its own method is judged."""

    def __init__(self, queue: Thing, watch: Thing) -> None:
        self.queue, self.watch = queue, watch
        self.passed: list[Thing] | None = None  # what was judged already

    def __getattr__(self, name: str) -> Thing:
        return getattr(self.queue, name)

    async def put(self, actions: list[Thing]) -> None:
        """Put in what passes."""
        if found := self._judged(actions):
            await self.queue.put(found)

    def put_nowait(self, actions: list[Thing]) -> None:
        """Put in what passes."""
        if found := self._judged(actions):
            self.queue.put_nowait(found)

    def _judged(self, actions: list[Thing]) -> list[Thing]:
        if actions is self.passed:
            self.passed = None
            return actions
        judged = [self.watch.judged(one) for one in actions]
        return [one for one in judged if one is not None]


def _init(inner: Thing, make: Callable[[Thing], Thing]) -> Thing:
    @functools.wraps(inner)
    def init(self: Thing, *args: Thing, **words: Thing) -> None:
        inner(self, *args, **words)
        _watch(self, make)

    return init


def _actions(inner: Thing, make: Callable[[Thing], Thing]) -> Thing:
    @functools.wraps(inner)
    def determine_executor_actions(self: Thing) -> list[Thing]:
        watch = _watch(self, make)
        if watch.asking:  # a controller that asks the one it is made of
            return list(inner(self))
        watch.asking = True
        try:
            watch.look()
            found = watch.answer(inner(self))
        finally:
            watch.asking = False
        if isinstance(self.actions_queue, Gate):
            self.actions_queue.passed = found
        return list[Thing](found) if self.actions_queue is None else found

    return determine_executor_actions


def _task(inner: Thing, make: Callable[[Thing], Thing]) -> Thing:
    @functools.wraps(inner)
    async def control_task(self: Thing) -> None:
        _watch(self, make).tick()
        await inner(self)

    return control_task


def _candles(inner: Thing, make: Callable[[Thing], Thing]) -> Thing:
    @functools.wraps(inner)
    def get_candles_config(self: Thing) -> list[Thing]:
        found: list[Thing] = _watch(self, make).candles(list(inner(self)))
        return found

    return get_candles_config


HOOKS: Mapping[str, Callable[[Thing, Callable[[Thing], Thing]], Thing]] = {
    "__init__": _init,
    "determine_executor_actions": _actions,
    "control_task": _task,
    "get_candles_config": _candles,
}

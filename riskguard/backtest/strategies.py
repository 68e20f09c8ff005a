"""Find a strategy by name or in a file, and read its parameters from text."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import backtrader as bt

from riskguard.backtest.account import check_leverage
from riskguard.errors import AdapterError
from riskguard.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType

__all__ = [
    "SHIPPED",
    "Setting",
    "ended",
    "find",
    "full_name",
    "names",
    "own_file",
    "settings",
    "source_hash",
    "title",
    "typed",
]

SHIPPED = "shipped"  # in place of a hash
WORDS = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter of a strategy: its default decides the type of what is typed."""

    name: str
    default: Any
    help: str


def names() -> tuple[str, ...]:
    """Return the names of the strategies that are shipped, sorted."""
    return tuple(sorted(path.stem for path in shipped("strategies").glob("[!_]*.py")))


def _meant(word: str, there: Iterable[str]) -> str:
    close = get_close_matches(word, list(there), n=1)
    return f"did you mean '{close[0]}'? " if close else ""


def find(text: str) -> type[bt.Strategy]:
    """Return the strategy of a shipped name, or of FILE.py:ClassName.

    Raises AdapterError that says what is wrong with the name, the file or the class.
    """
    path, wanted = _parted(text)
    if path.endswith(".py"):
        return _choose(_load(Path(path)), path, wanted)
    if text not in names():
        raise AdapterError(
            f"no strategy is named '{text}'",
            help=f"{_meant(text, names())}There are {', '.join(names())}; "
            "your own is written path/to/file.py:ClassName",
        )
    return _choose(_load(shipped("strategies") / f"{text}.py"), text, "")


def _load(path: Path) -> ModuleType:
    if not path.is_file():
        raise AdapterError(f"{path}: no such file; write path/to/file.py:ClassName")
    path = path.resolve()
    name = f"riskguard_strategy_{path.stem}_{crc32(str(path).encode()):x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise AdapterError(f"{path}: cannot be read as Python")
    module = module_from_spec(spec)
    sys.modules[name] = module  # Backtrader looks the class up by its module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        del sys.modules[name]
        raise AdapterError(f"{path}:{error.lineno}:{error.offset}: {error.msg}") from error
    except SystemExit as error:
        del sys.modules[name]
        raise AdapterError(f"{path}:{_line(error, path)}: the file {ended(error)}") from error
    except Exception as error:
        del sys.modules[name]
        line = _line(error, path)
        raise AdapterError(f"{path}:{line}: {type(error).__name__}: {error}") from error
    return module


def ended(error: SystemExit) -> str:
    """Return in words that something called exit."""
    return f"ended the process (exit {error.code or 0}); raise an exception instead"


def _line(error: BaseException, path: Path) -> int:
    line, step = 1, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(path):
            line = step.tb_lineno
        step = step.tb_next
    return line


def _choose(module: ModuleType, path: str, wanted: str) -> type[bt.Strategy]:
    there = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, bt.Strategy)
        and value.__module__ == module.__name__
    }
    listed = ", ".join(there) or "none"
    if not wanted:
        if len(there) == 1:
            return next(iter(there.values()))
        raise AdapterError(
            f"{path}: which class? Write {path}:ClassName; strategies in it: {listed}"
        )
    if wanted in there:
        return there[wanted]
    if not hasattr(module, wanted):
        raise AdapterError(
            f"{path}: no class '{wanted}': {_meant(wanted, there)}strategies in it: {listed}"
        )
    found: Any = getattr(module, wanted)
    if not (isinstance(found, type) and issubclass(found, bt.Strategy)):
        raise AdapterError(
            f"{path}: '{wanted}' is not a Strategy; derive it: "
            f"class {wanted}(backtrader.Strategy). Strategies in it: {listed}"
        )
    return found


def _parted(text: str) -> tuple[str, str]:
    path, colon, wanted = text.rpartition(":")
    return (path, wanted) if colon and path.endswith(".py") else (text, "")


def own_file(text: str) -> Path | None:
    """Return the file of FILE.py:ClassName or FILE.py; None for a shipped name."""
    path, _ = _parted(text)
    return Path(path) if path.endswith(".py") else None


def full_name(text: str) -> str:
    """Return the name of a strategy with its class, which may be left out where a file has one."""
    path = own_file(text)
    return text if path is None else f"{path}:{find(text).__name__}"


def source_hash(text: str) -> str:
    """Return the SHA-256 of the file of an own strategy, not of what it imports, or SHIPPED."""
    path = own_file(text)
    return SHIPPED if path is None else sha256(path.read_bytes()).hexdigest()


def title(strategy: type[bt.Strategy]) -> str:
    """Return the first line of what a strategy says of itself."""
    module = sys.modules.get(strategy.__module__)
    text = (getattr(module, "__doc__", None) or strategy.__doc__ or "").strip()
    return text.splitlines()[0] if text else ""


def settings(strategy: type[bt.Strategy]) -> list[Setting]:
    """Return the parameters of a strategy, in the order they are declared."""
    told = getattr(strategy, "help", None)
    helps = told if isinstance(told, dict) else {}
    pairs = strategy.params._getitems()  # noqa: SLF001 - Backtrader has no other way to ask
    return [Setting(name, default, str(helps.get(name, ""))) for name, default in pairs]


def typed(strategy: type[bt.Strategy], texts: Mapping[str, str]) -> dict[str, Any]:
    """Return `--param` texts as values of the type of each default.

    Raises AdapterError for an unknown name or a text that is no such value.
    """
    known = {setting.name: setting for setting in settings(strategy)}
    found = {name: _value(strategy, known, name, text) for name, text in texts.items()}
    if "leverage" in found:  # of the account, whatever the strategy
        check_leverage(found["leverage"])
    return found


def _value(
    strategy: type[bt.Strategy], known: Mapping[str, Setting], name: str, text: str
) -> object:
    if name not in known:
        listed = ", ".join(f"{each.name}={each.default}" for each in known.values()) or "none"
        raise AdapterError(
            f"{strategy.__name__} has no parameter '{name}': {_meant(name, known)}"
            f"Parameters: {listed}"
        )
    default = known[name].default
    try:
        return _parsed(default, text)
    except ValueError:
        kind = {bool: "true or false", int: "a whole number", float: "a number"}[type(default)]
        raise AdapterError(f"{name}={text}: {kind} is needed, such as {name}={default}") from None


def _parsed(default: object, text: str) -> object:
    if isinstance(default, bool):
        if text.lower() not in WORDS:
            raise ValueError
        return WORDS[text.lower()]
    if isinstance(default, int):
        return int(text)
    if isinstance(default, float):
        number = float(text)
        if number != number or number in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN
            raise ValueError
        return number
    if default is None:
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
    return text

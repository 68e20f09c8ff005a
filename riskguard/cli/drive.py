"""`riskguard drive`: a stock bot brought to what rules decide, through its own API."""

from __future__ import annotations

import re
import stat
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskguard.cli import given
from riskguard.cli.failures import WrongUse
from riskguard.errors import AdapterError

if TYPE_CHECKING:
    from riskguard import Session
    from riskguard.adapters.freqtrade.rest import Driver, Remote

__all__ = ["freqtrade"]

LONGEST = 3600  # seconds between two looks
UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LOGIN = "write user:password into a file that only its owner can read (chmod 600)"


def freqtrade(
    rules: Annotated[
        str, typer.Argument(metavar="RULES", help="Rule file, or the name of a pack.")
    ],
    url: Annotated[str, typer.Option("--url", help="Of the bot: http://127.0.0.1:8080.")],
    login: Annotated[
        Path, typer.Option("--login", metavar="FILE", help="Holds user:password, mode 600.")
    ],
    state: Annotated[
        str, typer.Option("--state", metavar="FOLDER", help="Where the guard remembers.")
    ],
    benchmark: Annotated[
        str, typer.Option("--benchmark", metavar="PAIR", help="Its candles drive the guard.")
    ] = "",
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", help="Between two looks at the bot.")
    ] = 5.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
) -> int:
    """Pause, reduce and close the trades of a stock freqtrade as rules decide.

    The bot is not changed: its api_server is asked for candles and trades, paused while
    anything limits (an entry cannot be cut from outside, so none is let in), and started again
    only where this command has paused it. Rules read candles and positions; what else they
    read is refused at the start. It goes on where it was after a kill, of itself or of the bot.

    Example: riskguard drive freqtrade my.yaml --url http://127.0.0.1:8080 --login login --state s

    Exit codes: 0 it was stopped, 1 the rules do not fit or the bot refuses, 2 wrong use, 5 another
    process holds the state.
    """
    import signal

    from riskguard import load_rules
    from riskguard.adapters.freqtrade.rest import Remote

    path = given.pack(rules, "RULES")
    given.filled({"--state": "FOLDER"}, {"--state": state})
    if not 0 < every <= LONGEST:
        raise WrongUse(f"--every {every:g}", f"write seconds, above 0 and up to {LONGEST}")
    if not re.match("https?://[^/]", url):
        raise WrongUse(f"--url {url} is no address", "write --url http://127.0.0.1:8080")
    load_rules(path)  # what is wrong with them is told before a bot is asked
    remote = Remote(url, _login(login))
    config = remote.config()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    driver, session = _driver(path, Path(state), remote, config, benchmark)
    with session:
        name = config.get("bot_name", "freqtrade")
        print(f"driving {name} at {url} by the candles of {driver.pair}", flush=True)
        try:
            while not stopped.is_set():
                _step(driver)
                if once or stopped.wait(every):
                    break
        except KeyboardInterrupt:
            pass
    print("stopped; the bot stays as it is")
    return 0


def _driver(
    path: Path, state: Path, remote: Remote, config: dict[str, Any], benchmark: str
) -> tuple[Driver, Session]:
    """Make a driver on a session of the rules."""
    from riskguard import Session, load_rules
    from riskguard.adapters.freqtrade.rest import ACCOUNT, CAPABILITIES, Driver
    from riskguard.adapters.shared.offline import BAR
    from riskguard.adapters.shared.starting import Bot, announce
    from riskguard.market import SECOND, coin

    symbol = load_rules(path).symbol
    pairs = list(remote.call("GET", "/whitelist")["whitelist"])
    pair = benchmark or next((one for one in pairs if coin(one) == symbol), "")
    if not pair:
        raise WrongUse("no pair of the bot is that of the rules", "write --benchmark BTC/USDT")
    frame = str(config["timeframe"])
    bot = Bot(
        symbol or coin(pair),
        int(frame[:-1]) * UNITS[frame[-1]] * SECOND,
        CAPABILITIES,
        (*BAR, *ACCOUNT),
    )
    state.mkdir(parents=True, exist_ok=True)
    session = bot.live(path, state)
    assert isinstance(session, Session)  # noqa: S101 - a live desk is one
    announce(session, pairs, lambda note: print(f"note: {note}", flush=True))
    print("note: while anything limits, the bot is paused: no pair enters then", flush=True)
    return Driver(session, remote, pair, state), session


def _step(driver: Driver) -> None:
    """Look once; a bot that cannot be reached is looked for again."""
    try:
        for call in driver.step(time.time_ns()):
            print(call, flush=True)
    except AdapterError as error:
        print(f"{error}; it is tried again", file=sys.stderr, flush=True)


def _login(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # a pipe would be waited at for ever
            raise WrongUse(f"--login {path} is no file", LOGIN)
        text = path.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise WrongUse(f"--login {path}: {error.strerror}", LOGIN) from error
    except UnicodeDecodeError as error:
        raise WrongUse(f"--login {path} is not UTF-8 text", LOGIN) from error
    if stat.S_IMODE(mode) & 0o077:
        raise WrongUse(f"--login {path}: others can read it", LOGIN)
    if ":" not in text:
        raise WrongUse(f"--login {path} holds no user:password", LOGIN)
    return text

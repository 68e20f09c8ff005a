"""`riskguard new`: three questions, then a checked rule file with its test."""

from __future__ import annotations

import shlex
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from riskguard.cli.failures import WrongUse
from riskguard.cli.places import elsewhere, nameable
from riskguard.cli.writing import write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from riskguard.cli.new_rules import Answers

__all__ = ["new"]

T = TypeVar("T")

ELSEWHERE = "write the path of a file in a folder you may write to"
THERE, ANOTHER = "{} is there already", "write another name, or add --force"
PRICE = "Which price must hold? A symbol, and a price or low(20d), its lowest of 20 days."
OTHERS = (
    "What else must be true? oi (open interest falls), liquidations (of longs, faster than in "
    "their week), both with a comma, or nothing."
)
ACTION = (
    "What shall happen? 40% (cut to that), block (no new longs) or flatten; and after how long "
    "of holding again may it end?"
)
COUNTS = {1: "One question", 2: "Two questions", 3: "Three questions"}


def new(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The rule file; its test goes beside it.")
    ] = "my-rules.yaml",
    symbol: Annotated[
        str | None, typer.Option(metavar="SYMBOL", help="The coin that is guarded: BTC.")
    ] = None,
    support: Annotated[
        str | None, typer.Option(metavar="PRICE", help="What must hold: 75_000 or low(20d).")
    ] = None,
    with_: Annotated[
        str | None,
        typer.Option("--with", metavar="WHAT", help="And also: oi, liquidations or nothing."),
    ] = None,
    do: Annotated[
        str | None, typer.Option(metavar="ACTION", help="40% (cut to that), block or flatten.")
    ] = None,
    back: Annotated[
        str | None, typer.Option(metavar="TIME", help="End it after holding so long: 3d.")
    ] = None,
    every: Annotated[str, typer.Option(metavar="TIME", help="The bar of its decisions.")] = "4h",
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: take the defaults for what is not given.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> int:
    """Write a first rule file and its test.

    Asks three questions; an option that is given is not asked for. The test
    proves every line: riskguard test FILE --coverage --mutate

    Example: riskguard new my-rules.yaml --symbol ETH

    Exit codes: 0 written, 2 wrong use, 130 interrupted; then nothing is written.
    """
    from riskguard.cli.new_cases import cases_text
    from riskguard.cli.new_rules import rules_text

    try:
        rules, tests = _targets(file, force=force)
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise WrongUse(f"{file} cannot be written: {error.strerror}", ELSEWHERE) from error
    flags = {"symbol": symbol, "support": support, "with": with_, "do": do, "back": back}
    answers = _answers(flags, every, ask=not yes)
    texts = {rules: rules_text(answers), tests: cases_text(answers, rules.name)}
    cases = _checked(texts)
    try:
        write_all(texts, fresh=not force)
    except FileExistsError as error:
        raise WrongUse(THERE.format(Path(error.filename).name), ANOTHER) from error
    except OSError as error:
        raise WrongUse(f"{file} cannot be written: {error.strerror}", ELSEWHERE) from error
    print("\n".join(_told(answers, rules, tests, cases)))
    return 0


def _targets(text: str, *, force: bool) -> tuple[Path, Path]:
    rules = Path(text)
    if not text.strip() or rules.is_dir():
        raise WrongUse(f"'{text}' is no file", f"write {rules / 'my-rules.yaml'}")
    if rules.suffix not in {".yaml", ".yml"} or rules.stem.endswith("_test"):
        name = rules.with_name(f"{rules.stem.removesuffix('_test') or 'my-rules'}.yaml")
        raise WrongUse(f"{text} is no name of a rule file", f"write {name}")
    if not rules.parent.is_dir():
        fix = elsewhere(text, f"make it: mkdir {rules.parent}")
        raise WrongUse(f"there is no folder {rules.parent}", fix)
    nameable(rules.name)
    tests = rules.with_name(f"{rules.stem}_test{rules.suffix}")
    for path in (rules, tests):
        if path.is_dir() or (path.exists() and not path.is_file()):
            raise WrongUse(f"{path} is no file", "write another name")
        if path.exists() and not force:
            raise WrongUse(THERE.format(path), ANOTHER)
    return rules, tests


# ---------------------------------------------------------------- answers


def _answers(flags: Mapping[str, str | None], every: str, *, ask: bool) -> Answers:
    from riskguard.cli import new_answers as read
    from riskguard.cli.new_rules import Answers

    given = {"every": _flag("--every", read.every, every), **_guarded(flags)}
    if flags["with"] is not None:
        given["oi"], given["liquidations"] = _flag("--with", read.others, flags["with"])
    if flags["do"] is not None:
        given["cap"] = _flag("--do", read.action, flags["do"])
    if flags["back"] is not None:
        given["back"] = _flag("--back", lambda text: read.held(text, given["every"]), flags["back"])
    answers = Answers(**given)
    open_ones = [name for name in ("support", "with", "do") if flags[name] is None]
    if not open_ones or not ask:
        return answers
    if not sys.stdin.isatty():
        missing = ", ".join(f"--{name}" for name in open_ones)
        fix = f"add {missing}, or --yes for the defaults"
        raise WrongUse(f"nobody can be asked here, and not given: {missing}", fix)
    print(f"{COUNTS[len(open_ones)]}; Enter takes what stands in [ ].")
    for number, name in enumerate(open_ones, 1):
        answers = _asked(name, answers, f"{number} of {len(open_ones)}. ")
    return answers


def _flag(option: str, read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except WrongUse as fault:
        raise WrongUse(f"{option}: {fault.message}", fault.fix) from None


def _guarded(flags: Mapping[str, str | None]) -> dict[str, Any]:
    """Return what the options say of the coin and of the price that it must hold."""
    from riskguard.cli import new_answers as read

    given: dict[str, Any] = {}
    if flags["symbol"] is not None:
        given["symbol"] = _flag("--symbol", read.symbol, flags["symbol"])
    if flags["support"] is not None:
        named = given.get("symbol", "BTC")
        coin, level, lookback = _flag(
            "--support", lambda text: _level(text, named), flags["support"]
        )
        if coin != given.setdefault("symbol", coin):
            raise WrongUse(
                f"--symbol {named} and --support {coin} are two coins", "name one of them"
            )
        given["support"], given["lookback"] = level, lookback
    elif given.get("symbol", "BTC") != "BTC":
        given["support"], given["lookback"] = read.support("low(20d)")
    return given


def _level(text: str, named: str) -> tuple[str, float | None, int]:
    from riskguard.cli.new_answers import price, support

    # one word is no coin here: what is asked is a price
    return price(text, named) if len(text.split()) > 1 else (named, *support(text))


def _asked(name: str, answers: Answers, number: str) -> Answers:
    """Ask one question until its answer can be used."""
    from riskguard.cli.new_rules import span

    if name == "support":
        default = f"{answers.symbol} {answers.level}"
        return _until(number + PRICE, default, lambda text: _price(text, answers))
    if name == "with":
        named = (("oi", answers.oi), ("liquidations", answers.liquidations))
        default = ", ".join(word for word, on in named if on) or "nothing"
        return _until(number + OTHERS, default, lambda text: _others(text, answers))
    default = f"{_action(answers)}, {span(answers.back)}"
    return _until(number + ACTION, default, lambda text: _then(text, answers))


def _until(question: str, default: str, read: Callable[[str], Answers]) -> Answers:
    print("\n" + textwrap.fill(question, 80, subsequent_indent="   "))
    while True:
        try:
            text = input(f"   [{default}] ").strip()
        except EOFError:
            print()
            raise WrongUse("no answer: nothing is written", "--yes takes the defaults") from None
        except KeyboardInterrupt:
            print()
            raise
        try:
            return read(text or default)
        except WrongUse as fault:
            print(f"   {fault.message}; {fault.fix}")


def _price(text: str, answers: Answers) -> Answers:
    from riskguard.cli.new_answers import price

    name, level, lookback = price(text, answers.symbol)
    return replace(answers, symbol=name, support=level, lookback=lookback)


def _others(text: str, answers: Answers) -> Answers:
    from riskguard.cli.new_answers import others

    oi, liquidations = others(text)
    return replace(answers, oi=oi, liquidations=liquidations)


def _then(text: str, answers: Answers) -> Answers:
    from riskguard.cli.new_answers import then

    cap, back = then(text, answers.every)
    return replace(
        answers,
        cap=answers.cap if cap is None else cap,
        back=answers.back if back is None else back,
    )


# ---------------------------------------------------------------- files


def _checked(texts: Mapping[Path, str]) -> int:
    """Check and test the two files before they are written; return the number of cases."""
    from riskguard.language.reader import read_rules
    from riskguard.testing.judging import judge
    from riskguard.testing.reader import read_cases

    with TemporaryDirectory() as folder:
        rules, tests = (Path(folder) / path.name for path in texts)
        for path, text in zip((rules, tests), texts.values(), strict=True):
            path.write_text(text, encoding="utf-8")
        found = read_rules(rules)[1]
        cases, faults = read_cases(tests)
        wrong = [one.render() for one in (*found, *faults)]
        if cases is not None:
            results = [judge(cases, case) for case in cases.cases]
            wrong += [fail.message for one in results for fail in one.failures]
    if wrong or cases is None:  # our own fault: nothing is written
        raise RuntimeError("; ".join(wrong))
    return len(cases.cases)


def _told(answers: Answers, rules: Path, tests: Path, cases: int) -> list[str]:
    from riskguard.cli.new_rules import SCHEMA, span

    also = ["open interest falls"] * answers.oi + ["liquidations speed up"] * answers.liquidations
    done = {1.0: "no new longs", 0.0: "flatten"}.get(answers.cap, f"cut to {_action(answers)}")
    held = f"{answers.level} + 1%" if answers.support else f"its mean of {span(answers.lookback)}"
    slow = ", and liquidations are slow" if answers.liquidations else ""
    file = shlex.quote(str(rules))
    schema = shlex.quote(str(rules.with_name(SCHEMA)))
    data = "" if answers.symbol == "BTC" else f" --data {answers.symbol}USDT.csv   # your bars"
    return [
        f"{rules}, {tests}: checked, {cases} of {cases} cases pass",
        f"  when   {answers.symbol} closes twice under {answers.level}",
        *(f"         and {one}" for one in also),
        f"  then   {done}",
        f"  until  it holds above {held} for {span(answers.back)}{slow}",
        "",
        "next:",
        f"  riskguard test {file} --coverage --mutate",
        f"  riskguard backtest --rules {file}{data}",
        f"  riskguard schema --output {schema}   # your editor then helps",
    ]


def _action(answers: Answers) -> str:
    from riskguard.cli.new_rules import percent

    return {1.0: "block", 0.0: "flatten"}.get(answers.cap, percent(answers.cap))

"""The commands by name."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

from riskguard._version import VERSION
from riskguard.cli import (
    backtest,
    check,
    diff,
    drill,
    drive,
    explain,
    floors,
    new,
    orders,
    plan,
    record,
    replay,
    scenarios,
    schema,
    show,
    state_verify,
    status,
    study,
    test,
    verify,
    why,
)
from riskguard.cli.failures import run
from riskguard.cli.once import Once
from riskguard.cli.permitting import permitting

__all__ = ["app", "main"]

COMPLETING = "_RISKGUARD_COMPLETE"  # set by the script of --show-completion

# plain help: it fits 80 columns, prints everywhere and needs no colour
app = typer.Typer(
    name="riskguard",
    help="Write exit rules once, in YAML; test them on real sell-offs; let any bot obey them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
state = typer.Typer(
    help="Look after the folder of a state.", no_args_is_help=True, rich_markup_mode=None
)
state.command("verify", cls=Once)(state_verify.verify)


@state.callback()
def _state() -> None:
    """Look after the folder of a state."""


driving = typer.Typer(
    help="Drive a stock bot through its API.", no_args_is_help=True, rich_markup_mode=None
)
driving.command("freqtrade", cls=Once)(permitting(drive.freqtrade))


@driving.callback()
def _driving() -> None:
    """Drive a stock bot through its API: nothing in it is changed."""


data = typer.Typer(
    help="Look at data that was recorded.", no_args_is_help=True, rich_markup_mode=None
)
data.command("floors", cls=Once)(permitting(floors.floors))


@data.callback()
def _data() -> None:
    """Look at data that was recorded."""


app.command("backtest", cls=Once)(permitting(backtest.backtest))
app.command("check", cls=Once)(permitting(check.check))
app.add_typer(data, name="data")
app.command("diff", cls=Once)(permitting(diff.diff))
app.command("drill", cls=Once)(permitting(drill.drill))
app.add_typer(driving, name="drive")
app.command("explain", cls=Once)(explain.explain)
app.command("halt", cls=Once)(orders.halt)
app.command("mute", cls=Once)(orders.mute)
app.command("new", cls=Once)(new.new)
app.command("plan", cls=Once)(permitting(plan.plan))
app.command("record", cls=Once)(permitting(record.record))
app.command("release", cls=Once)(orders.release)
app.command("reload", cls=Once)(orders.reload)
app.command("replay", cls=Once)(permitting(replay.replay))
app.command("resume", cls=Once)(orders.resume)
app.command("scenarios", cls=Once)(scenarios.scenarios)
app.command("schema", cls=Once)(schema.schema)
app.command("show", cls=Once)(permitting(show.show))
app.add_typer(state, name="state")
app.command("status", cls=Once)(permitting(status.status))
app.command("study", cls=Once)(permitting(study.study))
app.command("test", cls=Once)(permitting(test.test))
app.command("verify", cls=Once)(permitting(verify.verify))
app.command("why", cls=Once)(permitting(why.why))


def _version(wanted: bool) -> None:
    if wanted:
        print(f"riskguard {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version  # its callback has done the work


def main() -> None:
    """Run the command line and leave with its exit code."""
    # closed by the caller: what is said there is lost, and what is read is empty, no more
    if sys.stderr is None:
        sys.stderr = io.StringIO()
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BytesIO())
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:  # an ASCII terminal shows \u2264 rather than failing on it
            reconfigure(errors="backslashreplace")
    sys.exit(run(_invoked))


def _invoked() -> object:
    # not app(): Typer itself would end a closed pipe with 1, and Ctrl-C without a word
    command = typer.main.get_command(app)
    if COMPLETING in os.environ:  # a shell asks what may come next
        return command.main([], "riskguard", standalone_mode=False)
    with command.make_context("riskguard", sys.argv[1:]) as context:
        return command.invoke(context)

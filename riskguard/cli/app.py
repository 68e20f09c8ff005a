"""The commands by name."""

from __future__ import annotations

import io
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
from riskguard.cli.permitting import permitting

__all__ = ["app", "main"]

# plain help: it fits 80 columns, prints everywhere and needs no colour
app = typer.Typer(
    name="riskguard",
    help="Write exit rules once, in YAML; test them on real sell-offs; let any bot obey them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
state = typer.Typer(
    help="Look after the folder of a state.", no_args_is_help=True, rich_markup_mode=None
)
state.command("verify")(state_verify.verify)


@state.callback()
def _state() -> None:
    """Look after the folder of a state."""


driving = typer.Typer(
    help="Drive a stock bot through its API.", no_args_is_help=True, rich_markup_mode=None
)
driving.command("freqtrade")(permitting(drive.freqtrade))


@driving.callback()
def _driving() -> None:
    """Drive a stock bot through its API: nothing in it is changed."""


data = typer.Typer(
    help="Look at data that was recorded.", no_args_is_help=True, rich_markup_mode=None
)
data.command("floors")(permitting(floors.floors))


@data.callback()
def _data() -> None:
    """Look at data that was recorded."""


app.command("backtest")(permitting(backtest.backtest))
app.command("check")(permitting(check.check))
app.add_typer(data, name="data")
app.command("diff")(permitting(diff.diff))
app.command("drill")(permitting(drill.drill))
app.add_typer(driving, name="drive")
app.command("explain")(explain.explain)
app.command("halt")(orders.halt)
app.command("mute")(orders.mute)
app.command("new")(new.new)
app.command("plan")(permitting(plan.plan))
app.command("record")(permitting(record.record))
app.command("release")(orders.release)
app.command("reload")(orders.reload)
app.command("replay")(permitting(replay.replay))
app.command("resume")(orders.resume)
app.command("scenarios")(scenarios.scenarios)
app.command("schema")(schema.schema)
app.command("show")(permitting(show.show))
app.add_typer(state, name="state")
app.command("status")(permitting(status.status))
app.command("study")(permitting(study.study))
app.command("test")(permitting(test.test))
app.command("verify")(permitting(verify.verify))
app.command("why")(permitting(why.why))


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
    if sys.stderr is None:  # closed by the caller: what is said there is lost, no more
        sys.stderr = io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:  # an ASCII terminal shows \u2264 rather than failing on it
            reconfigure(errors="backslashreplace")
    sys.exit(run(_invoked))


def _invoked() -> object:
    # not app(): Typer itself would end a closed pipe with 1, and Ctrl-C without a word
    command = typer.main.get_command(app)
    with command.make_context("riskguard", sys.argv[1:]) as context:
        return command.invoke(context)

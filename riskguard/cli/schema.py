"""`riskguard schema`: the JSON Schema of rule files, for editors."""

from __future__ import annotations

from typing import Annotated

import typer

from riskguard.cli.failures import WrongUse
from riskguard.cli.given import filled
from riskguard.cli.target import spared, writable
from riskguard.cli.writing import write

__all__ = ["schema"]


def schema(
    output: Annotated[
        str | None, typer.Option("--output", metavar="FILE", help="Write it to a file.")
    ] = None,
) -> None:
    """Print the JSON Schema by which editors complete and check rule files.

    It lies beside the shipped packs too, as riskguard-1.json. An editor with a
    YAML server reads it where the first line of a rule file names it:

    # yaml-language-server: $schema=riskguard-1.json

    Example: riskguard schema --output riskguard-1.json

    Exit codes: 0 written, 2 wrong use.
    """
    from riskguard.language.guides.editors import schema_text

    filled({"--output": "FILE"}, {"--output": output})
    fix = "write the path of a file: riskguard-1.json"
    target = spared("--output", writable("--output", output, fix), fix)
    if target is None:
        print(schema_text(), end="")
        return
    try:
        write(schema_text(), target)
    except OSError as error:
        raise WrongUse(f"--output {target} cannot be written: {error.strerror}") from error

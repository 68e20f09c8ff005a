"""`--report FILE` of a backtest: a page, a text or a picture, as the name of the file ends."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from riskguard.cli.failures import WrongUse
from riskguard.cli.target import report_target
from riskguard.cli.writing import write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.evidence import Evidence

__all__ = ["page_targets", "write_pages"]

KINDS = (".html", ".md", ".png")
FIX = "write the path of a file that ends in .html, .md or .png: report.html"


def page_targets(
    texts: Sequence[str], other: Path | None, inputs: Sequence[Path]
) -> tuple[Path, ...]:
    """Return the files to write; `other` is what the run writes beside them.

    Raises:
        WrongUse: A name ends in something else, is given twice, is an input or cannot be written.

    """
    taken = {} if other is None else {other.resolve(): "--json"}
    found = []
    for text in texts:
        if Path(text).suffix.lower() not in KINDS:
            raise WrongUse(f"--report {text} is no page, text or picture", FIX)
        path = report_target("--report", text, inputs, FIX)
        if path is None:
            continue
        if path.resolve() in taken:
            told = f"--report {text} is written already, by {taken[path.resolve()]}"
            raise WrongUse(told, "give each report a file of its own")
        taken[path.resolve()] = f"--report {text}"
        found.append(path)
    if any(_kind(path) == ".png" for path in found) and find_spec("matplotlib") is None:
        raise WrongUse(
            "a picture needs matplotlib, which is not installed",
            'install "riskguard[backtest]", or write a page: --report report.html',
        )
    return tuple(found)


def _kind(path: Path) -> str:
    return path.suffix.lower()


def write_pages(
    paths: Sequence[Path],
    comparison: Comparison,
    evidence: Evidence,
    tell: Callable[[str], None],
) -> None:
    """Write each file in the form its name asks for.

    Raises:
        WrongUse: A file cannot be written.

    """
    for path in paths:
        tell(f"writing {path.name}")
        text = _made(_kind(path), comparison, evidence)
        try:
            write(text, path)
        except OSError as error:
            raise WrongUse(f"--report {path} cannot be written: {error.strerror}") from error


def _made(kind: str, comparison: Comparison, evidence: Evidence) -> str | bytes:
    if kind == ".png":
        from riskguard.backtest.page.picture import picture  # matplotlib takes its time

        return picture(comparison, evidence)
    if kind == ".md":
        from riskguard.backtest.page.markdown import markdown

        return markdown(comparison, evidence)
    from riskguard.backtest.page.document import page

    return page(comparison, evidence)

"""Which files are meant: rule files, tests of rules, packs by name, and folders of them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from riskguard.cli.failures import WrongUse
from riskguard.cli.given import other_version, pack_name, packs
from riskguard.cli.places import SUFFIXES, beside, elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["STDIN", "is_test", "refusal", "rule_files"]

STDIN = "-"
TEST = "_test"
# JSON holds much else: a schema for editors, reports, settings
RULES_IN_JSON = re.compile(rb'"(?:rules|stages|extends|cases)"\s*:')
SCHEMA = b'"$schema"'
OURS = "scenario.yaml"  # describes data


def rule_files(given: Iterable[str]) -> list[Path]:
    """Return the files that are named, and those in the folders that are named, each once.

    Raises:
        WrongUse: There is no such file, or a folder without any.

    """
    return list(dict.fromkeys(path for text in given for path in _meant(text)))


def is_test(path: Path) -> bool:
    """Say whether a file holds tests of rules."""
    return path.stem.endswith(TEST)


def _meant(text: str) -> Iterator[Path]:
    path, name = Path(text), pack_name(text)
    if text == STDIN:
        yield path
    elif text.strip() and path.is_dir():
        found = list(_inside(path))
        if not found:
            raise WrongUse(f"no rule file (*.yaml) in the folder {text}", "name another folder")
        yield from found
    elif path.is_file():
        yield path
    elif name in packs() and not path.exists() and not path.is_symlink():
        yield packs()[name]
    else:
        raise refusal(text)


def refusal(text: str) -> WrongUse:
    """Return what is wrong with a name that is no file, no folder and no pack."""
    path = Path(text)
    if not text.strip():
        return WrongUse("the name of a file is empty", "write the path of a rule file")
    if path.exists():
        return WrongUse(f"{text} is a pipe or a device", "save the rules to a file first")
    if path.is_symlink():
        return WrongUse(f"{text} is a link that leads nowhere", "make it point to a rule file")
    return WrongUse(f"there is no file {text}", elsewhere(text, _near(path, pack_name(text))))


def _inside(folder: Path) -> Iterator[Path]:
    """Yield the rule files of a folder and of those below it; what is hidden is left out."""
    for place, folders, files in os.walk(folder, onerror=_raised):
        folders[:] = sorted(one for one in folders if one[0] != ".")
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        for file in sorted(files):
            path = Path(place, file)
            if file[0] != "." and path.suffix in SUFFIXES and file != OURS and _holds_rules(path):
                yield path


def _raised(error: OSError) -> None:
    raise error  # a folder that nobody looked into is none that was checked


def _holds_rules(path: Path) -> bool:
    if path.suffix != ".json":
        return True
    try:
        text = path.read_bytes()
    except OSError:
        return True  # what is wrong with it is said when it is checked
    return SCHEMA not in text and bool(RULES_IN_JSON.search(text))


def _near(path: Path, name: str) -> str:
    from riskguard.language.findings import near

    close = near(name, packs())
    other = f"did you mean pack:{close}?" if close else "write the path of a rule file or a folder"
    return beside(path) or other_version(name) or other

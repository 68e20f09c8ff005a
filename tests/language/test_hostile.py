"""Hostile files: refused with a place, in little memory, and never an exception."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from riskguard.language.reader import load_rules, read_rules, read_text
from tests.language.hostile import HEAD, HOSTILE, LARGE, MEBIBYTE, rule
from tests.language.reading import Outcome, Reader

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of a child are Linux's")

MEMORY = 50  # MiB
OUTPUT = 30_000  # characters of what is said of 20 errors and 20 warnings
MOST = 1_000  # errors that are noted
BASE = rule("close < 1")


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.close()


def written(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(outcome: Outcome) -> list[str]:
    """Return the codes of the errors of a file that was refused as it should be."""
    assert not outcome.killed
    assert not outcome.raised
    assert not outcome.accepted
    assert 1 <= len(outcome.errors) <= MOST
    assert all(line >= 1 and column >= 1 for line, column, _ in outcome.errors)
    assert outcome.said <= OUTPUT
    assert outcome.mebibytes <= MEMORY
    return [code for *_, code in outcome.errors]


# ---------------------------------------------------------------- what a file holds

# the loader in Python is slow: these in `make test`, all of them in `make soak`
ODD = ("an open quote and a mebibyte", "document ends", "20,001 values", "only brackets")
READS = [("C", name) for name in HOSTILE] + [
    ("Python", name) if name in ODD else pytest.param("Python", name, marks=pytest.mark.soak)
    for name in HOSTILE
]


@pytest.fixture(scope="module")
def took(measured) -> Iterator[dict[str, dict[str, Outcome]]]:
    """Keep what each hostile text took, by loader, and tell the most of it at the end."""
    of: dict[str, dict[str, Outcome]] = {"C": {}, "Python": {}}
    yield of
    for loader, outcomes in of.items():
        if outcomes:
            slow = max(outcomes, key=lambda name: outcomes[name].seconds)
            fat = max(outcomes, key=lambda name: outcomes[name].mebibytes)
            measured(
                f"{len(outcomes)} hostile texts, loader in {loader}: at most "
                f"{outcomes[slow].seconds:.2f} s of processor time ({slow}) and "
                f"{outcomes[fat].mebibytes:.0f} MiB ({fat})"
            )


@pytest.mark.parametrize(("loader", "name"), READS)
def test_a_hostile_text_is_refused_in_little_memory(
    loader: str, name: str, reader: Reader, took, tmp_path: Path
):
    outcome = reader.read(written(tmp_path, "rules.yaml", HOSTILE[name]()), loader)
    took[loader][name] = outcome
    assert refused(outcome)


@pytest.mark.parametrize("name", LARGE)
def test_a_text_as_large_as_it_may_be_is_read_in_little_memory(
    name: str, reader: Reader, tmp_path: Path
):
    outcome = reader.read(written(tmp_path, "rules.yaml", LARGE[name]()))
    assert outcome.accepted, outcome
    assert outcome.mebibytes <= MEMORY


# ---------------------------------------------------------------- what a file is


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "rules.yaml")
    return folder / "rules.yaml"


def link(target: str) -> Callable[[Path], Path]:
    def made(folder: Path) -> Path:
        (folder / "rules.yaml").symlink_to(target)
        return folder / "rules.yaml"

    return made


def folder_of_that_name(folder: Path) -> Path:
    (folder / "rules.yaml").mkdir()
    return folder / "rules.yaml"


def links_in_a_circle(folder: Path) -> Path:
    (folder / "rules.yaml").symlink_to("other.yaml")
    (folder / "other.yaml").symlink_to("rules.yaml")
    return folder / "rules.yaml"


PLACES: dict[str, Callable[[Path], Path]] = {
    "a pipe": fifo,
    "a link to zeros": link("/dev/zero"),
    "a link to the input": link("/dev/stdin"),
    "a link to the terminal": link("/dev/tty"),
    "a link to a process": link("/proc/self/mem"),
    "a link to nothing": link("nowhere.yaml"),
    "a link to a folder": link("/"),
    "zeros": lambda _: Path("/dev/zero"),
    "the input": lambda _: Path("/dev/stdin"),
    "an open file": lambda _: Path("/dev/fd/0"),
    "a folder": folder_of_that_name,
    "links in a circle": links_in_a_circle,
    "a name too long": lambda folder: folder / ("a" * 5_000 + ".yaml"),
    "a way too long": lambda folder: folder / ("a/" * 5_000) / "rules.yaml",
    "a name with NUL": lambda folder: folder / "a\0b.yaml",
    "a folder with NUL": lambda folder: folder / "a\0b" / "rules.yaml",
    "a name that is no text": lambda folder: folder / "\udcff.yaml",
    "a name that turns round": lambda folder: folder / "\u202elmay.yaml",
    "no name": lambda _: Path(),
    "a file as a folder": lambda folder: written(folder, "a.yaml", BASE) / "rules.yaml",
    "another ending": lambda folder: written(folder, "rules.txt", BASE),
    "capital ending": lambda folder: written(folder, "rules.YAML", BASE),
}


@pytest.mark.parametrize("name", PLACES)
def test_what_is_no_rule_file_is_refused(name: str, reader: Reader, tmp_path: Path):
    assert refused(reader.read(PLACES[name](tmp_path))) == ["RG005"]


# ---------------------------------------------------------------- what a file extends

HEAVY = HEAD + "# " + "x" * (MEBIBYTE // 2) + "\n"
OUTSIDE = "RG603"
EXTENDED = {
    "../outside.yaml": OUTSIDE,
    "./../outside.yaml": OUTSIDE,
    "./below/../../outside.yaml": OUTSIDE,
    "/etc/passwd": OUTSIDE,
    "/dev/zero": OUTSIDE,
    "//outside.yaml": OUTSIDE,
    "link-out.yaml": OUTSIDE,
    "link-out/rules.yaml": OUTSIDE,
    "rules.yaml": OUTSIDE,  # itself
    "./below/../rules.yaml": OUTSIDE,
    "link-to-rules.yaml": OUTSIDE,
    "circle.yaml": OUTSIDE,
    "file:///etc/passwd": OUTSIDE,
    "https://example.org/rules.yaml": OUTSIDE,
    "..\\outside.yaml": OUTSIDE,
    "C:\\rules.yaml": OUTSIDE,
    "a\0b.yaml": OUTSIDE,
    "a" * 5_000 + ".yaml": "RG005",
    "links.yaml": OUTSIDE,
    "~/rules.yaml": "RG005",
    "$HOME/rules.yaml": "RG005",
    ".": "RG005",
    "below": "RG005",
    "below.yaml": "RG005",
    "base.yaml ": "RG005",
    "BASE.yaml": "RG005",
    "notes.txt": "RG005",
    "pipe.yaml": "RG005",
    "zeros.yaml": OUTSIDE,
    "pack:../../outside@1": "RG604",
    "pack:/etc/passwd@1": "RG604",
    "pack:feb-2026": "RG604",
    "pack:feb-2026@1/../x": "RG604",
    "pack:FEB-2026@1": "RG604",
    "pack:feb-2026_test@1": "RG604",
    "pack:@1": "RG604",
    "pack:": "RG604",
    "pack:" + "a" * 5_000 + "@1": "RG604",
}


def surroundings(folder: Path) -> Path:
    """Return a rules root with all that the entries above name beside it."""
    root = folder / "root"
    (root / "below.yaml").mkdir(parents=True)
    (root / "below").mkdir()
    written(folder, "outside.yaml", BASE)
    written(root, "base.yaml", BASE)
    written(root, "notes.txt", BASE)
    written(root, "circle.yaml", f"{HEAD}extends: [rules.yaml]\n")
    (root / "link-out.yaml").symlink_to("../outside.yaml")
    (root / "link-out").symlink_to("..")
    (root / "link-to-rules.yaml").symlink_to("rules.yaml")
    (root / "links.yaml").symlink_to("links.yaml")
    (root / "zeros.yaml").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.yaml")
    return root


@pytest.mark.parametrize("entry", EXTENDED, ids=lambda entry: repr(entry[:40]))
def test_what_may_not_be_extended_is_refused(entry: str, reader: Reader, tmp_path: Path):
    root = surroundings(tmp_path)
    said = f"{HEAD}extends: [{json.dumps(entry)}]\nrules: {{}}\n"
    assert refused(reader.read(written(root, "rules.yaml", said))) == [EXTENDED[entry]]


def extending(folder: Path, count: int, *, chain: bool, content: str = HEAD) -> Path:
    """Write files that one extends all at once or one after another, and return it."""
    names = [f"f{number}.yaml" for number in range(count)]
    for number, name in enumerate(names):
        onward = f"extends: [{names[number + 1]}]\n" if chain and number + 1 < count else ""
        written(folder, name, content + onward)
    first = names[0] if chain else ", ".join(names)
    return written(folder, "rules.yaml", f"{HEAD}extends: [{first}]\n{BASE.removeprefix(HEAD)}")


def test_as_many_files_as_may_be_extended_are_and_no_more(reader: Reader, tmp_path: Path):
    for count, chain, code in (
        (64, False, ""),
        (65, False, "RG001"),
        (8, True, ""),
        (9, True, OUTSIDE),
    ):
        folder = tmp_path / f"{count}{chain}"
        folder.mkdir()
        outcome = reader.read(extending(folder, count, chain=chain))
        assert outcome.accepted == (not code), outcome
        assert not code or refused(outcome) == [code]


def test_files_too_large_together_are_refused(reader: Reader, tmp_path: Path):
    assert refused(reader.read(extending(tmp_path, 3, chain=False, content=HEAVY))) == ["RG001"]


# ---------------------------------------------------------------- what happens meanwhile


def test_a_file_replaced_while_it_is_read_is_the_one_or_the_other(tmp_path: Path):
    path = written(tmp_path, "rules.yaml", BASE)
    other = BASE.replace("close < 1", "close < 2") + "#" * 500_000 + "\n"
    meant = {read_text(text, "rules.yaml")[0].hash for text in (BASE, other)}
    done = threading.Event()

    def replacing() -> None:
        while not done.is_set():
            for text in (other, BASE):
                written(tmp_path, "next.yaml", text).replace(path)

    writer = threading.Thread(target=replacing, daemon=True)
    writer.start()
    seen = {load_rules(path).hash for _ in range(200)}
    done.set()
    writer.join()
    assert seen <= meant


def test_a_file_that_grows_is_read_no_further_than_it_may(tmp_path: Path):
    path = written(tmp_path, "rules.yaml", BASE)
    done = threading.Event()

    def growing() -> None:
        with path.open("ab") as stream:
            while not done.is_set() and stream.tell() < 64 * MEBIBYTE:
                stream.write(b"#" * 65_536)
                stream.flush()

    writer = threading.Thread(target=growing, daemon=True)
    writer.start()
    while path.stat().st_size <= MEBIBYTE:
        read_rules(path)
    rules, found = read_rules(path)
    done.set()
    writer.join()
    assert rules is None
    assert [one.code for one in found] == ["RG001"]

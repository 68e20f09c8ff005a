from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from riskguard._version import VERSION

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(
    path for room in ("riskguard", "strategies") for path in (ROOT / room).rglob("*.py")
)
EVERYTHING = sorted(
    {*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")}
)
NAMES = re.compile(r"(Manager|Handler)$|^(process|get)_")
# what Backtrader calls by these names we have to call so too
IMPOSED = {"get_candles_config", "get_notification", "get_orders_open", "get_value"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    wanted = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, wanted)]


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its signature and docstring."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", EVERYTHING, ids=name)
def test_no_file_is_longer_than_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_function_is_longer_than_40_lines(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    long = {node.name: body_lines(node) for node in functions(tree) if body_lines(node) > 40}
    assert not long


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_names_follow_the_house(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = [node.name for node in ast.walk(tree) if isinstance(node, kinds)]
    assert not [word for word in found if NAMES.search(word) and word not in IMPOSED]
    assert path.stem not in {"utils", "helpers", "common", "misc"}


@pytest.mark.parametrize("path", [path for path in SOURCES if path.stem == "__init__"], ids=name)
def test_a_face_lists_its_names_and_defines_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
    defined = [node.name for node in tree.body if isinstance(node, kinds)]
    # a lazy face needs one function: PEP 562
    assert set(defined) <= {"__getattr__", "__dir__"}


def exported(path: Path) -> list[str] | None:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            return ast.literal_eval(node.value)
    return None


@pytest.mark.parametrize("path", [p for p in SOURCES if exported(p) is not None], ids=name)
def test_all_names_are_given_once_and_constants_come_first(path: Path) -> None:
    names = exported(path) or []
    assert len(names) == len(set(names))
    # constants, then classes, then functions, each by name: the order ruff keeps
    assert names == sorted(names, key=lambda word: (not word.isupper(), not word[0].isupper()))


def test_no_module_of_the_package_has_the_name_of_a_test_file() -> None:
    taken = [one for one in (ROOT / "riskguard").rglob("*.py") if one.name.startswith("test_")]
    assert taken == []


def test_every_ignore_of_ruff_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.pydocstyle]")]
    codes = re.findall(r'^\s*"[A-Z]+[0-9]*",(.*)$', section, flags=re.MULTILINE)
    assert codes
    assert all(re.match(r"\s*# \S+ \S+", rest) for rest in codes if '"ALL"' not in rest)


def test_every_suppression_in_code_has_its_reason() -> None:
    bare = re.compile(r"#\s*(noqa: [A-Z0-9, ]+|type: ignore\[[a-z-, ]+\])\s*$", re.MULTILINE)
    found = [name(path) for path in SOURCES if bare.search(path.read_text(encoding="utf-8"))]
    assert not found


def test_base_dependencies_are_three() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {re.split(r"[<>=\[]", text)[0] for text in project["dependencies"]}
    assert named == {"pyyaml", "typer", "rich"}


def test_the_changelog_knows_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[?(Unreleased|{re.escape(VERSION)})", text, flags=re.MULTILINE)

"""`--report FILE`: which files are written, and which are refused before anything is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskguard.cli.failures import WrongUse
from riskguard.cli.pages import page_targets


def test_one_run_writes_a_page_a_text_and_a_picture(riskguard, tmp_path: Path) -> None:
    files = [tmp_path / f"report.{kind}" for kind in ("html", "md", "png")]
    asked = [word for file in files for word in ("--report", file)]
    code, out, err = riskguard("backtest", *asked)
    assert (code, err) == (0, "")
    assert out.splitlines()[-3:] == [f"page: {file}" for file in files]
    page, text, picture = files
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>\n<!-- riskguard/report-1")
    assert "# NOT SHOWN: mechanics only, in-sample" in text.read_text(encoding="utf-8")
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")
    # a former report may be replaced, even in the folder of the data
    for file in files:
        assert page_targets([str(file)], None, [tmp_path]) == (file,)


def test_quiet_says_nothing_of_pages_and_json_alone_stays_json(riskguard, tmp_path: Path) -> None:
    code, out, _ = riskguard("backtest", "--quiet", "--report", tmp_path / "r.md")
    assert (code, out) == (0, "NOT SHOWN: mechanics only, in-sample\n")
    code, out, _ = riskguard("backtest", "--json", "-", "--report", tmp_path / "s.md")
    assert (code, out[0], out[-2:]) == (0, "{", "}\n")
    assert (tmp_path / "r.md").read_text() == (tmp_path / "s.md").read_text()


@pytest.mark.parametrize("name", ["report", "report.pdf", "-", "report.html.gz"])
def test_a_name_that_says_no_form_is_refused(riskguard, tmp_path: Path, name: str) -> None:
    code, out, err = riskguard("backtest", "--report", name)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: --report {name} is no page, text or picture\n")
    assert "= help: write the path of a file that ends in .html, .md or .png: report.html" in err


def test_each_report_needs_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    with pytest.raises(WrongUse, match="is written already, by --report"):
        page_targets([str(path), str(tmp_path / "." / "report.md")], None, [])
    with pytest.raises(WrongUse, match="is written already, by --json"):
        page_targets([str(path)], path, [])


def test_an_input_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("what I know of this data")
    with pytest.raises(WrongUse, match="would replace what is read"):
        page_targets([str(notes)], None, [tmp_path])
    with pytest.raises(WrongUse, match="lies in a folder that does not exist"):
        page_targets([str(tmp_path / "no" / "report.html")], None, [])


def test_one_page_shows_one_strategy(riskguard, tmp_path: Path) -> None:
    code, _, err = riskguard("backtest", "--strategy", "all", "--report", tmp_path / "r.html")
    assert code == 2
    assert "--report shows one strategy\n  = help: write --strategy NAME beside it" in err
    assert not list(tmp_path.iterdir())


def test_a_picture_without_matplotlib_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskguard.cli.pages.find_spec", lambda _name: None)
    with pytest.raises(WrongUse, match="needs matplotlib") as refused:
        page_targets([str(tmp_path / "r.png")], None, [])
    assert 'install "riskguard[backtest]"' in refused.value.fix
    assert page_targets([str(tmp_path / "r.html")], None, [])

from __future__ import annotations

from pathlib import Path

import pytest

from riskguard.cli.writing import write_all


def test_several_files_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("old")
    with pytest.raises(OSError, match="missing"):
        write_all({tmp_path / "one": "new", tmp_path / "missing" / "two": "new"})
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert (tmp_path / "one").read_text() == "old"
    write_all({tmp_path / "one": "new", tmp_path / "two": "new"})
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["new", "new"]


def test_new_files_take_no_place_that_another_took_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "two").write_text("theirs")
    with pytest.raises(FileExistsError):
        write_all({tmp_path / "one": "new", tmp_path / "two": "new"}, fresh=True)
    assert [path.name for path in tmp_path.iterdir()] == ["two"]
    assert (tmp_path / "two").read_text() == "theirs"
    write_all({tmp_path / "one": "new", tmp_path / "three": "new"}, fresh=True)
    assert (tmp_path / "one").read_text() == "new"

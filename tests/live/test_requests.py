"""Requests of an operator: found whole or not at all, answered once, and nothing harmful read."""

from __future__ import annotations

import json
import os
import resource
import threading
from pathlib import Path

import pytest

from riskguard.live.requests import answered, asked, leave, pending


def test_a_request_is_found_answered_and_gone(tmp_path) -> None:
    path = leave(tmp_path, {"do": "halt", "note": "exchange is odd"})
    leave(tmp_path, {"do": "resume"})
    (first, told), (_, second) = pending(tmp_path)
    assert (first, told, second) == (
        path,
        {"do": "halt", "note": "exchange is odd"},
        {"do": "resume"},
    )
    assert asked(path, 0.0) is None
    answered(path, "no such rule")
    assert asked(path, 0.0) == "no such rule"
    assert [told for _, told in pending(tmp_path)] == [{"do": "resume"}]


def test_whoever_asked_waits_for_the_answer(tmp_path) -> None:
    path = leave(tmp_path, {"do": "halt"})
    later = threading.Timer(0.2, answered, (path, ""))
    later.start()
    assert asked(path, 10.0) == ""
    later.join()


def test_what_is_no_request_is_told_and_harms_nothing(tmp_path) -> None:
    assert list(pending(tmp_path)) == []
    folder = tmp_path / "requests"
    folder.mkdir()
    (folder / "1.json").write_text('{"do": ')
    (folder / "2.json").write_text("[" * 50_000)
    (folder / "3.json").write_text(json.dumps([1]))
    (folder / "4.json").write_bytes(b"\xff\xfe{}")
    (folder / "5.json").write_text(json.dumps({"do": "x" * 70_000}))
    (folder / "6.json").symlink_to("/dev/zero")
    os.mkfifo(folder / "7.json")
    (folder / "8.json").mkdir()
    (folder / "9.tmp").write_text("{}")
    found = list(pending(tmp_path))
    assert len(found) == 8
    assert all(isinstance(told, str) for _, told in found)


def test_a_disk_that_is_full_keeps_no_half_of_a_request(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            leave(tmp_path, {"do": "halt", "note": "the exchange is odd"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((tmp_path / "requests").iterdir()) == []

"""What a terminal lacks is reported once, in words; only a terminal that cannot draw is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config.terminal import lacks, not_shown_before, refusal

GOOD = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


def test_a_good_terminal_lacks_nothing() -> None:
    assert lacks(GOOD, "UTF-8") == {}
    assert refusal(GOOD) == ""


@pytest.mark.parametrize(
    ("env", "encoding", "missing"),
    [
        (GOOD, "ANSI_X3.4-1968", {"unicode"}),
        (GOOD, None, {"unicode"}),
        (GOOD, "no such thing", {"unicode"}),
        ({"TERM": "xterm-256color"}, "utf-8", {"colours"}),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "utf-8", set()),
        ({"TERM": "xterm-direct"}, "utf-8", set()),
        ({"TERM": "linux"}, "utf-8", {"colours", "mouse"}),
        ({"TERM": "vt220"}, "utf-8", {"colours", "mouse"}),
        ({}, "latin-1", {"unicode", "colours"}),
    ],
)
def test_what_is_missing_is_reported(env: dict[str, str], encoding: str | None, missing: set[str]) -> None:
    assert set(lacks(env, encoding)) == missing


def test_on_a_terminal_that_cannot_draw_the_error_names_one_that_can() -> None:
    assert "swarmtop run works here" in refusal({"TERM": "dumb"})


def test_each_lack_is_reported_once(tmp_path: Path) -> None:
    note = tmp_path / "deep" / "told"
    assert not_shown_before({"mouse": "No mouse."}, note) == ["No mouse."]
    assert not_shown_before({"mouse": "No mouse.", "colours": "Few."}, note) == ["Few."]
    assert not_shown_before({"mouse": "No mouse.", "colours": "Few."}, note) == []
    (tmp_path / "file").write_text("")
    for _ in range(2):
        assert not_shown_before({"mouse": "No mouse."}, tmp_path / "file" / "told") == ["No mouse."]

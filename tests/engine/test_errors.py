"""Text from outside in the sentence of an error is made harmless."""

from __future__ import annotations

import pytest

from engine import plain


@pytest.mark.parametrize("mark", ["\n", "\r", "\t", "\u2028", "\u2029"])
def test_a_line_break_becomes_a_blank(mark: str) -> None:
    assert plain(f"kill{mark}all") == "kill all"


@pytest.mark.parametrize("mark", ["\x1b", "\x00", "\x85", "\u202e", "\u200b", "\ud800"])
def test_control_characters_and_marks_of_direction_are_left_out(mark: str) -> None:
    assert plain(f"kill{mark}all") == "killall"


def test_a_long_text_is_cut() -> None:
    assert plain("x" * 500) == "x" * 119 + "…"

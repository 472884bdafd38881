"""Text from outside in a sentence of ours: it is data, whatever it holds."""

from __future__ import annotations

import pytest

from engine import plain


@pytest.mark.parametrize("mark", ["\n", "\r", "\t", "\u2028", "\u2029"])
def test_what_breaks_a_line_becomes_a_blank(mark: str) -> None:
    assert plain(f"kill{mark}all") == "kill all"


@pytest.mark.parametrize("mark", ["\x1b", "\x00", "\x85", "\u202e", "\u200b", "\ud800"])
def test_what_steers_a_terminal_or_turns_the_reading_is_left_out(mark: str) -> None:
    assert plain(f"kill{mark}all") == "killall"


def test_a_long_text_is_cut() -> None:
    assert plain("x" * 500) == "x" * 119 + "…"

"""A scroll bar for terminals with letters only: it moves by whole cells, where Textual's ends in eighths of one."""

from __future__ import annotations

from textual.scrollbar import ScrollBarRender


class LetterBar(ScrollBarRender):
    """Blanks on a ground: nothing in it needs a glyph."""

    VERTICAL_BARS = [" "]
    HORIZONTAL_BARS = [" "]

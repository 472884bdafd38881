"""What a person reads or chooses from in a dialog: Textual's text that scrolls, and its list, with keys of our table.

Textual's own have bindings without ids, which nobody could remap.
"""

from __future__ import annotations

from textual.containers import VerticalScroll

from tui.config.keys_inside import SCROLLING, within
from tui.textual_compat import SteadyOptions


class Reading(VerticalScroll, inherit_bindings=False):
    """A text that scrolls."""

    BINDINGS = within(SCROLLING)


class Choices(SteadyOptions, inherit_bindings=False):
    """Lines to choose one from."""

    BINDINGS = within(
        {
            "list.up": "cursor_up",
            "list.down": "cursor_down",
            "list.far_up": "page_up",
            "list.far_down": "page_down",
            "list.first": "first",
            "list.last": "last",
            "list.choose": "select",
        }
    )

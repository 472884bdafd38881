"""The one table of everything that a person can do on the dashboard.

Its rows are beside the functions that they run. Bindings, key bar, menu, palette, help, README and the keymap are made
from it.
"""

from __future__ import annotations

from tui.config.keys import INSIDE, Key, grouped
from tui.screens.main import Action

from . import asks, peers, program, run, time, view

ACTIONS: tuple[Action, ...] = (
    *peers.ACTIONS,
    *asks.ACTIONS,
    *time.ACTIONS,
    *view.ACTIONS,
    *run.ACTIONS,
    *program.ACTIONS,
)
ALL: tuple[Key, ...] = (*ACTIONS, *INSIDE)
"""The table, and the keys that work only inside panels and dialogs."""
IDS = frozenset(key.id for key in ALL)


def key_table() -> list[tuple[str, str]]:
    """(keys, what they do) in the order of the table, neighbours of one meaning on one line: for README and help."""
    return [(keys, tip) for _, keys, tip in grouped(ACTIONS)]

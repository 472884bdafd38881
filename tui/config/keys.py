"""Keys: what a row of the table of keys is, the keys inside panels and dialogs, and how a widget finds its keys.

What can be done on the dashboard stands in `tui/actions/`, each with its key. Widgets do not know that table: they name
a key by its id (`{peer.menu}` in a sentence, an id in `within`), and the app has the table with this person's keys in
it (`app.keys_now`, see `keymap.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from textual.binding import Binding, BindingType

Home = Literal["main", "app", "inside"]
GROUPS: tuple[str, ...] = ("Peer", "Ask", "Time", "Picture", "Run", "Program", "Inside a panel")
NOTHING = "nothing"
"""A key that no keyboard has. What is bound to it has no key: Textual binds no empty text."""


@dataclass(frozen=True, slots=True)
class Key:
    """One row. `id` is what a keymap remaps; `keys` are Textual's names, separated by commas, empty for none; `shown`
    is what a person reads; `label` is two or three words, `tip` a sentence; `rank` says how soon the key bar drops it
    when the line is short (1 stays longest, 0 is never on it); `home` is who holds the binding: the dashboard, the
    app, or each panel and dialog that has a use for it."""

    id: str
    keys: str
    shown: str
    label: str
    group: str
    tip: str
    rank: int = 0
    home: Home = "main"

    @property
    def action(self) -> str:
        """The action of Textual that does it; the screen and the app have the same one."""
        return f"do('{self.id}')"


SHARED = {"peer.menu": "backslash", "app.help": "question_mark", "app.quit": "q", "app.theme": "t"}
"""Keys of the dashboard that a menu, a list or a dialog has too. Their rows take them from here."""

# Keys inside a panel or a dialog: in lists, on sliders, where one types.
#
# One id serves every place that is alike: whoever wants `j` to go down has it in menus, tables and pickers by one line.
# What a dialog shares with the dashboard it shares by the dashboard's id: `?` closes help because it is `app.help`.
#
# A key is looked for from the focus outwards, so inside a panel these go before the keys of the dashboard. Editing
# within a line of text, and enter at its end, stay as Textual has them in any field.

INSIDE: tuple[Key, ...] = tuple(
    Key(id_, keys, shown, "", GROUPS[-1], tip, home="inside")
    for id_, keys, shown, tip in (
        ("list.up", "up", "↑", "In lists, tables, menus and texts: a line up."),
        ("list.down", "down", "↓", "In lists, tables, menus and texts: a line down."),
        ("list.far_up", "pageup", "pgup", "In lists, tables and texts: a page up."),
        ("list.far_down", "pagedown", "pgdn", "In lists, tables and texts: a page down."),
        ("list.first", "home", "home", "In lists, tables and texts: to the first line."),
        ("list.last", "end", "end", "In lists, tables and texts: to the last line."),
        ("list.left", "left", "←", "In tables, the feed and the inspector: the column, kind or branch to the left."),
        ("list.right", "right", "→", "In tables, the feed and the inspector: the column, kind or branch to the right."),
        ("list.choose", "enter", "enter", "In lists, menus and the attack panel: choose the highlighted line."),
        ("list.leave", "escape", "esc", "In lists, menus, help and jump: close, with nothing changed."),
        ("picker.other", "tab,right,left", "tab", "In the picker: networks, or scenarios."),
        ("peers.mark_up", "shift+up", "shift+↑", "In the table of peers: mark upwards."),
        ("peers.mark_down", "shift+down", "shift+↓", "In the table of peers: mark downwards."),
        ("peers.mark_all", "ctrl+a", "^a", "In the table of peers: mark all that are shown."),
        ("peers.sort_left", "less_than_sign", "<", "In the table of peers: sort by the column to the left."),
        ("peers.sort_right", "greater_than_sign", ">", "In the table of peers: sort by the column to the right."),
        ("peers.invert", "I", "I", "In the table of peers: reverse the sort."),
        (
            "attack.undo",
            "backspace",
            "backspace",
            "In the attack panel: call off the attack that is under way, or undo the last one.",
        ),
        ("dial.less", "left,minus", "←", "On sliders and dials: less."),
        ("dial.more", "right,plus,equals_sign", "→", "On sliders and dials: more."),
        ("dial.least", "home", "home", "On sliders: the least."),
        ("dial.most", "end", "end", "On sliders: the most."),
        ("button.press", "enter,space", "enter", "On buttons, and in menus: press it."),
        ("field.leave", "escape", "esc", "Where one types: leave; in a question, empty the line first."),
        ("field.before", "up", "↑", "Where one types: the suggestion, or the text typed earlier, before."),
        ("field.after", "down", "↓", "Where one types: the suggestion, or the text typed earlier, after."),
        ("field.complete", "tab", "tab", "Where one types a selector: accept the suggestion."),
        ("theme.after", "n", "n", "In the list of themes: the next one."),
        ("theme.before", "p", "p", "In the list of themes: the one before."),
        ("help.tour", "t", "t", "In help: take the tour again."),
        ("jump.erase", "backspace", "backspace", "While jumping: erase the letter that was typed."),
    )
)
WRITTEN = re.compile(r"\{([a-z]+\.[a-z0-9_]+)\}")
EVERYWHERE = frozenset({"app.suspend"})
"""What counts in dialogs and while one types, too."""


def bindings(table: Sequence[Key], home: Home) -> list[Binding]:
    """What a screen or the app puts into its BINDINGS."""
    from textual.binding import Binding  # reading a configuration needs no Textual

    return [
        Binding(
            *(key.keys or NOTHING, key.action, key.label),
            show=key.rank > 0,
            tooltip=key.tip,
            id=key.id,
            priority=key.id in EVERYWHERE,
        )
        for key in table
        if key.home == home
    ]


def grouped(table: Sequence[Key]) -> list[tuple[str, str, str]]:
    """(group, keys, what they do), neighbours of one meaning together; what has no key is left to the palette."""
    lines: list[tuple[str, str, str]] = []
    for key in table:
        if not key.shown:
            continue
        if lines and lines[-1][2] == key.tip:
            lines[-1] = (key.group, f"{lines[-1][1]} {key.shown}", key.tip)
        else:
            lines.append((key.group, key.shown, key.tip))
    return lines


def _row(app: object, id_: str) -> Key | None:
    """A row of the app's table, by its id."""
    return next((key for key in getattr(app, "keys_now", INSIDE) if key.id == id_), None)


def key_for(app: object, id_: str) -> str:
    """What to press for something in this app, as a person reads it; without a key, the palette's and its name."""
    key = _row(app, id_)
    if key is None or (not key.shown and key.home == "inside"):
        return "–"
    palette = _row(app, "app.palette")
    return key.shown or f"{palette.shown if palette is not None else ''} {key.label}".lstrip()


def pressed(app: object, id_: str, key: str) -> bool:
    """Whether a key, as Textual names it, is one of those that do something in this app."""
    row = _row(app, id_)
    return row is not None and key in row.keys.split(",")


def keyed(app: object, text: str) -> str:
    """A sentence with each `{id}` of the table replaced by what to press for it: a key that was remapped is told so."""
    return WRITTEN.sub(lambda found: key_for(app, found[1]) if _row(app, found[1]) is not None else found[0], text)


_KEYS = {key.id: key.keys for key in INSIDE} | SHARED


def within(actions: Mapping[str, str], *, priority: bool = False) -> list[BindingType]:
    """The BINDINGS of a widget that has these actions, by the ids of their keys. `priority`: before the child that has
    the focus."""
    from textual.binding import Binding  # reading a configuration needs no Textual

    return [
        Binding(_KEYS[id_], action, id_.partition(".")[2].replace("_", " "), show=False, priority=priority, id=id_)
        for id_, action in actions.items()
    ]


SCROLLING = {
    "list.up": "scroll_up",
    "list.down": "scroll_down",
    "list.far_up": "page_up",
    "list.far_down": "page_down",
    "list.first": "scroll_home",
    "list.last": "scroll_end",
}
"""What whatever scrolls does with the keys of lists, unless it has something better to do with them."""

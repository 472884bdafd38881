"""Keys: what a row of the table of keys is, the keys inside panels and dialogs, and how a widget finds its keys.

The actions of the dashboard are in `tui/actions/`, each with its key. Widgets do not import that table: they name a key
by its id (`{peer.menu}` in a sentence, an id in `within`), and the app has the table with the person's own keys
(`app.keys_by_id`, see `keymap.py`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from engine import dataclass

if TYPE_CHECKING:
    from textual.binding import Binding, BindingType

Home = Literal["main", "app", "inside"]
GROUPS: tuple[str, ...] = ("Peer", "Ask", "Time", "Picture", "Run", "Program", "Inside a panel")
NOTHING = "nothing"
"""The name of a key that does not exist, for actions without a key: Textual does not accept an empty name."""


@dataclass(frozen=True, slots=True)
class Key:
    """One row. `id` is the name in a keymap; `keys` are Textual's names, separated by commas, empty for none; `label`
    is two or three words, `tip` a sentence; `rank`: when the line is short, the key bar leaves out the highest ranks
    first (0 is never on it); `home` has the binding: the dashboard, the app, or each panel and dialog that uses it;
    `synonyms` are other words to find it by, separated by commas."""

    id: str
    keys: str
    label: str
    group: str
    tip: str
    rank: int = 0
    home: Home = "main"
    synonyms: str = field(default="", kw_only=True)

    @property
    def shown(self) -> str:
        """The first of its keys as a person reads it: `^k`, `?`, `shift+↑`; empty for none."""
        return shown_as(self.keys.partition(",")[0])

    @property
    def action(self) -> str:
        """The Textual action that runs it; the screen and the app have the same one."""
        return f"do('{self.id}')"

    @property
    def listed(self) -> str:
        """What it does, for lists of keys: the tip, after the label if that has none of its words, so that a search
        finds it by both."""
        words = [word for word in self.label.lower().split() if len(word) > 3]
        named = not words or any(word in self.tip.lower() for word in words)
        return self.tip if named else f"{self.label[:1].upper()}{self.label[1:]}. {self.tip}"


FUNCTION = re.compile(r"f\d+")


@functools.cache
def shown_as(key: str) -> str:
    """A key as a person reads it; see `Key.shown`."""
    from textual.keys import format_key  # reading a configuration needs no Textual

    if not key:
        return ""
    *modifiers, last = key.split("+")
    end = last if last in ("enter", "backspace") else last.upper() if FUNCTION.fullmatch(last) else format_key(last)
    return "^" + end if modifiers == ["ctrl"] else "+".join([*modifiers, end])


SHARED = {"peer.menu": "backslash", "app.help": "question_mark", "app.quit": "q", "app.theme": "t"}
"""Keys of the dashboard that menus, lists or dialogs use too. Their rows take them from here."""

# Keys inside a panel or a dialog: in lists, on sliders, in text fields.
#
# One id is used in all places of the same kind: one line of a keymap makes `j` go down in menus, tables and pickers.
# Where a dialog has a key of the dashboard it uses the dashboard's id: `?` closes help because it is `app.help`.
#
# Textual looks for a key's binding from the focused widget outwards, so inside a panel these come before the keys of
# the dashboard. Editing within a line of text, and enter at its end, are Textual's own.

INSIDE: tuple[Key, ...] = tuple(
    Key(id_, keys, "", GROUPS[-1], tip, home="inside")
    for id_, keys, tip in (
        ("list.up", "up", "In lists, tables, menus and texts: a line up."),
        ("list.down", "down", "In lists, tables, menus and texts: a line down."),
        ("list.far_up", "pageup", "In lists, tables and texts: a page up."),
        ("list.far_down", "pagedown", "In lists, tables and texts: a page down."),
        ("list.first", "home", "In lists, tables and texts: to the first line."),
        ("list.last", "end", "In lists, tables and texts: to the last line."),
        ("list.left", "left", "In tables, the feed and the inspector: the column, kind or tab to the left."),
        ("list.right", "right", "In tables, the feed and the inspector: the column, kind or tab to the right."),
        ("list.choose", "enter", "In lists, menus and the attack panel: choose the highlighted line."),
        ("list.leave", "escape", "In lists, menus, help and jump mode: close, with nothing changed."),
        ("picker.other", "tab,right,left", "In the picker: networks, or scenarios."),
        ("peers.mark_up", "shift+up", "In the table of peers: mark upwards."),
        ("peers.mark_down", "shift+down", "In the table of peers: mark downwards."),
        ("peers.mark_all", "ctrl+a", "In the table of peers: mark all that are shown."),
        ("peers.sort_left", "less_than_sign", "In the table of peers: sort by the column to the left."),
        ("peers.sort_right", "greater_than_sign", "In the table of peers: sort by the column to the right."),
        ("peers.invert", "I", "In the table of peers: reverse the sort."),
        (
            "attack.undo",
            "backspace",
            "In the attack panel: cancel the attack that is under way, or undo the last one.",
        ),
        ("option.erase", "backspace,delete", "In the options: erase a digit, or go back to the default."),
        ("option.restart", "R", "In the options: begin the same seed anew with these values."),
        ("option.again", "ctrl+r", "In the options: begin anew with these values, and do what you did again."),
        ("dial.less", "left,minus", "On sliders: a lower value."),
        ("dial.more", "right,plus,equals_sign", "On sliders: a higher value."),
        ("dial.least", "home", "On sliders: the lowest value."),
        ("dial.most", "end", "On sliders: the highest value."),
        ("button.press", "enter,space", "On buttons: press the button. In menus: choose the line."),
        ("field.leave", "escape", "In a text field: leave it; in the ask bar, empty the field first."),
        ("field.before", "up", "In a text field: the previous suggestion, or the text typed earlier."),
        ("field.after", "down", "In a text field: the next suggestion, or the text typed later."),
        ("field.complete", "tab", "In the ask bar, and in a field for a selector: accept the suggestion."),
        ("field.goal", "ctrl+g", "In the ask bar: the next goal, where a network has several (find, fetch)."),
        ("theme.after", "tab", "In the list of themes: the next one."),
        ("theme.before", "shift+tab", "In the list of themes: the previous one."),
        ("help.tour", "t", "In help: start the tour again."),
        ("help.search", "slash", "In help: search; only lines with the typed words are shown."),
        ("jump.erase", "backspace", "In jump mode: erase the typed letter."),
    )
)
INSIDE_BY_ID: Mapping[str, Key] = {key.id: key for key in INSIDE}
WRITTEN = re.compile(r"\{([a-z]+\.[a-z0-9_]+)\}")
EVERYWHERE = frozenset({"app.suspend"})
"""Also in dialogs and text fields."""


def bindings(table: Sequence[Key], home: Home) -> list[Binding]:
    """The BINDINGS of a screen or the app."""
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
    """(group, keys, what they do); neighbours with the same text are one entry; actions without a key are left out."""
    lines: list[tuple[str, str, str]] = []
    for key in table:
        if not key.shown:
            continue
        if lines and lines[-1][2] == key.listed:
            lines[-1] = (key.group, f"{lines[-1][1]} {key.shown}", key.listed)
        else:
            lines.append((key.group, key.shown, key.listed))
    return lines


def _row(app: object, id_: str) -> Key | None:
    """A row of the app's table, by its id."""
    rows: Mapping[str, Key] = getattr(app, "keys_by_id", INSIDE_BY_ID)
    return rows.get(id_)


def key_for(app: object, id_: str) -> str:
    """What to press for an action in this app, as the screen shows it; for one without a key, the palette's key and its
    name."""
    key = _row(app, id_)
    if key is None or (not key.shown and key.home == "inside"):
        return "–"
    palette = _row(app, "app.palette")
    return key.shown or f"{palette.shown if palette is not None else ''} {key.label}".lstrip()


def pressed(app: object, id_: str, key: str) -> bool:
    """Whether a key, as Textual names it, does something in this app."""
    row = _row(app, id_)
    return row is not None and key in row.keys.split(",")


def keyed(app: object, text: str) -> str:
    """A sentence with each `{id}` of the table replaced by what to press for it, with the person's own keys."""
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
"""The keys of lists for widgets that scroll and have no other use for them."""


def shown_together(keys: Sequence[str]) -> str:
    """Several keys as a person reads them: `←→`, `shift+↑↓`, `pgup pgdn`."""
    before = keys[0][:-1]
    if all(key[:-1] == before and (not before or before.endswith("+")) for key in keys):
        return before + "".join(key[-1] for key in keys)
    return " ".join(keys)

"""Keys that count inside a panel or a dialog only: in lists, on sliders, where one types.

One id serves every place that is alike: whoever wants `j` to go down has it in menus, tables and pickers by one line.
What a dialog shares with the dashboard it shares by the dashboard's id: `?` puts help away because it is `app.help`.

A key is looked for from the focus outwards, so inside a panel these go before the keys of the dashboard. Editing within
a line of text, and enter at its end, stay as Textual has them in any field.
"""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import Binding, BindingType

INSIDE: tuple[tuple[str, str, str, str], ...] = (
    ("list.up", "up", "↑", "In lists, tables, menus and texts: a line up."),
    ("list.down", "down", "↓", "In lists, tables, menus and texts: a line down."),
    ("list.far_up", "pageup", "pgup", "In lists, tables and texts: a page up."),
    ("list.far_down", "pagedown", "pgdn", "In lists, tables and texts: a page down."),
    ("list.first", "home", "home", "In lists, tables and texts: to the first line."),
    ("list.last", "end", "end", "In lists, tables and texts: to the last line."),
    ("list.left", "left", "←", "In tables, the feed and the inspector: the column, kind or leaf to the left."),
    ("list.right", "right", "→", "In tables, the feed and the inspector: the column, kind or leaf to the right."),
    ("list.choose", "enter", "enter", "In lists, menus and the attack panel: take the lit line, or do it."),
    ("list.leave", "escape", "esc", "In lists, menus, help and jump: put it away, with nothing changed."),
    ("picker.other", "tab,right,left", "tab", "In the picker: networks, or scenarios."),
    ("peers.mark_up", "shift+up", "shift+↑", "In the table of peers: mark upwards."),
    ("peers.mark_down", "shift+down", "shift+↓", "In the table of peers: mark downwards."),
    ("peers.mark_all", "ctrl+a", "^a", "In the table of peers: mark all that are shown."),
    ("peers.sort_left", "less_than_sign", "<", "In the table of peers: sort by the column to the left."),
    ("peers.sort_right", "greater_than_sign", ">", "In the table of peers: sort by the column to the right."),
    ("peers.invert", "I", "I", "In the table of peers: the other way round."),
    ("attack.undo", "backspace", "backspace", "In the attack panel: call off what goes on, or take the last one back."),
    ("dial.less", "left,minus", "←", "On sliders and dials: less."),
    ("dial.more", "right,plus,equals_sign", "→", "On sliders and dials: more."),
    ("dial.least", "home", "home", "On sliders: the least."),
    ("dial.most", "end", "end", "On sliders: the most."),
    ("button.press", "enter,space", "enter", "On buttons, and in menus: press it."),
    ("field.leave", "escape", "esc", "Where one types: leave; in a question, empty the line first."),
    ("field.before", "up", "↑", "Where one types: the offer, or what was asked, before."),
    ("field.after", "down", "↓", "Where one types: the offer, or what was asked, after."),
    ("field.complete", "tab", "tab", "Where one types a selector: take the offer."),
    ("theme.after", "n", "n", "In the list of themes: the next one."),
    ("theme.before", "p", "p", "In the list of themes: the one before."),
    ("help.tour", "t", "t", "In help: take the tour once more."),
    ("jump.erase", "backspace", "backspace", "While jumping: forget the letter that was typed."),
)
"""(id, keys as Textual names them, what a person reads, what it does)."""

_KEYS = {id_: keys for id_, keys, _, _ in INSIDE}


def within(actions: Mapping[str, str], *, priority: bool = False) -> list[BindingType]:
    """The BINDINGS of a widget that has these actions, by the ids of their keys; those of the dashboard's table may be
    among them. `priority`: before the child that has the focus."""
    from .keys import TABLE

    keys = _KEYS | {key.id: key.keys for key in TABLE}
    return [
        Binding(keys[id_], action, id_.partition(".")[2].replace("_", " "), show=False, priority=priority, id=id_)
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

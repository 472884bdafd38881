"""Every key in one table: it feeds the bindings, the key bar, the help screen, the palette and the README.

Two letters were wanted twice in the first sketch: `l` as "right" of hjkl and as "leave". Arrows exist on every
keyboard that can type `swarmtop`, so arrows alone select, `l` leaves, `j` jumps and `h` convenes a court (a hearing).
A letter that moves in other programs must not destroy in this one: leave and court are undone by the same key.

What stands here is how the keys are as delivered; `keymap.py` lays a person's own over it, by `id`.

All verbs toggle: the same key undoes what it did (x kills, x revives).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

Home = Literal["main", "app", "inside"]
GROUPS: tuple[str, ...] = ("Peer", "Ask", "Time", "Picture", "Run", "Program", "Inside a panel")


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the table.

    `id` is what a keymap remaps; `keys` are Textual's names, `shown` is what a person reads; `does` is two or three
    words, `tip` a sentence; `rank` says how soon the key bar drops it when the line is short (1 stays longest, 0 is
    never on it); `home` is who holds the binding: the dashboard, the app, or whoever has a use for it inside a panel.
    """

    id: str
    keys: str
    shown: str
    action: str
    does: str
    group: str
    tip: str
    rank: int = 0
    home: Home = "main"


TABLE: tuple[Key, ...] = (
    Key("peer.up", "up", "↑", "toward('up')", "select a peer", "Peer", "Select the nearest peer in that direction."),
    Key(
        "peer.down",
        "down",
        "↓",
        "toward('down')",
        "select a peer",
        "Peer",
        "Select the nearest peer in that direction.",
    ),
    Key(
        "peer.left",
        "left",
        "←",
        "toward('left')",
        "select a peer",
        "Peer",
        "Select the nearest peer in that direction.",
    ),
    Key(
        "peer.right",
        "right",
        "→",
        "toward('right')",
        "select a peer",
        "Peer",
        "Select the nearest peer in that direction.",
    ),
    Key("peer.open", "enter", "enter", "open", "inspect", "Peer", "Open the selected peer in the inspector.", 9),
    Key("peer.kill", "x", "x", "kill", "kill", "Peer", "Kill the selected peer, or revive it.", 3),
    Key("peer.censor", "c", "c", "censor", "censor", "Peer", "Block all the selected peer's traffic, or lift it.", 4),
    Key(
        "peer.collude",
        "o",
        "o",
        "collude",
        "collude",
        "Peer",
        "Have the selected peer suppress what the chosen ask is about, or defect from that.",
        13,
    ),
    Key("peer.leave", "l", "l", "leave", "leave", "Peer", "Have the selected peer leave politely, or join again.", 12),
    Key(
        "peer.menu",
        "backslash",
        "\\",
        "menu",
        "menu",
        "Peer",
        "All that can be done to the selected peers; as a right click.",
        10,
    ),
    Key(
        "peer.filter", "slash", "/", "filter", "find peers", "Peer", "Find and select peers: a label or a selector.", 6
    ),
    Key(
        "peer.mark",
        "asterisk",
        "*",
        "mark",
        "mark",
        "Peer",
        "Mark the selected peer, or no more: verbs act on all marked.",
    ),
    Key(
        "peer.jump",
        "j",
        "j",
        "jump",
        "jump",
        "Peer",
        "Put letters on the peers in sight and digits on the panels; type one to go there.",
        7,
    ),
    Key("ask.here", "a", "a", "ask", "ask", "Ask", "Ask for something from the selected peer.", 1),
    Key(
        "ask.answerer",
        "A",
        "A",
        "answerer",
        "who answered",
        "Ask",
        "Select a peer that answered the chosen ask; once more, the next one.",
        2,
    ),
    Key("ask.slow", "s", "s", "slow", "slow on ask", "Ask", "Slow time down when you ask, so that you can watch.", 14),
    Key(
        "ask.next",
        "n",
        "n",
        "next(False)",
        "next arrival",
        "Ask",
        "Go on to the next arrival of a message of the chosen ask, then stop.",
        19,
    ),
    Key(
        "ask.hop",
        "N",
        "N",
        "next(True)",
        "next hop",
        "Ask",
        "Go on until the chosen ask is a hop deeper, then stop.",
        21,
    ),
    Key(
        "ask.silence",
        "m",
        "m",
        "silence",
        "who stands between",
        "Ask",
        "Ring the fewest peers that would have to be silenced to keep the asker from what it wants.",
        20,
    ),
    Key(
        "ask.censor_set",
        "M",
        "M",
        "censor_set",
        "censor those between",
        "Ask",
        "Censor the peers that m has ringed, or lift that again.",
    ),
    Key("time.pause", "space", "space", "pause", "pause", "Time", "Stop time, or let it run.", 2),
    Key("time.nudge", "comma", ",", "step(10)", "step 10 ms", "Time", "Go on by 10 ms of virtual time, then stop."),
    Key(
        "time.step",
        "full_stop",
        ".",
        "step(100)",
        "step 0.1 s",
        "Time",
        "Go on by 0.1 s of virtual time, then stop.",
        11,
    ),
    Key("time.unnudge", "semicolon", ";", "rewind(10)", "back 10 ms", "Time", "Go back by 10 ms, and stop."),
    Key("time.unstep", "colon", ":", "rewind(100)", "back 0.1 s", "Time", "Go back by 0.1 s, and stop.", 22),
    Key("time.back", "pageup", "pgup", "travel(-1000)", "back 1 s", "Time", "Go back by a second.", 23),
    Key("time.on", "pagedown", "pgdn", "travel(1000)", "on 1 s", "Time", "Go on by a second, as far as the end."),
    Key("time.far_back", "shift+pageup,ctrl+pageup", "shift+pgup", "travel(-10000)", "back 10 s", "Time", "Back 10 s."),
    Key("time.far_on", "shift+pagedown,ctrl+pagedown", "shift+pgdn", "travel(10000)", "on 10 s", "Time", "On 10 s."),
    Key(
        "time.mark_before",
        "left_curly_bracket",
        "{",
        "to_mark(-1)",
        "mark before",
        "Time",
        "Go back to the last command, kill, alarm or ask of a person.",
    ),
    Key(
        "time.mark_after",
        "right_curly_bracket",
        "}",
        "to_mark(1)",
        "next mark",
        "Time",
        "Go on to the next command, kill, alarm or ask of a person.",
    ),
    Key("time.start", "home", "home", "start", "to the start", "Time", "Go to the beginning of the run."),
    Key("time.live", "end", "end", "live", "live", "Time", "Go to the end, where all happens for the first time."),
    Key("time.undo", "z", "z", "undo", "undo", "Time", "Go to just before your last command, and forget it.", 15),
    Key("time.slower", "left_square_bracket", "[", "speed(-1)", "slower", "Time", "Halve the speed.", 7),
    Key("time.faster", "right_square_bracket", "]", "speed(1)", "faster", "Time", "Double the speed.", 8),
    Key(
        "view.placement",
        "g",
        "g",
        "placement",
        "layout",
        "Picture",
        "Place peers anew: world, ring, hops from a peer or of an ask, identifiers, communities.",
        10,
    ),
    Key("view.placements", "G", "G", "placements", "choose a layout", "Picture", "Choose how peers are placed."),
    Key(
        "view.colour",
        "b",
        "b",
        "colour",
        "colour by",
        "Picture",
        "Colour peers by state, role, load, belief, last heard, or answer to the chosen ask.",
        11,
    ),
    Key("view.colours", "B", "B", "colours", "choose a colouring", "Picture", "Choose what colour tells."),
    Key(
        "view.picture",
        "d",
        "d",
        "picture",
        "diagram",
        "Picture",
        "The swarm, the chosen ask in time and space, or the tree of who told whom.",
        10,
    ),
    Key(
        "view.belief",
        "v",
        "v",
        "belief",
        "belief",
        "Picture",
        "The network as it is, or as the selected peer believes it to be.",
        9,
    ),
    Key("view.upkeep", "u", "u", "upkeep", "upkeep", "Picture", "Show or hide the network's upkeep messages.", 15),
    Key("view.in", "plus,equals_sign", "+", "zoom(1)", "zoom", "Picture", "Zoom in or out."),
    Key("view.out", "minus", "-", "zoom(-1)", "zoom", "Picture", "Zoom in or out."),
    Key("view.fit", "0", "0", "zoom(0)", "fit all", "Picture", "The whole swarm again."),
    Key("view.pan_up", "shift+up", "shift+↑", "pan('up')", "move the picture", "Picture", "Move the picture."),
    Key("view.pan_down", "shift+down", "shift+↓", "pan('down')", "move the picture", "Picture", "Move the picture."),
    Key("view.pan_left", "shift+left", "shift+←", "pan('left')", "move the picture", "Picture", "Move the picture."),
    Key("view.pan_right", "shift+right", "shift+→", "pan('right')", "move the picture", "Picture", "Move the picture."),
    *(
        Key(f"panel.{n}", str(n), str(n), f"panel({n})", f"panel: {name}", "Picture", f"Show or hide {what}.")
        for n, name, what in (
            (1, "inspector", "the selected peer and the chosen ask"),
            (2, "asks", "the table of asks"),
            (3, "controls", "churn, loss, latency and group actions"),
            (4, "charts", "the charts over time"),
            (5, "feed", "the feed of events"),
            (6, "story", "what the scenario tells"),
            (7, "peers", "the table of all peers"),
            (8, "kinds", "the statistics by kind of message"),
            (9, "attacks", "attacks to choose from, flash crowds and mass exits among them"),
        )
    ),
    Key(
        "panel.expand",
        "f",
        "f",
        "expand",
        "full screen",
        "Picture",
        "Give the focused panel, or the picture, the whole screen.",
        12,
    ),
    Key("view.legend", "k", "k", "legend", "legend", "Picture", "Show or hide the key to the colours on the picture."),
    Key("view.names", "w", "w", "names", "names", "Picture", "Show or hide the peers' names on the picture."),
    Key("run.network", "p", "p", "network", "network", "Run", "Restart under another network, or open a scenario.", 5),
    Key(
        "run.court",
        "h",
        "h",
        "court",
        "court",
        "Run",
        "Convene a court that censors whoever answers, two seconds later; or have it rise.",
        18,
    ),
    Key("run.copy", "y", "y", "copy", "copy command", "Run", "Copy the command line that reproduces this moment.", 16),
    Key(
        "run.screenshot", "S", "S", "screenshot", "screenshot", "Run", "Write the screen to a file, as SVG and as text."
    ),
    Key("run.record", "r", "r", "record", "record", "Run", "Write this run into a file, or stop it.", 24),
    Key("run.save", "W", "W", "save", "save scenario", "Run", "Save the run so far as a scenario, deeds and all."),
    Key("run.export", "E", "E", "export", "export figures", "Run", "Write asks and series to files, as CSV and JSON."),
    Key("app.theme", "t", "t", "theme", "theme", "Program", "Choose a theme; moving the cursor shows it.", 17),
    Key("app.help", "question_mark", "?", "help", "help", "Program", "All keys, and what this network is.", 2, "app"),
    Key("app.palette", "ctrl+p", "^p", "command_palette", "palette", "Program", "Find any action by name.", 18, "app"),
    Key("app.focus", "tab", "tab", "focus_next", "next panel", "Program", "Move to the next panel."),
    Key("app.back", "escape", "esc", "back", "back", "Program", "One step back: close, deselect, zoom out."),
    Key(
        "app.suspend",
        "ctrl+z",
        "^z",
        "suspend",
        "suspend",
        "Program",
        "Go back to the shell; there, fg comes back here. No time passes meanwhile.",
        0,
        "app",
    ),
    Key(
        "app.quit",
        "q",
        "q",
        "quit",
        "quit",
        "Program",
        "Leave; in help, back to the swarm. Nothing is saved unless you recorded it.",
        3,
        "app",
    ),
)

# Keys that count inside a panel or a dialog only: in lists, on sliders, where one types.
#
# One id serves every place that is alike: whoever wants `j` to go down has it in menus, tables and pickers by one line.
# What a dialog shares with the dashboard it shares by the dashboard's id: `?` puts help away because it is `app.help`.
#
# A key is looked for from the focus outwards, so inside a panel these go before the keys of the dashboard. Editing
# within a line of text, and enter at its end, stay as Textual has them in any field.

INSIDE: tuple[tuple[str, str, str, str], ...] = (
    ("list.up", "up", "↑", "In lists, tables, menus and texts: a line up."),
    ("list.down", "down", "↓", "In lists, tables, menus and texts: a line down."),
    ("list.far_up", "pageup", "pgup", "In lists, tables and texts: a page up."),
    ("list.far_down", "pagedown", "pgdn", "In lists, tables and texts: a page down."),
    ("list.first", "home", "home", "In lists, tables and texts: to the first line."),
    ("list.last", "end", "end", "In lists, tables and texts: to the last line."),
    ("list.left", "left", "←", "In tables, the feed and the inspector: the column, kind or leaf to the left."),
    ("list.right", "right", "→", "In tables, the feed and the inspector: the column, kind or leaf to the right."),
    ("list.choose", "enter", "enter", "In lists, menus and the attack panel: choose the highlighted line, or do it."),
    ("list.leave", "escape", "esc", "In lists, menus, help and jump: close, with nothing changed."),
    ("picker.other", "tab,right,left", "tab", "In the picker: the other list, networks or scenarios."),
    ("peers.mark_up", "shift+up", "shift+↑", "In the table of peers: mark upwards."),
    ("peers.mark_down", "shift+down", "shift+↓", "In the table of peers: mark downwards."),
    ("peers.mark_all", "ctrl+a", "^a", "In the table of peers: mark all that are shown."),
    ("peers.sort_left", "less_than_sign", "<", "In the table of peers: sort by the column to the left."),
    ("peers.sort_right", "greater_than_sign", ">", "In the table of peers: sort by the column to the right."),
    ("peers.invert", "I", "I", "In the table of peers: reverse the sort."),
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
    ("jump.erase", "backspace", "backspace", "In jump mode: erase the letter that was typed."),
)
"""(id, keys as Textual names them, what a person reads, what it does)."""

ALL: tuple[Key, ...] = (
    *TABLE,
    *(Key(id_, keys, shown, "", "", GROUPS[-1], tip, home="inside") for id_, keys, shown, tip in INSIDE),
)
"""And what counts inside panels and dialogs only."""
IDS = frozenset(key.id for key in ALL)
WRITTEN = re.compile(r"\{([a-z]+\.[a-z0-9_]+)\}")


def bindings(home: Home) -> list[BindingType]:
    """What a screen or the app puts into its BINDINGS."""
    return [
        Binding(
            *(k.keys, ON_APP.get(k.id, k.action), k.does),
            show=k.rank > 0,
            tooltip=k.tip,
            id=k.id,
            priority=k.id in EVERYWHERE,
        )
        for k in TABLE
        if k.home == home
    ]


EVERYWHERE = frozenset({"app.suspend"})
"""What counts in dialogs and while one types, too."""
ON_APP = {"app.focus": "app.focus_next"}
"""An action of Textual's own that is bound on the screen, so that it can be remapped like the others."""


def key_table() -> list[tuple[str, str]]:
    """(keys, what they do) in the order of the table, neighbours of one meaning on one line: for README and help."""
    return [(keys, tip) for _, keys, tip in grouped()]


def grouped(table: Sequence[Key] = TABLE) -> list[tuple[str, str, str]]:
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


def key_for(app: object, id_: str) -> str:
    """What to press for something in this app, as a person reads it; without a key, the palette's and its name."""
    table: Sequence[Key] = getattr(app, "keys_now", ALL)
    key = next(key for key in table if key.id == id_)
    if not key.shown and key.home == "inside":
        return "–"
    return key.shown or f"{next(k.shown for k in table if k.id == 'app.palette')} {key.does}"


def pressed(app: object, id_: str, key: str) -> bool:
    """Whether a key, as Textual names it, is one of those that do something in this app."""
    table: Sequence[Key] = getattr(app, "keys_now", ALL)
    return key in next(one.keys for one in table if one.id == id_).split(",")


def keyed(app: object, text: str) -> str:
    """A sentence with each `{id}` of the table replaced by what to press for it: a key that was remapped is told so."""
    return WRITTEN.sub(lambda found: key_for(app, found[1]) if found[1] in IDS else found[0], text)


_KEYS = {id_: keys for id_, keys, _, _ in INSIDE}


def within(actions: Mapping[str, str], *, priority: bool = False) -> list[BindingType]:
    """The BINDINGS of a widget that has these actions, by the ids of their keys; those of the dashboard's table may be
    among them. `priority`: before the child that has the focus."""

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

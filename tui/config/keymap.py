"""The table of keys with a person's own `[keys]` in it.

The result is a table like `actions.table.ALL` with other keys; key bar, help and palette are made of it, and the keymap
for Textual. A key can do one thing only. If a person assigns a key that does something else, the person's assignment is
used; the action that had the key before then has none, and a message says so. It can still be found in the palette. Of
two assignments of one key the first is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from textual.keys import KEY_DISPLAY_ALIASES, KEY_NAME_REPLACEMENTS, Keys

from engine import nearest, plain

from .keys import INSIDE, NOTHING, Key

INSIDE_IDS = frozenset(key.id for key in INSIDE)
MODIFIERS = ("ctrl", "alt", "shift", "super", "meta", "hyper")
NAMES = frozenset({key.value.rpartition("+")[2] for key in Keys} | set(KEY_DISPLAY_ALIASES)) - {"ignore"}
NAMED = {name for key in INSIDE for name in key.keys.split(",")} | NAMES | set(KEY_NAME_REPLACEMENTS.values())
TAKEN = {"ctrl+c": "interrupt"}
"""Keys outside the table that cannot be assigned."""
TYPED = "field."
"""Ids of keys in text fields, where a key that writes a character cannot be assigned."""
NONE = "\0"
WAYS_BACK = ("list.leave", "field.leave")
"""These need a key: without one a dialog could not be closed."""


def remapped(
    table: Sequence[Key], written: Mapping[str, str], where: object = "config.toml"
) -> tuple[tuple[Key, ...], list[str]]:
    """The table with a person's keys, and a sentence for each assignment that is not possible or that takes the key of
    another action."""
    known = {key.id: key for key in table}
    wishes: dict[str, tuple[str, ...]] = {}
    said: list[str] = []
    for id_, text in written.items():
        at = f'{where}: [keys] "{plain(id_)}"'
        if id_ not in known:
            said.append(f"{at}: there is no such key{nearest(id_, known)}")
            continue
        keys = tuple(dict.fromkeys(normal(key) for key in _parts(text)))
        wrong = next((key for key in keys if not is_key(key)), "")
        holder = next((f"{TAKEN[key]} needs {key}" for key in keys if key in TAKEN), "")
        holder = holder or next(
            (
                f"{other} has {key}"
                for other, had in wishes.items()
                for key in keys
                if key in had and place(other) == place(id_)
            ),
            "",
        )
        if not keys and id_ in WAYS_BACK:
            holder = "a dialog could not be closed without a key"
        if id_.startswith(TYPED) and any(writes(key) for key in keys):
            holder = f"{next(key for key in keys if writes(key))} is a character that can be typed there"
        if wrong:
            said.append(f'{at} should be a key such as "ctrl+k", not "{plain(wrong, limit=40)}"{nearest(wrong, NAMED)}')
        elif holder:
            said.append(f"{at}: {plain(holder)}; {known[id_].keys or 'no key'} is kept")
        else:
            wishes[id_] = keys
    return _with(table, wishes, said, where), said


def _with(
    before: Sequence[Key], wishes: Mapping[str, tuple[str, ...]], said: list[str], where: object
) -> tuple[Key, ...]:
    by = {(place(id_), key): id_ for id_, keys in wishes.items() for key in keys}
    table = []
    for line in before:
        had, here = tuple(filter(None, line.keys.split(","))), place(line.id)
        now = wishes.get(line.id, tuple(key for key in had if (here, key) not in by or line.id in WAYS_BACK))
        if had and line.id not in wishes and not now:
            key = had[0]
            said.append(f"{where}: [keys] {key} now does {by[here, key]}, so {line.id} has no key; give it one")
        same = now == had
        table.append(line if same else replace(line, keys=",".join(now)))
    return tuple(table)


def place(id_: str) -> str:
    """The places where a key is used: one key can do one thing on the dashboard, and another in lists or on sliders."""
    return id_.partition(".")[0] if id_ in INSIDE_IDS else ""


def writes(key: str) -> bool:
    """Whether it writes a character in a text field."""
    *modifiers, last = key.split("+")
    return not set(modifiers) - {"shift"} and (len(last) == 1 or _character_of(last).isprintable())


def keymap_of(table: Sequence[Key], defaults: Sequence[Key]) -> dict[str, str]:
    """The keymap for Textual: keys that differ from the defaults, which are the same rows in the same order."""
    return {key.id: key.keys or NOTHING for key, before in zip(table, defaults, strict=True) if key.keys != before.keys}


def _parts(text: str) -> list[str]:
    """`"x,delete"` is two keys and `","` is one."""
    if text.strip() == ",":
        return [","]
    return [part.strip() if part.strip() else part for part in text.split(",") if part]


def normal(key: str) -> str:
    """A key as Textual names it: `?` is question_mark, `Ctrl+K` is ctrl+k, `esc` is escape."""
    if len(key) == 1:
        return _of_character(key)
    *before, last = key.split("+") if not key.endswith("+") else [*key[:-1].rstrip("+").split("+"), "+"]
    modifiers = [word.strip().lower() for word in before]
    last = last.strip()
    last = _of_character(last) if len(last) == 1 else last.lower()
    last = {"esc": "escape", "return": "enter", "del": "delete", "pgup": "pageup", "pgdn": "pagedown"}.get(last, last)
    if modifiers and len(last) == 1 and "shift" not in modifiers:
        last = last.lower()
    return "+".join([*modifiers, last])


def _of_character(character: str) -> str:
    from tui.textual_compat import key_name

    return "space" if character == " " else key_name(character)


def is_key(key: str) -> bool:
    """Whether it is the name of a key that a terminal can send."""
    *modifiers, last = key.split("+")
    return all(word in MODIFIERS for word in modifiers) and (len(last) == 1 or last in NAMED or last == _of_name(last))


def _of_name(name: str) -> str:
    """The key of the character with this name; empty if there is none."""
    character = _character_of(name)
    return "" if character == NONE else _of_character(character)


def _character_of(name: str) -> str:
    import unicodedata

    try:
        return unicodedata.lookup(name.replace("_", " ").upper())
    except KeyError:
        return NONE

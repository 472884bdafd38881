"""Which key does what, once a person's own `[keys]` has been laid over the table.

The table is the one truth: what comes out is the same table with other keys in it, and from that the key bar, help
and palette are made, and the keymap that Textual lays over the bindings. A key can do one thing only. Where a person
gives a key that already does something, the person's wish goes first and what it did before is left without a key,
which is told; it stays in the palette. Two wishes for one key: the first holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from textual.keys import KEY_DISPLAY_ALIASES, KEY_NAME_REPLACEMENTS, Keys, format_key

from engine import nearest, plain

from .keys import INSIDE, NOTHING, Key

INSIDE_IDS = frozenset(key.id for key in INSIDE)
MODIFIERS = ("ctrl", "alt", "shift", "super", "meta", "hyper")
NAMES = frozenset({key.value.rpartition("+")[2] for key in Keys} | set(KEY_DISPLAY_ALIASES)) - {"ignore"}
NAMED = {name for key in INSIDE for name in key.keys.split(",")} | NAMES | set(KEY_NAME_REPLACEMENTS.values())
TAKEN = {"ctrl+c": "interrupt"}
"""Keys that are not in the table, and not to be had."""
TYPED = "field."
"""Where one types, a key that writes a character writes it."""
NONE = "\0"
WAYS_BACK = ("list.leave", "field.leave")
"""Without these nobody would get out of a dialog again."""


def laid_over(
    table: Sequence[Key], written: Mapping[str, str], where: object = "config.toml"
) -> tuple[tuple[Key, ...], list[str]]:
    """The table with a person's keys in it, and a sentence for each wish that was not to be had, or that took a key."""
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
            holder = "there has to be a way back"
        if id_.startswith(TYPED) and any(writes(key) for key in keys):
            holder = f"{next(key for key in keys if writes(key))} is typed there"
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
        table.append(line if same else replace(line, keys=",".join(now), shown=shown_as(now)))
    return tuple(table)


def place(id_: str) -> str:
    """Where a key counts: one key can do one thing on the dashboard, and another in lists or on sliders."""
    return id_.partition(".")[0] if id_ in INSIDE_IDS else ""


def writes(key: str) -> bool:
    """Whether pressing it where one types writes a character."""
    *modifiers, last = key.split("+")
    return not set(modifiers) - {"shift"} and (len(last) == 1 or _character_of(last).isprintable())


def keymap_of(table: Sequence[Key], defaults: Sequence[Key]) -> dict[str, str]:
    """What Textual is told: the keys that differ from the defaults, which are the same rows in the same order."""
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
    """Whether it names a key that a terminal could send."""
    *modifiers, last = key.split("+")
    return all(word in MODIFIERS for word in modifiers) and (len(last) == 1 or last in NAMED or last == _of_name(last))


def _of_name(name: str) -> str:
    """The name of a character comes back as itself."""
    character = _character_of(name)
    return "" if character == NONE else _of_character(character)


def _character_of(name: str) -> str:
    import unicodedata

    try:
        return unicodedata.lookup(name.replace("_", " ").upper())
    except KeyError:
        return NONE


def shown_as(keys: Sequence[str]) -> str:
    """What a person reads: `^k`, `?`, `shift+↑`; the first only, as one is enough to press."""
    if not keys:
        return ""
    *modifiers, last = keys[0].split("+")
    end = "enter" if last == "enter" else format_key(last)
    return "^" + end if modifiers == ["ctrl"] else "+".join([*modifiers, end])

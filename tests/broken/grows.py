"""Remembers everything, for ever."""

from __future__ import annotations

from broken.sound import Sound


class Hoarder(Sound, name="grows"):
    def keep(self, table: dict[int, None], key: int) -> None:
        table[key] = None

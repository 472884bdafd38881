"""Keeps a table that belongs to the class and not to the peer, so that all peers know what one has learnt."""

from __future__ import annotations

from broken.sound import Sound

from engine import Ask, Host

ASKED: dict[str, int] = {}


class Telepath(Sound, name="shares-memory"):
    def ask(self, host: Host, ask: Ask) -> None:
        ASKED[ask.text] = ASKED.get(ask.text, 0) + 1
        super().ask(host, ask)

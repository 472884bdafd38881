"""Keeps the host it was handed."""

from __future__ import annotations

from collections.abc import Sequence

from broken.sound import Sound

from engine import Host, PeerId


class Keeper(Sound, name="keeps-host"):
    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        super().start(host, contacts, saved)
        self.hand = host

"""Reads its library when it starts and never again: what is published later is not found."""

from __future__ import annotations

from collections.abc import Sequence

from broken.sound import Have, Sound, Wanted

from engine import DUPLICATE, Host, Known, PeerId, on


class Frozen(Sound, name="freezes"):
    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.names = [file.name for file in host.library.files()]
        super().start(host, contacts, saved)

    @on(Wanted)
    def wanted(self, host: Host, sender: PeerId, message: Wanted) -> Known:
        if message.key in self.seen:
            return DUPLICATE
        self.keep(self.seen, message.key)
        if message.text in self.names:
            host.send(message.origin, Have(message.key, message.text))
        if message.hops > 1:
            self.go_on(host, sender, message)
        return None

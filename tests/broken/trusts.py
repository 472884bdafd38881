"""Takes for granted that a key is a key."""

from __future__ import annotations

from broken.sound import Sound, Wanted

from engine import Host, PeerId, on


class Truster(Sound, name="trusts"):
    @on(Wanted)
    def wanted(self, host: Host, sender: PeerId, message: Wanted) -> None:
        if message.key not in self.seen:
            self.keep(self.seen, message.key)
            self.go_on(host, sender, message)

"""Sends in the order of a set, which may differ between two processes."""

from __future__ import annotations

from broken.sound import Sound, Wanted

from engine import Host, PeerId


class Walker(Sound, name="walks-set"):
    def pass_on(self, host: Host, question: Wanted, sender: PeerId) -> None:
        others = set(self.near) - {sender}
        for one in others:
            host.send(one, question)

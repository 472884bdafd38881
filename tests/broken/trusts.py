"""Assumes that the hops of a message are within the range of its own network."""

from __future__ import annotations

from broken.sound import HOPS, Sound, Wanted

from engine import Host, Known, PeerId, on

FORWARDED = tuple(hops > 1 for hops in range(HOPS + 1))
"""Whether a question that has so many hops to go is passed on."""


class Truster(Sound, name="trusts"):
    @on(Wanted)
    def wanted(self, host: Host, sender: PeerId, message: Wanted) -> Known:
        return super().wanted(host, sender, message) if FORWARDED[message.hops] else None

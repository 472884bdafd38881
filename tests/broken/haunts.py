"""Sends after its end: a peer that runs sends by the hosts of peers that have left."""

from __future__ import annotations

from broken.sound import Hello, Look, Sound

from engine import Host, on

GONE: list[Host] = []


class Ghost(Sound, name="haunts"):
    def stop(self, host: Host) -> None:
        GONE.append(host)

    @on(Look)
    def look(self, host: Host, tick: Look) -> None:
        super().look(host, tick)
        while GONE:
            GONE.pop().send(host.me, Hello())

"""Asks each neighbour ten times a second how it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broken.sound import SECOND_US, Hello, Sound

from engine import Host, PeerId, on


@dataclass(slots=True)
class Again:
    """A tenth of a second has passed."""


class Chatterer(Sound, name="chatters"):
    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        super().start(host, contacts, saved)
        host.every(SECOND_US // 10, Again())

    @on(Again)
    def again(self, host: Host, tick: Again) -> None:
        host.multicast(list(self.near), Hello())

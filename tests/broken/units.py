"""The sound network, with a time in seconds where microseconds are expected."""

from __future__ import annotations

from collections.abc import Sequence

from engine import Host, PeerId

from .sound import Look, Sound


class Hasty(Sound, name="hasty"):
    """Gives 5 where 5,000,000 us are meant."""

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        super().start(host, contacts, saved)
        host.after(5, Look())

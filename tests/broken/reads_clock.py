"""Reads the wall clock."""

from __future__ import annotations

import time

from broken.sound import Sound, Wanted

from engine import Host, PeerId


class Punctual(Sound, name="reads-clock"):
    def go_on(self, host: Host, sender: PeerId, message: Wanted) -> None:
        if time.monotonic() > 0:
            super().go_on(host, sender, message)

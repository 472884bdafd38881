"""Sets a timer when it leaves."""

from __future__ import annotations

from broken.sound import SECOND_US, Look, Sound

from engine import Host


class Lingerer(Sound, name="lingers"):
    def stop(self, host: Host) -> None:
        super().stop(host)
        host.after(SECOND_US, Look())

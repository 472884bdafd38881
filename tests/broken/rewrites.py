"""Changes a message that it has received and that others have still to receive."""

from __future__ import annotations

from typing import Any

from broken.sound import Sound, Wanted

from engine import Host, PeerId


class Rewriter(Sound, name="rewrites"):
    def go_on(self, host: Host, sender: PeerId, message: Wanted) -> None:
        page: Any = message
        page.hops -= 1
        self.pass_on(host, message, sender)

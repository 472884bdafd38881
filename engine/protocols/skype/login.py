"""The login server: the one machine that all clients need, and only to log in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...api import Ask, Beliefs, Host, Peer, PeerId, Shown, on
from .messages import LoggedIn, Login, LoginLater

LATER_S = 30.0
"""A client that is not let in is told to come again after this time, times 0.5 to 1.5, drawn."""
NO_USER = "a machine of Skype has no user"
"""Why an ask of such a machine fails."""


@dataclass(slots=True, eq=False)
class LoginServer(Peer):
    """Checks names and passwords, and signs certificates. `next_us`: when the next client is let in, if the rate is
    limited."""

    role = "login server"
    overlay = False
    shares_files = False
    shows = (Shown("admitted", "logins that it has let in", "count"),)

    admitted: int = 0
    refused_logins: int = 0
    next_us: float = 0.0

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        pass

    def joined(self, links: Sequence[PeerId]) -> bool:
        return True

    @on(Login)
    def login(self, host: Host, sender: PeerId, message: Login) -> None:
        """Let a client in, or tell it when to come again, so that no more than `admit_per_s` are let in a second."""
        rate = host.options.admit_per_s
        if rate:
            # The logins of one second may come at once.
            if self.next_us > host.now_us + 1e6:
                self.refused_logins += 1
                host.reply(LoginLater(LATER_S * (0.5 + host.rng.random())))
                return
            self.next_us = max(self.next_us, host.now_us) + 1e6 / rate
        self.admitted += 1
        host.reply(LoggedIn())

    def ask(self, host: Host, ask: Ask) -> None:
        host.failed(NO_USER)

    def shown(self) -> tuple[float | str, ...]:
        return (self.admitted,)

    def beliefs(self) -> Beliefs:
        return Beliefs(facts={"let in": str(self.admitted), "told to come later": str(self.refused_logins)})

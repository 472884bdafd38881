"""Believes that whoever is here was here from the beginning: it counts its neighbours' greetings in a table as long as
the swarm was then, and keeps that on disk. Nothing but newcomers shows it: they come with some attacks, and among all
that can be done to a swarm."""

from __future__ import annotations

from collections.abc import Sequence

from broken.sound import Hello, Sound

from engine import Host, PeerId, on


class Founder(Sound, name="founds"):
    knows = "everyone"

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        founders = saved if isinstance(saved, int) else max((*contacts, host.me)) + 1
        self.greetings = [0] * founders
        super().start(host, contacts, saved)

    def saved(self) -> object | None:
        return len(self.greetings)

    @on(Hello)
    def hello(self, host: Host, sender: PeerId, message: Hello) -> None:
        self.greetings[sender] += 1
        super().hello(host, sender, message)

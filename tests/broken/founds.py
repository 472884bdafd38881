"""Assumes that no peers join later: it counts greetings in a table whose length is the number of peers at its start,
and keeps this number on disk. Only newcomers show the fault. They come with some attacks, and in the check with all
commands."""

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

"""Answers each question with the first file that it has, whatever was asked for; or does nothing about a goal."""

from __future__ import annotations

from broken.sound import Have, Sound, Wanted

from engine import DUPLICATE, FETCH, FIND, Ask, Host, Known, PeerId, on


class Guesser(Sound, name="guesses"):
    @on(Wanted)
    def wanted(self, host: Host, sender: PeerId, message: Wanted) -> Known:
        if message.key in self.seen:
            return DUPLICATE
        self.keep(self.seen, message.key)
        others = [file for file in host.library.files() if file.name != message.text]
        for file in others[:1]:
            host.send(message.origin, Have(message.key, file.name))
        self.go_on(host, sender, message)
        return None


class Idler(Sound, name="idles"):
    goals = (FIND, FETCH)

    def ask(self, host: Host, ask: Ask) -> None:
        if ask.goal == FIND:
            super().ask(host, ask)

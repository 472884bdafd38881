"""Networks with faults that show when something is done to a run: peers start again, lose neighbours or have slow
lines, an option is changed, or the run is repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broken.sound import Look, Sound, SoundOptions, Wanted

from engine import Blob, Host, Known, PeerId, message, on, option


class Deaf(Sound, name="deaf", options=SoundOptions):
    """A peer that has started again answers no question and passes none on."""

    deaf = False

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.deaf = saved is not None
        super().start(host, contacts, saved)

    def saved(self) -> object | None:
        return True

    @on(Wanted)
    def wanted(self, host: Host, sender: PeerId, message: Wanted) -> Known:
        return None if self.deaf else super().wanted(host, sender, message)


class Deserted(Deaf, name="deserted", options=SoundOptions):
    """A peer that has lost a neighbour answers no question and passes none on."""

    def closed(self, host: Host, peer: PeerId) -> None:
        self.deaf = True
        super().closed(host, peer)


@dataclass(slots=True)
class SharedOptions:
    """An option that may be 0, which the program divides by."""

    shares: int = option(2, "parts that it divides its time into", low=0, high=10)


class Divider(Sound, name="divider", options=SharedOptions):
    """Divides by an option that may be 0."""

    @on(Look)
    def look(self, host: Host, tick: Look) -> None:
        self.time_s = 1 / host.options.shares


COUNT = [0]


class Counter(Sound, name="counter", options=SoundOptions):
    """Counts the asks of all runs of a process together, and repeats a question more often the more there were."""

    def pass_on(self, host: Host, question: Wanted, sender: PeerId) -> None:
        if sender == host.me:
            COUNT[0] += 1
            for _ in range(COUNT[0].bit_length()):
                super().pass_on(host, question, sender)
        super().pass_on(host, question, sender)


@message(part="answer")
class Padded:
    """An answer with so much data that it does not arrive over a slow line."""

    key: int
    name: str
    data: Blob


class Bulky(Sound, name="bulky", options=SoundOptions):
    """Sends 100 MB with each answer."""

    @on(Wanted)
    def wanted(self, host: Host, sender: PeerId, message: Wanted) -> Known:
        for file in host.library.matching(message.text)[:1]:
            host.send(message.origin, Padded(message.key, file.name, Blob(100_000_000)))
        if message.hops > 1:
            self.go_on(host, sender, message)
        return None

    @on(Padded)
    def padded(self, host: Host, sender: PeerId, message: Padded) -> None:
        if message.key in self.asked:
            host.hit(sender, message.name)

"""Networks that show false values, mark links that do not exist, or take a role without a name."""

from __future__ import annotations

from collections.abc import Sequence

from broken.sound import Look, Sound, SoundOptions

from engine import Host, PeerId, Shown, on


class Vain(Sound, name="vain", options=SoundOptions):
    """Counts how often `shown` was called, and shows that."""

    shows = (Shown("looks", "how often it was looked at", "count"),)

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def shown(self) -> tuple[float | str, ...]:
        self.looks += 1
        return (self.looks,)


class Sly(Sound, name="sly", options=SoundOptions):
    """Always shows the same, but counts the calls of `shown`."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_at = False

    def shown(self) -> tuple[float | str, ...]:
        self.looked_at = True
        return super().shown()


class Wordy(Sound, name="wordy", options=SoundOptions):
    """Shows more values than it has columns."""

    def shown(self) -> tuple[float | str, ...]:
        return (*super().shown(), 1.0)


class Mistyped(Sound, name="mistyped", options=SoundOptions):
    """Shows a text in a column of numbers."""

    def shown(self) -> tuple[float | str, ...]:
        return str(len(self.near)), "calm"


class Overfull(Sound, name="overfull", options=SoundOptions):
    """Shows a share in percent."""

    shows = (Shown("full", "of its places for neighbours", "share"),)

    def shown(self) -> tuple[float | str, ...]:
        return (100.0 * len(self.near),)


class Undeclared(Sound, name="undeclared", options=SoundOptions):
    """Shows a value of a category that it does not list."""

    shows = (Shown("mood", "how it is", "category", ("calm", "busy")),)

    def shown(self) -> tuple[float | str, ...]:
        return ("bored",)


class Stranger(Sound, name="stranger", options=SoundOptions):
    """Marks links to peers with which it has no link."""

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        super().start(host, contacts, saved)
        host.every(1_000_000, Look())

    @on(Look)
    def look(self, host: Host, tick: Look) -> None:
        for one in self.contacts:
            host.mark(one, "known")


class Nameless(Sound, name="nameless", options=SoundOptions):
    """Takes a role that cannot be shown."""

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        super().neighbours(host, links)
        host.set_role(" ")

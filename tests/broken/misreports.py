"""Programs that report something false about asks, each in one way."""

from __future__ import annotations

from broken.sound import Have, Sound, Wanted

from engine import Ask, Host, Known, PeerId, on


class Busybody(Sound, name="busybody"):
    """Reports a hit at the holder, and not where the ask began."""

    @on(Wanted)
    def wanted(self, host: Host, sender: PeerId, message: Wanted) -> Known:
        known = super().wanted(host, sender, message)
        if known is None and type(message.text) is str:
            for file in host.library.matching(message.text)[:1]:
                host.hit(host.me, file.name)
        return known


class Backslider(Sound, name="backslider"):
    """Reports less progress than before."""

    @on(Have)
    def have(self, host: Host, sender: PeerId, message: Have) -> None:
        super().have(host, sender, message)
        if message.key in self.asked:
            host.progress(2, 3)
            host.progress(1, 3)


class Overdoer(Sound, name="overdoer"):
    """Reports more progress than the whole."""

    @on(Have)
    def have(self, host: Host, sender: PeerId, message: Have) -> None:
        super().have(host, sender, message)
        if message.key in self.asked:
            host.progress(4, 3)


class Retractor(Sound, name="retractor"):
    """Takes back a hit that it never reported."""

    def ask(self, host: Host, ask: Ask) -> None:
        super().ask(host, ask)
        host.unhit(host.me)


class Holdout(Sound, name="holdout"):
    """Keeps its asks open for ever."""

    def ask(self, host: Host, ask: Ask) -> None:
        super().ask(host, ask)
        host.keep_open()

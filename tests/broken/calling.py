"""Networks that ask by calls: one without a fault, and four that have one fault each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine import Ask, CallEnd, Host, Peer, PeerId, message, on, on_reply, on_timeout, option, words_of

SECOND_US = 1_000_000


@message(part="question")
class Who:
    """Which of your files have these words?"""

    text: str

    def about(self) -> Iterable[str]:
        return words_of(self.text)

    def without(self, word: str) -> object | None:
        return Who("")


@message(over="datagram", part="answer")
class These:
    names: tuple[str, ...]

    def about(self) -> Iterable[str]:
        return [word for name in self.names for word in words_of(name)]

    def without(self, word: str) -> object | None:
        return These(())


@dataclass(slots=True)
class CallingOptions:
    most: int = option(100, "peers that are asked", low=1, high=1_000)


class Calling(Peer, name="calling", options=CallingOptions):
    """Asks everybody that it knows."""

    role = "caller"
    knows = "everyone"
    overlay = False

    def __init__(self) -> None:
        self.known: tuple[PeerId, ...] = ()

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.known = tuple(one for one in contacts if one != host.me)

    def ask(self, host: Host, ask: Ask) -> None:
        for one in self.known[: host.options.most] if ask.goal != "publish" else ():
            self.call(host, one, ask.text)

    def call(self, host: Host, to: PeerId, text: str) -> None:
        host.call(to, Who(text), timeout_us=(SECOND_US, 2 * SECOND_US), context=text)

    @on(Who)
    def who(self, host: Host, sender: PeerId, message: Who) -> None:
        host.reply(self.files(host, message))

    def files(self, host: Host, message: Who) -> These:
        return These(tuple(file.name for file in host.library.matching(message.text)[:3]))

    @on_reply(Who)
    def these(self, host: Host, sender: PeerId, answer: These, context: str) -> None:
        for name in answer.names:
            host.hit(sender, name)

    @on_timeout(Who)
    def nobody(self, host: Host, to: PeerId, context: object, reason: CallEnd) -> None:
        """Others may know."""


class Tardy(Calling, name="tardy"):
    """Answers with a message that is simply sent, and takes it whenever it comes."""

    @on(Who)
    def who(self, host: Host, sender: PeerId, message: Who) -> None:
        host.send(sender, self.files(host, message))

    @on(These)
    def hand_made(self, host: Host, sender: PeerId, message: These) -> None:
        for name in message.names:
            host.hit(sender, name)


class Leaker(Calling, name="leaker"):
    """Waits without a limit for a peer that has no answer."""

    def call(self, host: Host, to: PeerId, text: str) -> None:
        host.call(to, Who(text), timeout_us=1 << 50, context=text)

    @on(Who)
    def who(self, host: Host, sender: PeerId, message: Who) -> None:
        files = self.files(host, message)
        if files.names:
            host.reply(files)


class Stammerer(Calling, name="stammerer"):
    """Answers each request twice."""

    @on(Who)
    def who(self, host: Host, sender: PeerId, message: Who) -> None:
        host.reply(self.files(host, message))
        host.reply(self.files(host, message))


class Closer(Calling, name="closer"):
    """Passes a function as the context of a call."""

    def call(self, host: Host, to: PeerId, text: str) -> None:
        host.call(to, Who(text), timeout_us=SECOND_US, context=lambda: text)

"""Users and indexes of Napster, each with a `FakeHost`, for the tests."""

from __future__ import annotations

from engine.api import Ask, Blob, File
from engine.protocols.napster import (
    Data,
    DownloadAck,
    Index,
    Login,
    LoginAck,
    NapsterOptions,
    Ping,
    Pong,
    Results,
    Share,
    User,
)
from engine.protocols.napster.messages import Entry
from engine.testing import FakeHost, FakeLibrary

INDEX = 90
T1, MODEM = 9, 1
TRAIN = Entry("Blue Train.mp3", 71, 100_000, "user7", 7, T1)
TRAIN_AT_8 = Entry("Blue Train.mp3", 71, 100_000, "user8", 8, T1)
TRAIN_BY_MODEM = Entry("Blue Train.mp3", 71, 100_000, "user9", 9, MODEM)


def user(me: int = 1, files: tuple[File, ...] = (), link: int = T1, **options: float) -> tuple[FakeHost, User]:
    tape = FakeHost(me=me, options=NapsterOptions(**options), library=FakeLibrary(files))  # type: ignore[arg-type]
    peer = User()
    peer.start(tape, [INDEX, 5, 6], link)
    return tape, peer


def logged_in(me: int = 1, files: tuple[File, ...] = (), link: int = T1, **options: float) -> tuple[FakeHost, User]:
    tape, peer = user(me, files, link, **options)
    tape.wait(peer, 600_000)
    tape.give(peer, LoginAck(), sender=INDEX)
    tape.take()
    return tape, peer


def downloading(*entries: Entry) -> tuple[FakeHost, User]:
    """A user whose search found these entries. It has pinged the holders, and asked the index for the best one."""
    tape, peer = logged_in()
    tape.ask(peer, Ask(4, "find", "blue train"))
    tape.give(peer, Results(entries), sender=INDEX)
    [ping] = {message.number for _, message in tape.take() if isinstance(message, Ping)}
    for entry in entries:
        tape.now_us += 1_000
        tape.give(peer, Pong(ping), sender=entry.ip)
    return tape, peer


def index(**options: int) -> tuple[FakeHost, Index]:
    tape, peer = FakeHost(me=INDEX, options=NapsterOptions(**options)), Index()  # type: ignore[arg-type]
    for me in (7, 8):
        tape.give(peer, Login(f"user{me}", 6699, T1), sender=me)
    tape.give(peer, Share((Entry("Blue Train.mp3", 71, 10), Entry("Blue Moon.mp3", 72, 20))), sender=7)
    tape.give(peer, Share((Entry("Blue Train.mp3", 71, 10),)), sender=8)
    tape.take()
    return tape, peer


def received(tape: FakeHost, peer: User, entry: Entry, size: int) -> None:
    tape.take()
    tape.give(peer, DownloadAck(entry.nick, entry.ip, 6699, entry.name, entry.md5, entry.link), sender=INDEX)
    if size:
        tape.give(peer, Data(entry.name, Blob(size, entry.md5)), sender=entry.ip)

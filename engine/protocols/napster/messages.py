"""The messages of Napster, to and from the index and from user to user.

Numbers in the docstrings are message types of napster.txt. The fields of a message that arrives are what their
annotations say, with any value: `sound` returns the entries that are possible.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from ...api import Blob, PeerId, mentions, message, words_of

KBIT_S = (28.8, 14.4, 28.8, 33.6, 56.7, 64.0, 128.0, 1_500.0, 768.0, 1_544.0, 44_736.0)
LINKS = ("unknown", "14.4k", "28.8k", "33.6k", "56.7k", "64k ISDN", "128k ISDN", "cable", "DSL", "T1", "T3")
"""Speed in kbit/s and name by link-type code. The speeds of unknown, cable and DSL are guesses."""
DOWNLOAD_START, DOWNLOAD_END, UPLOAD_START, UPLOAD_END = 218, 219, 220, 221


class Entry(NamedTuple):
    """A file and its holder (201). In a `Share`, `nick`, `ip` and `link` are empty: the index knows them from the
    login."""

    name: str
    md5: int
    size: int
    nick: str = ""
    ip: PeerId = -1
    link: int = 0

    @property
    def content(self) -> object:
        """The hash."""
        return self.md5


def sound(entries: tuple[Entry, ...]) -> list[Entry]:
    """The well-formed ones of these entries."""
    return [entry for entry in entries if entry.size >= 0]


def kbit_s(link: int) -> float:
    """Speed of a link type in kbit/s; that of "unknown" for a number that is no link type."""
    return KBIT_S[link] if 0 <= link < len(KBIT_S) else KBIT_S[0]


def link_of(rate_kbit_s: int) -> int:
    """The link-type code whose speed is nearest to a rate, by their ratio."""
    return min(range(1, len(KBIT_S)), key=lambda link: max(KBIT_S[link] / rate_kbit_s, rate_kbit_s / KBIT_S[link]))


def line(link: int) -> str:
    """Name of a link type; "unknown" for a number that is no link type."""
    return LINKS[link] if 0 <= link < len(LINKS) else LINKS[0]


class OfFile:
    """Base of messages that name a file. Its receiver declines one with an empty name."""

    __slots__ = ()
    name: str

    def about(self) -> Iterable[str]:
        return words_of(self.name)

    def without(self, word: str) -> object:
        """The same message with an empty name."""
        nameless: Any = self
        return replace(nameless, name="")


class OfFiles:
    """Base of messages that list files."""

    __slots__ = ()
    entries: tuple[Entry, ...]

    def about(self) -> Iterable[str]:
        return [word for entry in sound(self.entries) for word in words_of(entry.name)]

    def without(self, word: str) -> object:
        """The list less the banned entries."""
        shorter: Any = self
        return replace(shorter, entries=tuple(e for e in sound(self.entries) if not mentions(words_of(e.name), word)))


@message()
class Login:
    """2. A user logs in: its name, data port and link type."""

    nick: str
    port: int
    link: int


@message()
class LoginAck:
    """3. The login is accepted."""


@message()
class Error:
    """0. The user is not logged in, or the login is refused."""


@message()
class Share(OfFiles):
    """100 for each file, or 870 for a whole directory of them."""

    entries: tuple[Entry, ...]


@message()
class Unshare(OfFiles):
    """102 for each file that is no longer shared; only the names count."""

    entries: tuple[Entry, ...]


@message(part="question")
class Search(OfFile):
    """200. FILENAME CONTAINS "name" MAX_RESULTS n."""

    name: str
    max_results: int


@message(part="answer")
class Results(OfFiles):
    """201 for each entry, and the 202 at the end."""

    entries: tuple[Entry, ...]


@message(over="datagram", part="transfer")
class Ping:
    """ICMP echo request, to measure the round trip to a holder. It is part of the transfer: it asks for no file."""

    number: int


@message(over="datagram", part="transfer")
class Pong:
    """ICMP echo reply."""

    number: int


@message(part="transfer")
class DownloadRequest(OfFile):
    """203, to the index: requests the address of a user that has this file."""

    nick: str
    name: str


@message(part="transfer")
class DownloadAck(OfFile):
    """204: the address of the holder. Port 0: it accepts no connections."""

    nick: str
    ip: PeerId
    port: int
    name: str
    md5: int
    link: int


@message(part="transfer")
class AlternateRequest(OfFile):
    """500, to the index: the holder accepts no connections, so it should connect to the sender."""

    nick: str
    name: str


@message(part="transfer")
class AlternateAck(OfFile):
    """501, to a holder that accepts no connections: connect to this user, and offer it this file."""

    nick: str
    ip: PeerId
    port: int
    name: str
    md5: int
    link: int


@message(part="transfer")
class Offer(OfFile):
    """User to user: SEND, from a holder that accepts no connections. The GET comes back over this connection."""

    nick: str
    name: str


@message(part="transfer")
class GetError(OfFile):
    """206 from the index, FILE NOT SHARED from a user: the holder does not have the file."""

    nick: str
    name: str


@message(part="transfer")
class Get(OfFile):
    """User to user: GET. `link` is the type of the receiver's line: TCP would slow the sender down to its speed."""

    nick: str
    name: str
    offset: int
    link: int


@message(part="transfer")
class Data(OfFile):
    """User to user: bytes of a file. On the wire each transfer has a connection of its own; here the name identifies
    it."""

    name: str
    blob: Blob


@message()
class Transfer:
    """218 to 221: a down- or upload begins or ends, so that the index knows how many run."""

    code: int

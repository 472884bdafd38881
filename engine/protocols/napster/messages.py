"""What Napster says: to its index, and from user to user.

Numbers in the docstrings are message types of napster.txt. What arrives may be anything, so nothing here trusts the
types of fields: `sound` keeps what is well formed, and `about` reads whatever it finds as text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from ...api import Blob, PeerId, mentions, message, words_of

KBIT_S = (28.8, 14.4, 28.8, 33.6, 56.7, 64.0, 128.0, 1_500.0, 768.0, 1_544.0, 44_736.0)
LINKS = ("unknown", "14.4k", "28.8k", "33.6k", "56.7k", "64k ISDN", "128k ISDN", "cable", "DSL", "T1", "T3")
"""By link-type code. The speeds of unknown, cable and DSL are guesses of their day."""
DOWNLOAD_START, DOWNLOAD_END, UPLOAD_START, UPLOAD_END = 218, 219, 220, 221


class Entry(NamedTuple):
    """A file and who has it (201). In a `Share` the index fills in the last three from the login."""

    name: str
    md5: int
    size: int
    nick: str = ""
    ip: PeerId = -1
    link: int = 0


def sound(entries: object) -> list[Entry]:
    """The well-formed entries of what should be a tuple of them."""
    types = (str, int, int, str, int, int)
    values = entries if isinstance(entries, tuple) else ()
    return [e for e in values if isinstance(e, Entry) and tuple(map(type, e)) == types and e.size >= 0]


def kbit_s(link: object) -> float:
    """Speed of a link type; nonsense is unknown."""
    return KBIT_S[link] if isinstance(link, int) and 0 <= link < len(KBIT_S) else KBIT_S[0]


def link_of(rate_kbit_s: int) -> int:
    """The link-type code that says a rate best: the nearest by ratio."""
    return min(range(1, len(KBIT_S)), key=lambda link: max(KBIT_S[link] / rate_kbit_s, rate_kbit_s / KBIT_S[link]))


def line(link: object) -> str:
    """Name of a link type."""
    return LINKS[link] if isinstance(link, int) and 0 <= link < len(LINKS) else LINKS[0]


class OfFile:
    """What is common to messages that name a file. One without a name is declined, wherever it arrives."""

    __slots__ = ()
    name: str

    def about(self) -> Iterable[str]:
        """The words of the name."""
        return words_of(str(self.name))

    def without(self, word: str) -> object:
        """The same message, saying of no file."""
        nameless: Any = self
        return replace(nameless, name="")


class OfFiles:
    """What is common to messages that list files."""

    __slots__ = ()
    entries: tuple[Entry, ...]

    def about(self) -> Iterable[str]:
        """The words of all names."""
        return [word for entry in sound(self.entries) for word in words_of(entry.name)]

    def without(self, word: str) -> object:
        """The list less the banned entries."""
        shorter: Any = self
        return replace(shorter, entries=tuple(e for e in sound(self.entries) if not mentions(words_of(e.name), word)))


@message()
class Login:
    """2. A user comes: its name, data port and link type."""

    nick: str
    port: int
    link: int


@message()
class LoginAck:
    """3. Welcome."""


@message()
class Error:
    """0. Who are you? Log in first."""


@message()
class Share(OfFiles):
    """100 for each file, or 870 for a whole directory of them."""

    entries: tuple[Entry, ...]


@message()
class Unshare(OfFiles):
    """102 for each file that is shared no more; only the names count."""

    entries: tuple[Entry, ...]


@message(part="question")
class Search(OfFile):
    """200. FILENAME CONTAINS "name" MAX_RESULTS n."""

    name: str
    max_results: int


@message(part="answer")
class Results(OfFiles):
    """201 for each entry, and the closing 202."""

    entries: tuple[Entry, ...]


@message(over="datagram", part="question")
class Ping:
    """ICMP echo: how far is a holder?"""

    number: int


@message(over="datagram", part="answer")
class Pong:
    """Its reply."""

    number: int


@message(part="transfer")
class DownloadRequest(OfFile):
    """203, to the index: how do I get this file of that user?"""

    nick: str
    name: str


@message(part="transfer")
class DownloadAck(OfFile):
    """204: from there. Port 0 says that it cannot be called."""

    nick: str
    ip: PeerId
    port: int
    name: str
    md5: int
    link: int


@message(part="transfer")
class AlternateRequest(OfFile):
    """500, to the index: that user cannot be called, so have it call me."""

    nick: str
    name: str


@message(part="transfer")
class AlternateAck(OfFile):
    """501, to the user who cannot be called: call there, and offer this file."""

    nick: str
    ip: PeerId
    port: int
    name: str
    md5: int
    link: int


@message(part="transfer")
class Offer(OfFile):
    """User to user: SEND. Who could not be called has called; its GET comes back over that call."""

    nick: str
    name: str


@message(part="transfer")
class GetError(OfFile):
    """206 from the index, FILE NOT SHARED from a user: not to be had of this one."""

    nick: str
    name: str


@message(part="transfer")
class Get(OfFile):
    """User to user: GET. `link` stands for TCP, which slows the sender down to the receiver's line."""

    nick: str
    name: str
    offset: int
    link: int


@message(part="transfer")
class Data(OfFile):
    """User to user: bytes. The name stands for the connection that each transfer has of its own."""

    name: str
    blob: Blob


@message()
class Transfer:
    """218 to 221: a down- or upload begins or ends, so that the index knows the load."""

    code: int

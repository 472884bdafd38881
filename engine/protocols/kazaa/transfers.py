"""Downloads from many holders at a time, and uploads in the order of participation levels.

Files with the same hash and the same size are the same file, as far as the network knows. So each range may come from
another holder. When all ranges have come the hash is compared, which covers samples of the bytes only: bytes between
the samples are not checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ...api import Blob, Call, Cause, File, Host, PeerId, Ticket
from ...kit import own_file
from .messages import LEVEL_MOST, LEVEL_START, QUEUE, Chunk, Get, NotHere, Result
from .uuhash import sampled

SECOND_US = 1_000_000
NEXT_US = 1
"""One microsecond later: all that begins at this instant has begun by then."""
RANGE_S = 3
"""No range takes the line longer than this, except one of `RANGE_LEAST` bytes."""
RANGE_LEAST = 1024
"""Bytes of the smallest range that is accepted, except for the last of a gap: with less, a download could last for
ever."""


@dataclass(frozen=True, slots=True)
class Part:
    """A range begin..end-1 that has come.

    holder   who sent it
    digest   the digest of the file that its bytes are from
    samples  the hash of the file that its samples are from, see `Chunk`
    covered  whether the hash covers all of its bytes: then they are right if the hash is
    """

    begin: int
    end: int
    holder: PeerId
    digest: int
    samples: int
    covered: bool = False


@dataclass(slots=True)
class Fetching:
    """A file that is being fetched.

    number    the number of the search that found it
    name, size, hash  those of the file
    holders   holder that can be asked -> (result, its super node)
    asked     holder -> (begin, end, call) of the range that it is asked for; the call is None while a holder that
              cannot be called has not called yet
    missing   ranges (begin, end) that nobody is asked for
    parts     what has come
    resting   holders that were busy and are asked later; turned_away: holder -> how often it was busy
    searched  whether it was searched for by its hash
    """

    number: int
    name: str
    size: int
    hash: int
    cause: Cause
    holders: dict[PeerId, tuple[Result, PeerId]] = field(default_factory=dict)
    asked: dict[PeerId, tuple[int, int, Call | None]] = field(default_factory=dict)
    missing: list[tuple[int, int]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    resting: dict[PeerId, None] = field(default_factory=dict)
    turned_away: dict[PeerId, int] = field(default_factory=dict)
    searched: bool = False

    def count_refusal(self, holder: PeerId) -> int:
        """Count that a holder was busy. Returns how often it had been before."""
        before = self.turned_away.get(holder, 0)
        self.turned_away[holder] = before + 1
        return before

    @property
    def here(self) -> int:
        """Bytes that have come."""
        return sum(part.end - part.begin for part in self.parts)

    def take(self, most: int) -> tuple[int, int]:
        """Remove the next range of at most `most` bytes from the missing ones, and return it. Raises IndexError if
        nothing is missing."""
        begin, end = self.missing.pop(0)
        if end - begin > most:
            self.missing.insert(0, (begin + most, end))
            end = begin + most
        return begin, end

    def give_back(self, begin: int, end: int) -> None:
        """Add a range that did not come to the missing ones."""
        if begin < end:
            self.missing.append((begin, end))
            self.missing.sort()

    def verified(self) -> bool:
        """Whether the hash of what has come is right: whether all samples are from a file with that hash."""
        return all(part.samples in (0, self.hash) for part in self.parts)

    def unproven(self) -> list[Part]:
        """Parts that have bytes which the hash does not cover; all parts, if there are none."""
        return [part for part in self.parts if not part.covered] or self.parts


@dataclass(frozen=True, slots=True)
class Unopened:
    """A decoy that was fetched and that its user has not opened. It is shared as other files are, but is not in the
    library: a peer that asks for a range gets the bytes that came."""

    file: File
    parts: tuple[Part, ...]

    def digest_at(self, offset: int) -> tuple[int, int]:
        """The digest of the byte at an offset, and where the part with it ends."""
        return next(((part.digest, part.end) for part in self.parts if part.begin <= offset < part.end), (0, 0))


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a range that waits for the line."""

    ticket: Ticket
    get: Get
    level: int


@dataclass(slots=True)
class Sent:
    """The line has taken a range: send it now. With `already_sent`, it was sent already and the link delays it."""

    part: ClassVar = "transfer"
    ticket: Ticket
    chunk: Chunk
    already_sent: bool


@dataclass(slots=True)
class Uploads:
    """What a peer sends to others: one range after the other, requests of the highest participation level first.

    waiting  requests, in the order in which they came
    busy     whether the line is taken
    sent, got  bytes that were sent and fetched: the participation level is computed from them
    """

    waiting: list[Request] = field(default_factory=list)
    busy: bool = False
    sent: int = 0
    got: int = 0

    def level(self) -> int:
        """The participation level: 100 times what was sent over what was fetched."""
        if not self.got:
            return LEVEL_START if not self.sent else LEVEL_MOST
        return min(LEVEL_MOST, 100 * self.sent // self.got)

    def get(self, host: Host, message: Get, speed: int, unopened: dict[str, Unopened]) -> None:
        """Queue a request for a line of `speed` kbit/s. If too many wait, the one of the lowest level is refused."""
        if self.file_at(host, message, unopened) is None:
            host.reply(NotHere(False))
            return
        level = max(0, min(message.level, LEVEL_MOST))
        self.waiting.append(Request(host.request, message, level))
        if len(self.waiting) > QUEUE:
            last = min(reversed(self.waiting), key=lambda one: one.level)
            self.waiting.remove(last)
            host.reply(NotHere(True), to=last.ticket)
        self.serve_next(host, speed, unopened)

    def file_at(self, host: Host, get: Get, unopened: dict[str, Unopened]) -> tuple[File, int, int] | None:
        """The file that is asked for, with the digest of the bytes at the offset; the end of the range that has this
        digest; and the size of the file. None if it is not here. (If fewer than `RANGE_LEAST` bytes have this digest,
        the whole range that is sent counts as having it.)"""
        if not 0 <= get.offset < get.size + get.offset <= 1 << 62:
            return None
        file = own_file(host, get.name)
        if file is not None and file.weak == get.hash and get.offset < file.size:
            return host.library.serves(file), file.size, file.size
        kept = unopened.get(get.name)
        if kept is not None and kept.file.weak == get.hash and get.offset < kept.file.size:
            digest, end = kept.digest_at(get.offset)
            return File(get.name, kept.file.size, digest, weak=get.hash), end, kept.file.size
        return None

    def serve_next(self, host: Host, speed: int, unopened: dict[str, Unopened]) -> None:
        """Give the line to the request of the highest level that has waited longest."""
        while self.waiting and not self.busy:
            best = max(self.waiting, key=lambda one: one.level)
            self.waiting.remove(best)
            found = self.file_at(host, best.get, unopened)
            if found is None:
                host.reply(NotHere(False), to=best.ticket)
                continue
            file, end, whole = found
            offset = best.get.offset
            most = min(host.options.chunk_kb * 1024, speed * 125 * RANGE_S, end - offset)
            size = min(best.get.size, whole - offset, max(most, RANGE_LEAST))
            samples = file.weak if sampled(whole, offset, offset + size) else 0
            chunk = Chunk(best.get.hash, offset, Blob(size, file.digest), samples)
            self.busy = True
            already_sent = host.line.up_kbit_s > 0
            if already_sent:
                # The link delays the range. The timer only says when the next one may be sent.
                host.reply(chunk, to=best.ticket)
            # bits / (kb/s) = ms
            host.after(
                size * 8_000 // speed,
                Sent(best.ticket, chunk, already_sent),
                cause=None if already_sent else best.ticket.cause,
            )
            self.sent += size

    def done(self, host: Host, tick: Sent, speed: int, unopened: dict[str, Unopened]) -> None:
        """The line is free again."""
        self.busy = False
        if not tick.already_sent:
            host.reply(tick.chunk, to=tick.ticket)
        self.serve_next(host, speed, unopened)

"""How a servent fetches and serves files: HTTP beside the overlay. Source: section "File Downloads"."""

# Downloads. The downloader asks for one range at a time, so that no servent keeps state for a peer that is gone: a dead
# holder refuses the next request, a dead downloader sends no more requests. A holder that refuses, declines, sends
# other bytes than it promised, or falls silent is replaced by the next one that answered the same query; the bytes that
# have arrived are kept if the next holder has the same file. A timer with the cause of the ask runs until the file has
# arrived or no holder is left, so an ask stays open exactly as long as its download. The streams of transfers are not
# drawn as links: they are no part of the overlay, and no query travels over them.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ...api import Blob, File, Host, PeerId
from ...kit import Download, own_file
from .messages import TTL_MAX, Chunk, Get, Giv, Gone, Push, QueryHit, files_of, index_of, named
from .pushes import Pushes

SECOND_US = 1_000_000
ASKS = 256
"""Own queries whose answers are still recognised."""
SOURCES = 16
"""Holders remembered for one download."""
DOWNLOADS = 64
"""Downloads at a time; files that are found while there are so many are not fetched."""
RANGE_S = 3
"""No range takes the line longer than this, so that each download that shares the line receives something within its
timeout."""
RANGE_LEAST = 1024
"""Bytes of the smallest range that is accepted, except for the last of a file: with less, a download could last for
ever."""
WAITING = 4
"""A download that goes on is turned away only when this many times the allowed uploads are waiting."""


@dataclass(slots=True)
class Sent:
    """The line has taken a range: send it now. With `already_sent`, it was sent already and the link delays it."""

    part: ClassVar = "transfer"
    to: PeerId
    name: str
    offset: int
    size: int
    already_sent: bool = False


@dataclass(slots=True)
class Stalled:
    """Time to look whether this attempt at a download still makes progress."""

    part: ClassVar = "transfer"
    name: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Source:
    """A holder of a file: the file as it names it, and its address. If it must be pushed, `servent` is its id and `ttl`
    is large enough for a Push to arrive; else `servent` is empty."""

    file: File
    holder: PeerId
    servent: bytes
    ttl: int

    @property
    def content(self) -> object:
        """Size and hash."""
        return self.file.size, self.file.digest


@dataclass(slots=True)
class Fetch(Download[Source]):
    """A file that is being fetched. spare: holders that answered the same query with another name."""

    spare: list[Source] = field(default_factory=list)


class Downloads:
    """The files that a servent fetches.

    running     those being fetched, by name
    mine        GUID of an own query -> name of the file that is fetched for it, or "" before there is one
    pushes      the ways to servents that must be pushed
    firewalled  whether the servent accepts no connections
    attempts    the number of attempts so far
    """

    __slots__ = ("attempts", "firewalled", "mine", "pushes", "running")

    def __init__(self, pushes: Pushes) -> None:
        self.running: dict[str, Fetch] = {}
        self.mine: dict[bytes, str] = {}
        self.pushes = pushes
        self.firewalled = False
        self.attempts = 0

    def found(self, host: Host, hit: QueryHit) -> None:
        """An answer to one of our own queries; all fields but `results` have been checked."""
        files = files_of(hit.results)
        if not files or hit.address == host.me:
            host.log("nonsense")
            return
        for file in files:
            host.hit(hit.address, file.name)
        if not host.options.download:
            return
        name = self.mine[hit.guid]
        file = next((f for f in files if f.name == name or (not name and own_file(host, f.name) is None)), files[0])
        if own_file(host, file.name) is not None:
            return
        source = Source(file, hit.address, hit.servent if hit.push else b"", min(hit.hops + 2, TTL_MAX))
        if name and file.name != name:
            chosen = self.running.get(name)
            if chosen is not None and len(chosen.spare) < SOURCES:
                chosen.spare.append(source)
            return
        download = self.running.get(file.name)
        if download is not None:
            known = (download.source, *download.others)
            if len(known) < SOURCES and all(each.holder != hit.address for each in known):
                download.others.append(source)
        elif len(self.running) < DOWNLOADS:
            download = self.running[file.name] = Fetch(source, [], host.cause, host.now_us)
            self.attempt(host, download)
        self.mine[hit.guid] = file.name

    def attempt(self, host: Host, download: Fetch) -> None:
        """Ask the present source. The cause is given, since a retry may be started by an event without a cause."""
        self.attempts += 1
        download.attempt = self.attempts
        download.moved_us = host.now_us
        source = download.source
        if source.servent:
            way = self.pushes.way(source.servent)
            if self.firewalled or way is None:
                self.next_holder(host, download, "both are firewalled" if self.firewalled else "no way to push")
                return
            push = Push(host.rng.bytes(16), source.ttl, 0, source.servent, index_of(source.file.name), host.me)
            host.send(way, push, cause=download.cause)
        else:
            host.send(source.holder, Get(source.file.name, download.here), cause=download.cause)
        self.look_later(host, download)

    def look_later(self, host: Host, download: Fetch) -> None:
        """Set the timer for the moment at which the source counts as silent."""
        silent_us = download.moved_us + self.silence_us(host) - host.now_us
        download.look_later(host, silent_us, Stalled(download.source.file.name, download.attempt))

    def silence_us(self, host: Host) -> int:
        """How long a download may make no progress, in us. A range is delivered as a whole, so the time that our own
        line needs for it while all downloads share the line is added."""
        patience_us = int(host.options.download_timeout_s * SECOND_US)
        if host.line.down_kbit_s:
            patience_us += host.options.chunk_kb * 8_192_000 * len(self.running) // host.line.down_kbit_s
        return patience_us

    def stalled(self, host: Host, tick: Stalled) -> None:
        """Look again later if there was progress, else try another holder."""
        download = self.running.get(tick.name)
        if download is None or download.attempt != tick.attempt:
            return
        download.watch = None
        if host.now_us < download.moved_us + self.silence_us(host):
            self.look_later(host, download)
        else:
            self.next_holder(host, download, "the holder was silent")

    def next_holder(self, host: Host, download: Fetch, why: str) -> None:
        """Give up the present source: try the next one, or fail."""
        download.unwatch(host)
        before = download.source
        if not download.next_source():
            del self.running[before.file.name]
            host.failed(why, cause=download.cause)
            return
        file = download.source.file
        host.log("another holder", name=file.name, holder=download.source.holder, instead_of=before.holder, why=why)
        self.attempt(host, download)

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        """A Get, or the first hop of a Push, was refused."""
        if isinstance(message, Get):
            self.unserved(host, message.name, to, "refused")
        elif isinstance(message, Push) and message.address == host.me:
            for download in list(self.running.values()):
                source = download.source
                if source.servent == message.servent and index_of(source.file.name) == message.index:
                    self.next_holder(host, download, "no way to push")

    def giv(self, host: Host, sender: PeerId, message: Giv) -> None:
        download = self.running.get(message.name) if named(message.name) else None
        if download is not None and download.source.holder == sender and download.source.servent:
            download.moved_us = host.now_us
            host.send(sender, Get(message.name, download.here), cause=download.cause)

    def chunk(self, host: Host, sender: PeerId, message: Chunk) -> None:
        download = self.running.get(message.name) if named(message.name) else None
        if download is None or download.source.holder != sender or message.offset != download.here:
            return
        file, data = download.source.file, message.data
        rest = file.size - download.here
        if not min(rest, RANGE_LEAST) <= data.size <= rest:
            host.log("nonsense")
            self.next_holder(host, download, "nonsense")
            return
        if data.digest != file.digest:
            download.here = 0
            self.next_holder(host, download, "other bytes than promised")
            return
        download.here += data.size
        download.moved_us = host.now_us
        if data.size < rest:
            host.send(sender, Get(file.name, download.here), cause=download.cause)
            return
        if not host.library.add(file):
            host.decoy(sender, file.name, cause=download.cause)
            self.got_decoy(host, download)
            return
        download.unwatch(host)
        del self.running[file.name]
        host.fetched(sender, file.name, cause=download.cause)

    def got_decoy(self, host: Host, download: Fetch) -> None:
        """The hash was right, but the user deleted the file, since its contents are not what its name says. If no other
        holder has this name, a file of another name that was found by the same query is tried."""
        download.here = 0
        if not download.others:
            names = (source.file.name for source in download.spare)
            name = next((one for one in names if one not in self.running and own_file(host, one) is None), None)
            if name is not None:
                self.running[name] = self.running.pop(download.source.file.name)
                download.others = [source for source in download.spare if source.file.name == name]
                download.spare = [source for source in download.spare if source.file.name != name]
                before, download.source = download.source, download.others[0]
                download.source = Source(download.source.file, before.holder, b"", 0)
        self.next_holder(host, download, "a decoy")

    def gone(self, host: Host, sender: PeerId, message: Gone) -> None:
        if message.name == "" or named(message.name):
            self.unserved(host, message.name, sender, "the holder does not serve it")

    def unserved(self, host: Host, name: str, holder: PeerId, why: str) -> None:
        """A holder does not serve this file, or, with an empty name, anything that it was asked for."""
        for download in [d for d in self.running.values() if d.source.holder == holder]:
            if name in ("", download.source.file.name):
                self.next_holder(host, download, why)


class Uploads:
    """The ranges of files that a servent sends.

    busy_us, waiting  when the line will have taken all ranges that wait for it, and how many these are
    """

    __slots__ = ("busy_us", "waiting")

    def __init__(self) -> None:
        self.busy_us = 0
        self.waiting = 0

    def get(self, host: Host, sender: PeerId, message: Get, speed: int) -> None:
        """Queue a range for a line of `speed` kbit/s, which takes one after the other."""
        name, offset = message.name, message.offset
        if name != "" and not (named(name) and 0 <= offset <= 1 << 62):
            host.log("nonsense")
            return
        file = own_file(host, name)
        slots = host.options.uploads * (WAITING if offset else 1)
        if file is None or offset >= file.size or self.waiting >= slots:
            host.send(sender, Gone(name))
            return
        size = min(host.options.chunk_kb * 1024, speed * 125 * RANGE_S, file.size - offset)
        # bits / (kb/s) = ms
        self.busy_us = max(host.now_us, self.busy_us) + size * 8_000 // speed
        self.waiting += 1
        if host.line.up_kbit_s:
            # The link delays the range. The timer only says when the next upload may take its place.
            host.send(sender, Chunk(name, offset, Blob(size, file.digest)))
            host.after(self.busy_us - host.now_us, Sent(sender, name, offset, size, already_sent=True), cause=None)
            return
        host.after(self.busy_us - host.now_us, Sent(sender, name, offset, size))

    def sent(self, host: Host, tick: Sent) -> None:
        self.waiting -= 1
        file = None if tick.already_sent else own_file(host, tick.name)
        if file is not None:
            host.send(tick.to, Chunk(tick.name, tick.offset, Blob(tick.size, file.digest)))

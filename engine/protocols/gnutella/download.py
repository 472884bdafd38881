"""Fetching what was found: HTTP straight to the holder, in ranges; a Push where the holder cannot be called.

The downloader asks for one range at a time, so that nobody holds state for somebody who is gone: a dead holder
refuses the next request, a dead downloader asks for no more. A holder that refuses, declines, sends other bytes than
it promised, or falls silent is replaced by the next one that answered the same question; what is here already is
kept if the next has the same bytes. A watch descends from the ask until its file is here or nobody is left to try,
so an ask stays open for as long as its download lives, and no longer.

Transfers open no stream that is drawn: they are no part of the overlay, and a question does not travel over them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...api import Blob, Cause, File, Host, PeerId, on
from .messages import BYTE_MAX, Chunk, Get, Giv, Gone, Push, QueryHit, files_of, guid, headed, named, whole
from .routes import Table, Ways

SECOND_US = 1_000_000
SOURCES = 16
"""Holders remembered for one download."""
DOWNLOADS = 64
"""Downloads at a time; a user who wants more waits for one to end."""
GIVEN = 64
"""Peers that a firewalled servent has called and that may fetch over that call."""
RANGE_S = 3
"""No range takes the line longer than this, so that those who share it are all heard of within the timeout."""
RANGE_LEAST = 1024
"""Bytes; who deals out less at a time, but for the last, wants to be waited for for ever."""
WAITING = 4
"""A download that goes on is turned away only when this many times the uploads allowed are waiting."""


@dataclass(slots=True)
class Sent:
    """The line has taken a range: hand it over, unless it was `handed` to the line at once, which takes its time."""

    to: PeerId
    name: str
    offset: int
    size: int
    handed: bool = False


@dataclass(slots=True)
class Stalled:
    """Look whether this attempt at a download still moves."""

    name: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody who has a file: the file as it calls it, and its address. `servent` is its id if it must be pushed, else
    b"", and `ttl` enough for a Push to get there."""

    file: File
    holder: PeerId
    servent: bytes
    ttl: int


@dataclass(slots=True)
class Download:
    """A file on its way: from whom, whom to try next, how many bytes are here, and when it last moved. `spare` are
    those who answered the same question with another name."""

    source: Source
    others: list[Source]
    cause: Cause
    moved_us: int
    here: int = 0
    attempt: int = 0
    watch: object = None
    spare: list[Source] = field(default_factory=list)


class Fetcher(Ways):
    """The part of a servent that fetches and serves files.

    `pushes` is the way to a servent, by its id. `mine` are the GUIDs of own queries, with the name of the file that is
    fetched for each, or "" before there is one. `busy_us` is when the line will have taken what waits for it,
    `uploading` how many ranges that are.
    """

    __slots__ = (
        "attempts",
        "busy_us",
        "connections",
        "downloads",
        "firewalled",
        "given",
        "id",
        "mine",
        "pushes",
        "speed",
        "uploading",
    )

    def __init__(self) -> None:
        super().__init__()
        self.id = b""
        self.speed = 1
        self.firewalled = False
        self.connections: dict[PeerId, int] = {}
        self.pushes = Table()
        self.mine: dict[bytes, str] = {}
        self.downloads: dict[str, Download] = {}
        self.attempts = 0
        self.busy_us = 0
        self.uploading = 0
        self.given: dict[PeerId, None] = {}

    # --- fetching -----------------------------------------------------------------------------------------

    def found(self, host: Host, hit: QueryHit) -> None:
        """An answer to one of our own queries. The hit is sound but for its results."""
        files = files_of(hit.results)
        if not files or hit.address == host.me:
            host.note("nonsense")
            return
        for file in files:
            host.note("hit", holder=hit.address, content=file.name)
        if not host.options.download:
            return
        name = self.mine[hit.guid]
        file = next((f for f in files if f.name == name or (not name and here(host, f.name) is None)), files[0])
        if here(host, file.name) is not None:
            return
        source = Source(file, hit.address, hit.servent if hit.push else b"", min(hit.hops + 2, BYTE_MAX))
        if name and file.name != name:
            chosen = self.downloads.get(name)
            if chosen is not None and len(chosen.spare) < SOURCES:
                chosen.spare.append(source)
            return
        download = self.downloads.get(file.name)
        if download is not None:
            known = (download.source, *download.others)
            if len(known) < SOURCES and all(each.holder != hit.address for each in known):
                download.others.append(source)
        elif len(self.downloads) < DOWNLOADS:
            download = self.downloads[file.name] = Download(source, [], host.cause, host.now_us)
            self.attempt(host, download)
        self.mine[hit.guid] = file.name

    def attempt(self, host: Host, download: Download) -> None:
        """Ask the present source. The cause is named: what makes us try again may descend from none."""
        self.attempts += 1
        download.attempt = self.attempts
        download.moved_us = host.now_us
        source = download.source
        if source.servent:
            way = self.pushes.get(source.servent)
            if self.firewalled or way not in self.connections:
                self.other(host, download, "both are firewalled" if self.firewalled else "no way to push")
                return
            assert way is not None
            push = Push(host.rng.bytes(16), source.ttl, 0, source.servent, source.file.name, host.me)
            host.send(way, push, cause=download.cause)
        else:
            host.send(source.holder, Get(source.file.name, download.here), cause=download.cause)
        self.look_later(host, download)

    def look_later(self, host: Host, download: Download) -> None:
        """Come back when it could have fallen silent."""
        silent_us = download.moved_us + self.silence_us(host) - host.now_us
        tick = Stalled(download.source.file.name, download.attempt)
        download.watch = host.after(silent_us, tick, cause=download.cause)

    def silence_us(self, host: Host) -> int:
        """How long a download may stand still: a range is heard of when all of it is here, and may take our own line a
        while, shared by all downloads as it is."""
        patience_us = int(host.options.download_timeout_s * SECOND_US)
        if host.line.down_kbit_s:
            patience_us += host.options.chunk_kb * 8_192_000 * len(self.downloads) // host.line.down_kbit_s
        return patience_us

    @on(Stalled)
    def stalled(self, host: Host, tick: Stalled) -> None:
        """It moved since, so look again later; or it did not, so try another holder."""
        download = self.downloads.get(tick.name)
        if download is None or download.attempt != tick.attempt:
            return
        download.watch = None
        if host.now_us < download.moved_us + self.silence_us(host):
            self.look_later(host, download)
        else:
            self.other(host, download, "silent")

    def other(self, host: Host, download: Download, why: str) -> None:
        """Not from this one. Try the next, or give up."""
        self.unwatch(host, download)
        before = download.source
        if not download.others:
            del self.downloads[before.file.name]
            host.note("download failed", name=before.file.name, holder=before.holder, why=why)
            return
        download.source = download.others.pop(0)
        file = download.source.file
        if (file.size, file.digest) != (before.file.size, before.file.digest):
            download.here = 0
        host.note("another holder", name=file.name, holder=download.source.holder, instead_of=before.holder, why=why)
        self.attempt(host, download)

    def unwatch(self, host: Host, download: Download) -> None:
        """No need to look any more; a watch left set would hold the ask open."""
        if download.watch is not None:
            host.cancel(download.watch)
            download.watch = None

    def unheard(self, host: Host, to: PeerId, message: object) -> None:
        """A Get, or the first step of a Push, found nobody."""
        if isinstance(message, Get):
            self.unserved(host, message.name, to, "refused")
        elif isinstance(message, Push) and message.address == host.me:
            download = self.downloads.get(message.name)
            if download is not None and download.source.servent == message.servent:
                self.other(host, download, "no way to push")

    @on(Giv)
    def giv(self, host: Host, sender: PeerId, message: Giv) -> None:
        download = self.downloads.get(message.name) if named(message.name) else None
        if download is not None and download.source.holder == sender and download.source.servent:
            download.moved_us = host.now_us
            host.send(sender, Get(message.name, download.here), cause=download.cause)

    @on(Chunk)
    def chunk(self, host: Host, sender: PeerId, message: Chunk) -> None:
        download = self.downloads.get(message.name) if named(message.name) else None
        if download is None or download.source.holder != sender or message.offset != download.here:
            return
        file, data = download.source.file, message.data
        rest = file.size - download.here
        if data.__class__ is not Blob or not whole(data.size, min(rest, RANGE_LEAST), rest):
            host.note("nonsense")
            self.other(host, download, "nonsense")
            return
        if data.digest != file.digest:
            download.here = 0
            self.other(host, download, "other bytes than promised")
            return
        download.here += data.size
        download.moved_us = host.now_us
        if data.size < rest:
            host.send(sender, Get(file.name, download.here), cause=download.cause)
            return
        if not host.library.add(file):
            host.note("decoy", content=file.name, holder=sender)
            self.decoyed(host, download)
            return
        self.unwatch(host, download)
        del self.downloads[file.name]
        host.note("downloaded", name=file.name, holder=sender, bytes=download.here)

    def decoyed(self, host: Host, download: Download) -> None:
        """All bytes were as promised, and it was not what its name said. When nobody else has this name, what is called
        otherwise and answered the same question may be what was meant."""
        download.here = 0
        if not download.others:
            names = (source.file.name for source in download.spare)
            name = next((one for one in names if one not in self.downloads and here(host, one) is None), None)
            if name is not None:
                self.downloads[name] = self.downloads.pop(download.source.file.name)
                download.others = [source for source in download.spare if source.file.name == name]
                download.spare = [source for source in download.spare if source.file.name != name]
                before, download.source = download.source, download.others[0]
                download.source = Source(download.source.file, before.holder, b"", 0)
        self.other(host, download, "a decoy")

    @on(Gone)
    def gone(self, host: Host, sender: PeerId, message: Gone) -> None:
        if message.name == "" or named(message.name):
            self.unserved(host, message.name, sender, "not to be had there")

    def unserved(self, host: Host, name: str, holder: PeerId, why: str) -> None:
        """This holder will not serve this file, or, without a name, whatever it was asked for."""
        for download in [d for d in self.downloads.values() if d.source.holder == holder]:
            if name in ("", download.source.file.name):
                self.other(host, download, why)

    # --- serving --------------------------------------------------------------------------------------------

    @on(Push)
    def push(self, host: Host, sender: PeerId, message: Push) -> None:
        m = message
        if sender not in self.connections:
            return
        if not (headed(m) and guid(m.servent) and named(m.name) and m.address.__class__ is int and m.address >= 0):
            host.note("nonsense")
            return
        if m.servent == self.id:
            self.given[m.address] = None
            if len(self.given) > GIVEN:
                del self.given[next(iter(self.given))]
            host.send(m.address, Giv(m.name))
            return
        way = self.pushes.get(m.servent)
        if way is not None and way in self.connections and way != sender and m.ttl > 1 and m.hops < BYTE_MAX:
            host.send(way, Push(m.guid, m.ttl - 1, m.hops + 1, m.servent, m.name, m.address))

    @on(Get)
    def get(self, host: Host, sender: PeerId, message: Get) -> None:
        """Queue a range for the line, which takes them in turn and so is shared."""
        if self.firewalled and sender not in self.given:
            return
        name, offset = message.name, message.offset
        if name != "" and not (named(name) and whole(offset, 0, 1 << 62)):
            host.note("nonsense")
            return
        file = here(host, name)
        slots = host.options.uploads * (WAITING if offset else 1)
        if file is None or offset >= file.size or self.uploading >= slots:
            host.send(sender, Gone(name))
            return
        size = min(host.options.chunk_kb * 1024, self.speed * 125 * RANGE_S, file.size - offset)
        # bits / (kb/s) = ms
        self.busy_us = max(host.now_us, self.busy_us) + size * 8_000 // self.speed
        self.uploading += 1
        if host.line.up_kbit_s:
            # The link makes it wait. All that is left to say is when the next upload may have this one's place.
            host.send(sender, Chunk(name, offset, Blob(size, file.digest)))
            host.after(self.busy_us - host.now_us, Sent(sender, name, offset, size, handed=True), cause=None)
            return
        host.after(self.busy_us - host.now_us, Sent(sender, name, offset, size))

    @on(Sent)
    def sent(self, host: Host, tick: Sent) -> None:
        self.uploading -= 1
        file = None if tick.handed else here(host, tick.name)
        if file is not None:
            host.send(tick.to, Chunk(tick.name, tick.offset, Blob(tick.size, file.digest)))


def here(host: Host, name: str) -> File | None:
    """The file of exactly that name in one's own library."""
    return next((file for file in host.library.matching(name) if file.name == name), None)

"""Fetching what was found: HTTP straight to the holder, in ranges; a Push where the holder cannot be called.

The downloader asks for one range at a time, so that nobody holds state for somebody who is gone: a dead holder
refuses the next request, a dead downloader asks for no more.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...api import Blob, File, Host, Peer, PeerId, on
from .wire import Chunk, Get, Giv, Gone, Push, QueryHit


@dataclass(slots=True)
class Sent:
    """The line has taken a chunk: hand it over."""

    to: PeerId
    name: str
    offset: int


class Table:
    """GUID -> the connection it came from. Two generations: the older is forgotten as a whole."""

    __slots__ = ("new", "old")

    def __init__(self) -> None:
        self.new: dict[bytes, PeerId] = {}
        self.old: dict[bytes, PeerId] = {}

    def get(self, guid: bytes) -> PeerId | None:
        return self.new.get(guid, self.old.get(guid))

    def turn(self) -> None:
        self.old, self.new = self.new, {}

    def __len__(self) -> int:
        return len(self.new) + len(self.old)


@dataclass(slots=True)
class Download:
    """A file on its way: what it is, from where, and how many bytes are here."""

    file: File
    holder: PeerId
    here: int = 0


class Fetcher(Peer):
    """The part of a servent that fetches and serves files. `pushes` is the way to a servent, by its id."""

    __slots__ = ("connections", "downloads", "id", "pushes", "speed")

    id: bytes
    speed: int
    connections: dict[PeerId, int]
    pushes: Table
    downloads: dict[str, Download]

    def found(self, host: Host, hit: QueryHit) -> None:
        """An answer to one of our own queries."""
        for file in hit.results:
            host.note("hit", holder=hit.address, content=file.name)
        if not host.options.download or not hit.results:
            return
        file = hit.results[0]
        if file.name in self.downloads or host.library.matching(file.name):
            return
        self.downloads[file.name] = Download(file, hit.address)
        if hit.push:
            way = self.pushes.get(hit.servent)
            if way is not None:
                host.send(way, Push(host.rng.bytes(16), hit.hops + 2, 0, hit.servent, file.name, host.me))
        else:
            host.send(hit.address, Get(file.name, 0))

    @on(Push)
    def push(self, host: Host, sender: PeerId, message: Push) -> None:
        if message.servent == self.id:
            host.send(message.address, Giv(message.name))
            return
        way = self.pushes.get(message.servent)
        if way is not None and way in self.connections and message.ttl > 1:
            m = message
            host.send(way, Push(m.guid, m.ttl - 1, m.hops + 1, m.servent, m.name, m.address))

    @on(Giv)
    def giv(self, host: Host, sender: PeerId, message: Giv) -> None:
        download = self.downloads.get(message.name)
        if download is not None and download.holder == sender:
            host.send(sender, Get(message.name, download.here))

    @on(Get)
    def get(self, host: Host, sender: PeerId, message: Get) -> None:
        file = next((f for f in host.library.files() if f.name == message.name), None)
        if file is None or not 0 <= message.offset < file.size:
            host.send(sender, Gone(message.name))
            return
        size = min(host.options.chunk_kb * 1024, file.size - message.offset)
        host.after(size * 8_000 // self.speed, Sent(sender, file.name, message.offset))

    @on(Sent)
    def sent(self, host: Host, tick: Sent) -> None:
        file = next((f for f in host.library.files() if f.name == tick.name), None)
        if file is not None:
            size = min(host.options.chunk_kb * 1024, file.size - tick.offset)
            host.send(tick.to, Chunk(tick.name, tick.offset, Blob(size, file.digest)))

    @on(Chunk)
    def chunk(self, host: Host, sender: PeerId, message: Chunk) -> None:
        download = self.downloads.get(message.name)
        if download is None or download.holder != sender or message.offset != download.here:
            return
        download.here += message.data.size
        if download.here < download.file.size:
            host.send(sender, Get(message.name, download.here))
            return
        del self.downloads[message.name]
        host.library.add(download.file)
        host.note("downloaded", name=message.name, holder=sender, bytes=download.here)

    @on(Gone)
    def gone(self, host: Host, sender: PeerId, message: Gone) -> None:
        mine = [name for name, d in self.downloads.items() if d.holder == sender and message.name in ("", name)]
        for name in mine:
            del self.downloads[name]
            host.note("download failed", name=name, holder=sender, why="not there")

"""Napster from user to user: downloads, which ask the index for the way and one holder after the other for the file,
and uploads, which go as fast as the line does.

The index is asked once for each attempt (203, 204) and never again, so its death leaves running transfers alone. A
holder that dies, declines, falls silent or sends other bytes than it promised is replaced by the next best. One that
cannot be called is made to call by way of the index (500, 501); when the downloader cannot be called either, there is
no way between the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...api import Blob, Cause, File, Host, Peer, PeerId, on
from .messages import (
    DOWNLOAD_END,
    DOWNLOAD_START,
    UPLOAD_END,
    UPLOAD_START,
    AlternateAck,
    AlternateRequest,
    Data,
    DownloadAck,
    DownloadRequest,
    Entry,
    Get,
    GetError,
    Offer,
    Transfer,
    kbit_s,
    link_of,
)

DATA_PORT = 6699
PIECE_S = 3
"""No piece takes a line longer than this, so that those who share one are all heard of before they seem stalled."""


@dataclass(slots=True)
class Stalled:
    """Look whether this attempt at a download still moves."""

    name: str
    attempt: int


@dataclass(slots=True)
class LineFree:
    """The next piece of an upload has left."""

    to: PeerId
    name: str
    serial: int


@dataclass(slots=True)
class Download:
    """A file on its way: from whom, and whom to try after. `acked` once the index has told where (204)."""

    cause: Cause
    entry: Entry
    others: list[Entry]
    moved_us: int
    attempt: int = 0
    have: int = 0
    acked: bool = False


@dataclass(slots=True)
class Upload:
    """A file on its way to somebody: `at` bytes are sent. `serial` tells it from an earlier one of the same."""

    file: File
    at: int
    link: int
    serial: int


@dataclass(slots=True, eq=False)
class Trader(Peer):
    """The half of a user that moves files; `server` is the index, `state` the login there."""

    nick: str = ""
    link: int = 0
    port: int = DATA_PORT
    server: PeerId = -1
    state: str = "offline"
    serial: int = 0
    downloads: dict[str, Download] = field(default_factory=dict)
    uploads: dict[tuple[PeerId, str], Upload] = field(default_factory=dict)

    def finished(self, host: Host) -> None:
        """A download is in the library."""

    def count(self, host: Host, code: int) -> None:
        """Tell the index that a transfer begins or ends, well or badly."""
        if self.state == "online":
            host.send(self.server, Transfer(code))

    # --- downloading --------------------------------------------------------------------------------------

    def attempt(self, host: Host, download: Download) -> None:
        """Ask the index for the way (203). The cause is named: what makes us try again may descend from none."""
        name = download.entry.name
        if self.state != "online":
            del self.downloads[name]
            host.note("download stopped", content=name)
            return
        self.serial += 1
        download.attempt = self.serial
        download.acked, download.moved_us = False, host.now_us
        host.send(self.server, DownloadRequest(download.entry.nick, name), cause=download.cause)
        self.watch(host, download, int(host.options.stall_s * 1e6))

    def watch(self, host: Host, download: Download, delay_us: int) -> None:
        """Come back to see whether it moves."""
        host.after(delay_us, Stalled(download.entry.name, download.attempt), cause=download.cause)

    @on(Stalled)
    def stalled(self, host: Host, tick: Stalled) -> None:
        """It moved since, so look again later; or it did not, so try another holder."""
        download = self.downloads.get(tick.name)
        if download is not None and download.attempt == tick.attempt:
            left_us = download.moved_us + int(host.options.stall_s * 1e6) - host.now_us
            if left_us > 0:
                self.watch(host, download, left_us)
            else:
                self.other(host, download, "it stood still")

    def other(self, host: Host, download: Download, why: str = "") -> None:
        """Not from this one. What is here already is kept if the next has the same bytes."""
        old = download.entry
        if download.acked:
            self.count(host, DOWNLOAD_END)
        if not download.others:
            del self.downloads[old.name]
            host.note("download failed", content=old.name, why=why)
        else:
            download.entry = download.others.pop(0)
            if download.entry.md5 != old.md5:
                download.have = 0
            self.attempt(host, download)
        self.hang_up(host, old.ip)

    def hang_up(self, host: Host, peer: PeerId) -> None:
        """Close the stream to a user with whom there is nothing more to do."""
        down = any(download.acked and download.entry.ip == peer for download in self.downloads.values())
        if not down and all(to != peer for to, _ in self.uploads):
            host.unlink(peer)

    def download_of(self, name: object, acked: bool, ip: PeerId = -1, nick: object = None) -> Download | None:
        """The download that such a message belongs to; one without a name is about any of that holder."""
        for download in self.downloads.values():
            entry = download.entry
            if download.acked == acked and name in (entry.name, "") and (entry.ip == ip or entry.nick == nick):
                return download
        return None

    @on(DownloadAck)
    def download_ack(self, host: Host, sender: PeerId, message: DownloadAck) -> None:
        """204: go there."""
        download = self.download_of(message.name, False, nick=message.nick) if sender == self.server else None
        if download is None:
            return
        if not message.name or message.ip != download.entry.ip:
            self.other(host, download, "the holder declined")
        elif message.port:
            self.fetch(host, download)
        elif self.port:
            download.moved_us = host.now_us
            host.send(self.server, AlternateRequest(download.entry.nick, message.name))
        else:
            self.other(host, download, "both are firewalled")

    def fetch(self, host: Host, download: Download) -> None:
        """There is a way to the holder: take the file from where it stands."""
        download.acked, download.moved_us = True, host.now_us
        holder = download.entry.ip
        host.link(holder)
        receives = link_of(host.line.down_kbit_s) if host.line.down_kbit_s else self.link
        host.send(holder, Get(self.nick, download.entry.name, download.have, receives), cause=download.cause)
        self.count(host, DOWNLOAD_START)

    @on(Offer)
    def offer(self, host: Host, sender: PeerId, message: Offer) -> None:
        """The holder, which cannot be called, calls."""
        download = self.download_of(message.name, False, ip=sender)
        if download is not None and message.name:
            self.fetch(host, download)

    @on(AlternateAck)
    def alternate_ack(self, host: Host, sender: PeerId, message: AlternateAck) -> None:
        """501: somebody wants this file and cannot call, so call there."""
        if sender != self.server or type(message.ip) is not int or message.ip < 0:
            return
        if mine(host, message.name) is None:
            host.send(message.ip, GetError(self.nick, message.name))
        else:
            host.link(message.ip)
            host.send(message.ip, Offer(self.nick, message.name))

    @on(GetError)
    def get_error(self, host: Host, sender: PeerId, message: GetError) -> None:
        """The index or the holder declines."""
        if sender == self.server:
            download = self.download_of(message.name, False, nick=message.nick)
        else:
            download = self.download_of(message.name, True, ip=sender) or self.download_of(
                message.name, False, ip=sender
            )
        if download is not None:
            self.other(host, download, "the holder declined")

    @on(Data)
    def data(self, host: Host, sender: PeerId, message: Data) -> None:
        """Some more of it. The last bytes prove the hash, and what is whole is shared."""
        download, blob = self.download_of(message.name, True, ip=sender), message.blob
        if download is None or type(blob) is not Blob or type(blob.size) is not int:
            return
        name, entry = download.entry.name, download.entry
        if not message.name:
            self.other(host, download, "the holder declined")
            return
        download.have += max(0, blob.size)
        download.moved_us = host.now_us
        if download.have < entry.size:
            return
        if blob.digest != entry.md5:
            host.note("download corrupt", content=name, holder=sender)
            download.have = 0
            self.other(host, download, "other bytes than promised")
            return
        if not host.library.add(File(name, entry.size, blob.digest)):
            # The hash was right, the song was not: only who listens can tell.
            host.note("decoy", content=name, holder=sender)
            download.have = 0
            self.other(host, download)
            return
        del self.downloads[name]
        host.note("downloaded", content=name, holder=sender)
        self.hang_up(host, sender)
        self.count(host, DOWNLOAD_END)
        if self.state == "online":
            self.finished(host)

    # --- uploading ------------------------------------------------------------------------------------------

    @on(Get)
    def get(self, host: Host, sender: PeerId, message: Get) -> None:
        """Serve it, from there on. Asked twice, it begins again."""
        file = mine(host, message.name)
        if file is None or type(message.offset) is not int:
            host.send(sender, GetError(self.nick, message.name))
            return
        self.serial += 1
        link = message.link if type(message.link) is int else 0
        upload = Upload(file, min(max(0, message.offset), file.size), link, self.serial)
        again = self.uploads.get((sender, file.name))
        self.uploads[(sender, file.name)] = upload
        host.link(sender)
        if again is None:
            self.count(host, UPLOAD_START)
        if host.line.up_kbit_s:
            # The link makes pieces wait, the first as well: what is paced here is only when the next is given to it.
            host.after(0, LineFree(sender, upload.file.name, upload.serial))
        else:
            self.pace(host, sender, upload)

    def piece(self, host: Host, upload: Upload) -> int:
        """Size of the next piece in bytes."""
        most = int(host.options.chunk_kb * 1_000)
        if host.line.up_kbit_s:
            most = min(most, host.line.up_kbit_s * 125 * PIECE_S)
        return min(most, upload.file.size - upload.at)

    def pace(self, host: Host, to: PeerId, upload: Upload) -> None:
        """The line is shared by all uploads, and the receiver's may be the slower one. Bits / (kbit/s) = ms."""
        rate = min((host.line.up_kbit_s or kbit_s(self.link)) / len(self.uploads), kbit_s(upload.link))
        delay_us = int(self.piece(host, upload) * 8 / rate * 1_000)
        host.after(delay_us, LineFree(to, upload.file.name, upload.serial))

    @on(LineFree)
    def line_free(self, host: Host, tick: LineFree) -> None:
        """A piece has left; the next."""
        upload = self.uploads.get((tick.to, tick.name))
        if upload is None or upload.serial != tick.serial:
            return
        size = self.piece(host, upload)
        upload.at += size
        host.send(tick.to, Data(tick.name, Blob(size, upload.file.digest)))
        if upload.at < upload.file.size:
            self.pace(host, tick.to, upload)
        else:
            del self.uploads[(tick.to, tick.name)]
            self.count(host, UPLOAD_END)

    # --- losses ---------------------------------------------------------------------------------------------

    def lost(self, host: Host, peer: PeerId) -> None:
        """A user with whom a file was under way is gone."""
        for key in [key for key in self.uploads if key[0] == peer]:
            del self.uploads[key]
            self.count(host, UPLOAD_END)
        for download in [d for d in self.downloads.values() if d.acked and d.entry.ip == peer]:
            self.other(host, download, "the holder is gone")


def mine(host: Host, name: object) -> File | None:
    """The file of exactly that name in one's own library."""
    if not isinstance(name, str):
        return None
    return next((file for file in host.library.matching(name) if file.name == name), None)

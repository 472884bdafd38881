"""Napster's index: the one server.

Nothing here says which of its users lie, and nothing can: the list is what users claim. Words lead to entries and
entries to users, so a search costs what its rarest word costs, and a user who goes takes along all that it shared.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...api import Belief, Beliefs, Host, Peer, PeerId, on, words_of
from .messages import (
    DOWNLOAD_END,
    DOWNLOAD_START,
    AlternateAck,
    AlternateRequest,
    DownloadAck,
    DownloadRequest,
    Entry,
    Error,
    GetError,
    Login,
    LoginAck,
    Results,
    Search,
    Share,
    Transfer,
    Unshare,
    line,
    sound,
)


@dataclass(slots=True)
class AskRecord:
    """What the index keeps of one user who is logged in. `files` by name."""

    nick: str
    port: int
    link: int
    ip: PeerId
    heard_us: int
    downloads: int = 0
    files: dict[str, Entry] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Index(Peer):
    """The server: accounts by address and by nick, and for each word the entries whose names have it."""

    role = "index"
    overlay = False
    shares_files = False

    records: dict[PeerId, AskRecord] = field(default_factory=dict)
    nicks: dict[str, AskRecord] = field(default_factory=dict)
    words: dict[str, dict[Entry, None]] = field(default_factory=dict)

    @on(Login)
    def login(self, host: Host, sender: PeerId, message: Login) -> None:
        """A user anew; what it shared in an earlier life is forgotten. A nick is worn by one at a time."""
        self.forget(sender)
        given = (message.nick, message.port, message.link)
        if tuple(map(type, given)) != (str, int, int) or message.nick in self.nicks:
            host.send(sender, Error())
            return
        self.records[sender] = self.nicks[message.nick] = AskRecord(*given, sender, host.now_us)
        host.link(sender)
        host.send(sender, LoginAck())

    def user(self, host: Host, sender: PeerId) -> AskRecord | None:
        """Who speaks; a stranger is told to log in."""
        record = self.records.get(sender)
        if record is None:
            host.send(sender, Error())
        else:
            record.heard_us = host.now_us
        return record

    @on(Share)
    def share(self, host: Host, sender: PeerId, message: Share) -> None:
        """Into the index, under each word of the name."""
        record = self.user(host, sender)
        if record is None:
            return
        for name, md5, size, *_ in sound(message.entries):
            old = record.files.get(name)
            if old is not None:
                self.strike(old)
            elif len(record.files) >= host.options.max_shared:
                continue
            entry = record.files[name] = Entry(name, md5, size, record.nick, sender, record.link)
            for word in words_of(name):
                self.words.setdefault(word, {})[entry] = None

    @on(Unshare)
    def unshare(self, host: Host, sender: PeerId, message: Unshare) -> None:
        """Out of the index again."""
        record = self.user(host, sender)
        for name, *_ in sound(message.entries) if record is not None else ():
            old = record.files.pop(name, None) if record is not None else None
            if old is not None:
                self.strike(old)

    @on(Search)
    def search(self, host: Host, sender: PeerId, message: Search) -> None:
        """Entries that have all the words, in the order they were shared; the rarest word is gone through."""
        if self.user(host, sender) is None:
            return
        asked = message.max_results if type(message.max_results) is int else 0
        lists = sorted((self.words.get(word, {}) for word in dict.fromkeys(message.about())), key=len)
        found: list[Entry] = []
        for entry in lists[0] if lists else ():
            if len(found) >= min(asked, host.options.max_results):
                break
            if entry.ip != sender and all(entry in other for other in lists[1:]):
                found.append(entry)
        host.send(sender, Results(tuple(found)))

    @on(DownloadRequest)
    def download_request(self, host: Host, sender: PeerId, message: DownloadRequest) -> None:
        """Where the holder can be reached, if it is here and shares the file."""
        known = type(message.nick) is str and type(message.name) is str and self.user(host, sender) is not None
        holder = self.nicks.get(message.nick) if known else None
        entry = holder.files.get(message.name) if holder else None
        if holder and entry:
            host.send(sender, DownloadAck(holder.nick, holder.ip, holder.port, entry.name, entry.md5, entry.link))
        else:
            host.send(sender, GetError(message.nick, message.name))

    @on(AlternateRequest)
    def alternate_request(self, host: Host, sender: PeerId, message: AlternateRequest) -> None:
        """Have a holder that cannot be called call the one who wants the file, if that one can be called itself."""
        known = type(message.nick) is str and type(message.name) is str
        asker = self.user(host, sender) if known else None
        holder = self.nicks.get(message.nick) if asker else None
        entry = holder.files.get(message.name) if holder else None
        if asker and holder and entry and asker.port:
            to = AlternateAck(asker.nick, sender, asker.port, entry.name, entry.md5, asker.link)
            host.send(holder.ip, to)
        else:
            host.send(sender, GetError(message.nick, message.name))

    @on(Transfer)
    def transfer(self, host: Host, sender: PeerId, message: Transfer) -> None:
        """The load, kept beside each user so that it goes when the user goes."""
        record = self.records.get(sender)
        if record is not None:
            step = (message.code == DOWNLOAD_START) - (message.code == DOWNLOAD_END)
            record.downloads = max(0, record.downloads + step)

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        """Gone without goodbye."""
        self.forget(to)

    def closed(self, host: Host, peer: PeerId) -> None:
        """Gone, and with it all that it shared."""
        self.forget(peer)

    def forget(self, peer: PeerId) -> None:
        """Strike a user and its files."""
        record = self.records.pop(peer, None)
        if record is not None:
            del self.nicks[record.nick]
            for entry in record.files.values():
                self.strike(entry)

    def strike(self, entry: Entry) -> None:
        """Take an entry from under its words; a word without entries is no word."""
        for word in dict.fromkeys(words_of(entry.name)):
            del self.words[word][entry]
            if not self.words[word]:
                del self.words[word]

    def beliefs(self) -> Beliefs:
        """Who is here, and how much there is (as 214 tells)."""
        known = {
            ip: Belief(record.heard_us, f"{record.nick}, {line(record.link)}", alive=True, files=len(record.files))
            for ip, record in self.records.items()
        }
        files = sum(len(record.files) for record in self.records.values())
        downloads = sum(record.downloads for record in self.records.values())
        facts = {"users": str(len(known)), "files": str(files), "downloads": str(downloads)}
        return Beliefs(known, facts)

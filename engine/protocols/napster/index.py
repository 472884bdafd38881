"""Napster's index: the one server.

The index lists what users claim to have; it cannot check that. It is an inverted index: each word has the entries whose
names contain it. A search takes time in proportion to the entries of its rarest word. When a user leaves, its entries
are removed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...api import Belief, Beliefs, Host, Peer, PeerId, on
from ...kit import NameIndex
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
class Account:
    """What the index keeps of one user that is logged in. `files` by name."""

    nick: str
    port: int
    link: int
    ip: PeerId
    heard_us: int
    downloads: int = 0
    files: dict[str, Entry] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Index(Peer):
    """The server: accounts by address and by nick, and the entries by the words of their names."""

    role = "index"
    overlay = False
    shares_files = False

    accounts: dict[PeerId, Account] = field(default_factory=dict)
    nicks: dict[str, Account] = field(default_factory=dict)
    names: NameIndex[Entry] = field(default_factory=NameIndex)

    @on(Login)
    def login(self, host: Host, sender: PeerId, message: Login) -> None:
        """Add an account; what the user shared before is removed. A nick is given to one user at a time."""
        self.forget(sender)
        given = (message.nick, message.port, message.link)
        if tuple(map(type, given)) != (str, int, int) or message.nick in self.nicks:
            host.send(sender, Error())
            return
        self.accounts[sender] = self.nicks[message.nick] = Account(*given, sender, host.now_us)
        host.link(sender)
        host.send(sender, LoginAck())

    def keeps(self, text: str) -> bool:
        """Whether a user who is logged in shares a file with these words."""
        return next(self.names.matching(text), None) is not None

    def user(self, host: Host, sender: PeerId) -> Account | None:
        """The account of a sender. A sender that is not logged in gets an Error, and None is returned."""
        account = self.accounts.get(sender)
        if account is None:
            host.send(sender, Error())
        else:
            account.heard_us = host.now_us
        return account

    @on(Share)
    def share(self, host: Host, sender: PeerId, message: Share) -> None:
        """Add entries under each word of their names."""
        account = self.user(host, sender)
        if account is None:
            return
        for name, md5, size, *_ in sound(message.entries):
            old = account.files.get(name)
            if old is not None:
                self.names.remove(name, old)
            elif len(account.files) >= host.options.max_shared:
                continue
            entry = account.files[name] = Entry(name, md5, size, account.nick, sender, account.link)
            self.names.add(name, entry)

    @on(Unshare)
    def unshare(self, host: Host, sender: PeerId, message: Unshare) -> None:
        """Remove entries."""
        account = self.user(host, sender)
        if account is None:
            return
        for name, *_ in sound(message.entries):
            old = account.files.pop(name, None)
            if old is not None:
                self.names.remove(name, old)

    @on(Search)
    def search(self, host: Host, sender: PeerId, message: Search) -> None:
        """Answer with entries that have all the words, in the order in which they were shared. The entries of the
        rarest word are scanned."""
        if self.user(host, sender) is None:
            return
        found: list[Entry] = []
        for entry in self.names.matching(message.name):
            if len(found) >= min(message.max_results, host.options.max_results):
                break
            if entry.ip != sender:
                found.append(entry)
        host.send(sender, Results(tuple(found)))

    @on(DownloadRequest)
    def download_request(self, host: Host, sender: PeerId, message: DownloadRequest) -> None:
        """The address of the holder, if it is logged in and shares the file."""
        holder = self.nicks.get(message.nick) if self.user(host, sender) is not None else None
        entry = holder.files.get(message.name) if holder else None
        if holder and entry:
            host.send(sender, DownloadAck(holder.nick, holder.ip, holder.port, entry.name, entry.md5, entry.link))
        else:
            host.send(sender, GetError(message.nick, message.name))

    @on(AlternateRequest)
    def alternate_request(self, host: Host, sender: PeerId, message: AlternateRequest) -> None:
        """Tell a holder that accepts no connections to connect to the asker, if the asker accepts connections."""
        asker = self.user(host, sender)
        holder = self.nicks.get(message.nick) if asker else None
        entry = holder.files.get(message.name) if holder else None
        if asker and holder and entry and asker.port:
            to = AlternateAck(asker.nick, sender, asker.port, entry.name, entry.md5, asker.link)
            host.send(holder.ip, to)
        else:
            host.send(sender, GetError(message.nick, message.name))

    @on(Transfer)
    def transfer(self, host: Host, sender: PeerId, message: Transfer) -> None:
        """Count the running downloads in the account of the user, so that the count is gone when the user is."""
        account = self.accounts.get(sender)
        if account is not None:
            step = (message.code == DOWNLOAD_START) - (message.code == DOWNLOAD_END)
            account.downloads = max(0, account.downloads + step)

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.forget(to)

    def closed(self, host: Host, peer: PeerId) -> None:
        self.forget(peer)

    def forget(self, peer: PeerId) -> None:
        """Remove a user and its files."""
        account = self.accounts.pop(peer, None)
        if account is not None:
            del self.nicks[account.nick]
            for entry in account.files.values():
                self.names.remove(entry.name, entry)

    def beliefs(self) -> Beliefs:
        """The users, and the statistics of message 214."""
        known = {
            ip: Belief(account.heard_us, f"{account.nick}, {line(account.link)}", alive=True, files=len(account.files))
            for ip, account in self.accounts.items()
        }
        files = sum(len(account.files) for account in self.accounts.values())
        downloads = sum(account.downloads for account in self.accounts.values())
        facts = {"users": str(len(known)), "files": str(files), "downloads": str(downloads)}
        return Beliefs(known, facts)

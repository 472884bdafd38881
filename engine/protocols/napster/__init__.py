"""Napster

Users keep their files; one company keeps the list of who has what. A search is one question to the index and one
answer, however many users there are; those found are pinged to choose one, and the file travels from user to user.
So the files cannot be switched off, but the list can: when the index dies no search is answered, a download without
its 204 stops, and running transfers go on.

After napster.txt (drscholl, 2000-2001), with the limits of OpenNap's server. A hash comes from whoever shares the
file: it proves the bytes and not the name. Left out: bit rates, chat, browsing, upload queues (607 to 620), several
servers.
"""

# Four files, for length: `wire.py` what is said, `index.py` the server, `transfer.py` from user to user, here the user.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...api import Ask, Belief, Beliefs, Cause, Host, PeerId, Station, Theory, Timer, on, option, words_of
from .download import DATA_PORT, Download, Trader, mine
from .index import Index
from .messages import (
    AlternateAck,
    AlternateRequest,
    Data,
    DownloadAck,
    DownloadRequest,
    Entry,
    Error,
    Get,
    GetError,
    Login,
    LoginAck,
    Offer,
    Ping,
    Pong,
    Results,
    Search,
    Share,
    Transfer,
    Unshare,
    kbit_s,
    line,
    link_of,
    sound,
)

__all__ = [
    "AlternateAck",
    "AlternateRequest",
    "Data",
    "DownloadAck",
    "DownloadRequest",
    "Error",
    "Get",
    "GetError",
    "Index",
    "Login",
    "LoginAck",
    "NapsterOptions",
    "Offer",
    "Ping",
    "Pong",
    "Results",
    "Search",
    "Share",
    "Transfer",
    "Unshare",
    "User",
]

LINKS_OF_TWENTY = (0, 2, 3, 3, 4, 4, 4, 4, 5, 6, 7, 7, 7, 7, 7, 8, 8, 8, 9, 10)
"""What users have: our guess of a campus and its town in 2000."""
LOGIN_SPREAD_US = 500_000
KEPT_MOST = 100
"""Searches that wait, and holders whose ping is remembered, at one user."""


@dataclass(slots=True)
class Connect:
    """Time to log in, or to try again."""


@dataclass(slots=True)
class Rescan:
    """Time to look for files that are not shared yet."""


@dataclass(slots=True)
class Unanswered:
    """A search, or the pings after it, have waited long enough."""

    number: int


@dataclass(slots=True)
class NapsterOptions:
    """Limits of OpenNap's server; below them our users' habits."""

    max_results: int = option(100, "entries in one answer", low=1, high=10_000)
    max_shared: int = option(5_000, "files that one user may share", low=0, high=1_000_000)
    search_timeout_s: float = option(180.0, "how long a user waits for an answer, in s", low=0.001, high=86_400)
    login_timeout_s: float = option(60.0, "how long a user waits to be logged in, in s", low=0.001, high=86_400)
    reconnect_s: float = option(10.0, "pause after a lost index, in s, give or take half", low=0.001, high=86_400)
    rescan_s: float = option(60.0, "how often a user looks for new files to share, in s", low=0.001, high=86_400)
    download: bool = option(True, "whether users fetch the best of what they find")
    ping_timeout_s: float = option(2.0, "how long a user waits for pings before choosing, in s", low=0.001, high=3_600)
    stall_s: float = option(120.0, "how long a download may stand still, in s", low=0.001, high=86_400)
    chunk_kb: float = option(64.0, "bytes sent at a time, in KB of 1,000", low=0.1, high=1e6)


@dataclass(slots=True)
class Wanted:
    """A search without results yet; unsent while there is no index to send it to."""

    text: str
    cause: Cause
    timer: Timer
    fetch: bool
    sent: bool = False


@dataclass(slots=True)
class Choice:
    """Results whose holders have been pinged, and the round trips so far, in us."""

    entries: list[Entry]
    sent_us: int
    timer: Timer
    trips_us: dict[PeerId, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class User(Trader, name="napster", options=NapsterOptions):
    """One who shares and searches. To leave is to close the connection, which needs no word."""

    role = "user"
    overlay = False

    heard_us: int | None = None
    connecting: Timer | None = None
    shared: dict[str, int] = field(default_factory=dict)
    wanted: dict[int, Wanted] = field(default_factory=dict)
    choices: dict[int, Choice] = field(default_factory=dict)
    pings: dict[PeerId, tuple[int, int]] = field(default_factory=dict)
    """Holder -> (when its pong came, round trip), both in us."""

    @classmethod
    def stations(cls, options: NapsterOptions, peers: int) -> Sequence[Station]:
        """The index, and the company that answers for it."""
        return [Station(Index, "index", "Napster Inc.")]

    @classmethod
    def explain(cls, facts: Mapping[str, Any], options: NapsterOptions) -> str | None:
        """Without the index nobody finds anything; with it, it is the holders who are missing."""
        state = (facts.get("stations") or {}).get("index", "alive")
        if state != "alive":
            return f"the index is {state}, and nobody else knows who has what."
        if facts.get("holders") and not facts.get("reached"):
            return "the asker could not reach the index, and nobody else knows who has what."
        if facts.get("holders_alive", 0) > facts.get("colluding", 0):
            return "the index was asked and named nobody: it will not, or those who share it were not logged in."
        return None

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: NapsterOptions) -> Sequence[Theory]:
        """However many users there are: one question, to the index."""
        if facts["want"] == "publish":
            return ()
        replies = f"O(1): 1 request, at most {options.max_results + 1} replies; then holders are pinged"
        return (Theory("messages", 1, replies), Theory("reached", 1, "the index"))

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """The index's address is built in; all do not log in at one instant."""
        self.nick = f"user{host.me}"
        if host.line.up_kbit_s:
            self.link = link_of(host.line.up_kbit_s)
        else:
            self.link = saved if isinstance(saved, int) else host.rng.choice(LINKS_OF_TWENTY)
        self.port = 0 if host.line.nat else DATA_PORT
        if contacts:
            self.server = contacts[0]
            self.connecting = host.after(int(host.rng.random() * LOGIN_SPREAD_US), Connect())
            host.every(int(host.options.rescan_s * 1e6), Rescan())

    def joined(self, links: Sequence[PeerId]) -> bool:
        """Whether the index knows it."""
        return self.state == "online"

    def saved(self) -> object:
        """The line stays in the wall."""
        return self.link

    # --- with the index -------------------------------------------------------------------------------

    @on(Connect)
    def connect(self, host: Host, tick: Connect) -> None:
        """Log in; if nothing is heard, again."""
        if self.state != "online":
            self.state = "logging in"
            host.send(self.server, Login(self.nick, self.port, self.link))
            self.connecting = host.after(int(host.options.login_timeout_s * 1e6), Connect(), cause=None)

    @on(LoginAck)
    def login_ack(self, host: Host, sender: PeerId, message: LoginAck) -> None:
        """Share everything, and ask what had to wait."""
        if sender == self.server and self.state != "online":
            self.state, self.heard_us, self.shared = "online", host.now_us, {}
            if self.connecting:
                host.cancel(self.connecting)
            self.share(host)
            for wanted in self.wanted.values():
                self.search(host, wanted)

    @on(Error)
    def error(self, host: Host, sender: PeerId, message: Error) -> None:
        """It does not know us: it must have been away."""
        if sender == self.server:
            self.offline(host)

    def offline(self, host: Host) -> None:
        """Searches wait for the next login. A download that was not told where to go stops."""
        if self.state == "offline":
            return
        self.state = "offline"
        if self.connecting:
            host.cancel(self.connecting)
        pause_s = host.options.reconnect_s * host.rng.uniform(0.5, 1.5)
        self.connecting = host.after(int(pause_s * 1e6), Connect(), cause=None)
        for wanted in self.wanted.values():
            wanted.sent = False
        for name in [name for name, download in self.downloads.items() if not download.acked]:
            del self.downloads[name]
            host.note("download stopped", content=name)

    @on(Rescan)
    def rescan(self, host: Host, tick: Rescan) -> None:
        """Files may have come to the library by other ways."""
        if self.state == "online":
            self.share(host)

    def share(self, host: Host) -> None:
        """Tell the index what it has not been told, and what is no longer so."""
        files = host.library.files()
        if self.shared:
            names = {file.name: None for file in files}
            gone = [name for name in self.shared if name not in names]
            for name in gone:
                del self.shared[name]
            if gone:
                host.send(self.server, Unshare(tuple(Entry(name, 0, 0) for name in gone)))
        new = [file for file in files if self.shared.get(file.name) != file.digest]
        if new:
            self.shared.update((file.name, file.digest) for file in new)
            host.send(self.server, Share(tuple(Entry(file.name, file.digest, file.size) for file in new)))

    def finished(self, host: Host) -> None:
        """A download is in the library, so it is shared."""
        self.share(host)

    # --- searching and choosing -------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        """A user publishes, or looks for something."""
        online = self.state == "online"
        if ask.want == "publish":
            if online:
                self.share(host)
            return
        if len(self.wanted) >= KEPT_MOST:
            host.cancel(self.wanted.pop(next(iter(self.wanted))).timer)
        self.serial += 1
        patience_s = host.options.search_timeout_s if online else host.options.login_timeout_s
        timer = host.after(int(patience_s * 1e6), Unanswered(self.serial))
        self.wanted[self.serial] = wanted = Wanted(ask.text, host.cause, timer, ask.want == "fetch")
        if online:
            self.search(host, wanted)

    def search(self, host: Host, wanted: Wanted) -> None:
        """One question to the index, in the name of the ask that it is for."""
        wanted.sent = True
        host.send(self.server, Search(wanted.text, host.options.max_results), cause=wanted.cause)

    @on(Results)
    def results(self, host: Host, sender: PeerId, message: Results) -> None:
        """They carry no number: they answer the oldest search whose words they have."""
        entries = [entry for entry in sound(message.entries) if entry.ip not in (host.me, -1)]
        words = words_of(entries[0].name) if entries else ()
        answered = (
            number
            for number, wanted in self.wanted.items()
            if wanted.sent and (not entries or all(word in words for word in words_of(wanted.text)))
        )
        number = next(answered, None)
        if number is None or sender != self.server:
            return
        wanted = self.wanted.pop(number)
        host.cancel(wanted.timer)
        self.heard_us = host.now_us
        holders: dict[PeerId, str] = {}
        for entry in entries:
            holders.setdefault(entry.ip, entry.name)
        for ip, name in holders.items():
            host.note("hit", holder=ip, content=name)
        if holders and (wanted.fetch or host.options.download):
            self.serial += 1
            timer = host.after(int(host.options.ping_timeout_s * 1e6), Unanswered(self.serial))
            self.choices[self.serial] = Choice(entries, host.now_us, timer)
            host.multicast(list(holders), Ping(self.serial))

    @on(Ping)
    def ping(self, host: Host, sender: PeerId, message: Ping) -> None:
        """The machine answers, whoever asks."""
        host.send(sender, Pong(message.number))

    @on(Pong)
    def pong(self, host: Host, sender: PeerId, message: Pong) -> None:
        """Choose when the last has answered."""
        choice = self.choices.get(message.number) if type(message.number) is int else None
        if choice is None or all(entry.ip != sender for entry in choice.entries):
            return
        trip_us = choice.trips_us[sender] = host.now_us - choice.sent_us
        self.pings.pop(sender, None)
        self.pings[sender] = (host.now_us, trip_us)
        if len(self.pings) > KEPT_MOST:
            del self.pings[next(iter(self.pings))]
        if all(entry.ip in choice.trips_us for entry in choice.entries):
            host.cancel(self.choices.pop(message.number).timer)
            self.choose(host, choice)

    @on(Unanswered)
    def unanswered(self, host: Host, tick: Unanswered) -> None:
        """A search is given up; a choice is made among those who answered."""
        wanted, choice = self.wanted.pop(tick.number, None), self.choices.pop(tick.number, None)
        if wanted is not None:
            host.note("search timed out", content=wanted.text)
        if choice is not None:
            self.choose(host, choice)

    def choose(self, host: Host, choice: Choice) -> None:
        """Who answered before who did not, a fast line before a slow one, and then the nearest: what a user
        reads off the two columns. The others that have the file of that name are tried after it."""
        trips = choice.trips_us
        ranked = sorted(choice.entries, key=lambda e: (e.ip not in trips, -kbit_s(e.link), trips.get(e.ip, 0)))
        name = ranked[0].name
        if name not in self.downloads and mine(host, name) is None:
            same = [entry for entry in ranked if entry.name == name]
            self.downloads[name] = Download(host.cause, same[0], same[1:], host.now_us)
            self.attempt(host, self.downloads[name])

    # --- losses ---------------------------------------------------------------------------------------------

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        """Nobody there."""
        self.closed(host, to)

    def closed(self, host: Host, peer: PeerId) -> None:
        """The index is gone, or a user with whom a file was under way."""
        if peer == self.server:
            self.offline(host)
        else:
            self.lost(host, peer)

    def beliefs(self) -> Beliefs:
        """The index, and the last holders pinged."""
        known = {
            ip: Belief(heard, f"ping {trip / 1_000:.0f} ms", alive=True) for ip, (heard, trip) in self.pings.items()
        }
        if self.server >= 0:
            known[self.server] = Belief(self.heard_us, f"index: {self.state}", alive=self.state == "online")
        running = self.downloads.values()
        facts = {
            "login": self.state,
            "line": line(self.link) + ("" if self.port else ", firewalled"),
            "searching": ", ".join(wanted.text for wanted in self.wanted.values()) or "-",
            "downloads": ", ".join(f"{d.entry.name} {d.have:,}/{d.entry.size:,} B" for d in running) or "-",
            "uploads": str(len(self.uploads)),
        }
        return Beliefs(known, facts)

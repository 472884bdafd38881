"""Napster

Users keep their files; one company keeps the index of who has what. A search is one question to the index and one
answer, however many users there are; the holders found are pinged to choose one, and the file goes from user to user.
So the files cannot be switched off, but the index can: when it is down no search is answered, a download that has not
been told where to go (204) stops, and running transfers go on.

Source: napster.txt (drscholl, 2000-2001), with the limits of OpenNap's server. The hash of a file comes from the user
that shares it: it proves the bytes and not the name.

What is simplified: the messages for single files of one list travel as one message, Share for the 100s of a login and
Results for the 201s and the 202 of a search. They follow each other on one stream and arrive together, so that no user
could tell; but a search counts as one answer where the wire has up to 101 messages, whose headers of 4 bytes are not
counted. Left out: bit rates, chat, browsing, upload queues (607 to 620), several servers."""

# `messages.py` has the messages, `index.py` the server; the user is here.
#
# Downloads. The index is asked once for each attempt (203, 204) and never again, so its death does not stop running
# transfers. A holder that dies, declines, falls silent or sends other bytes than it promised is replaced by the next
# best. The index tells a holder that accepts no connections to open one itself (500, 501); if the downloader accepts
# none either, there is no way between the two. An upload goes as fast as the line allows.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from ...api import (
    FETCH,
    FIND,
    PUBLISH,
    Ask,
    Belief,
    Beliefs,
    Blob,
    Cause,
    Facts,
    File,
    Host,
    Peer,
    PeerId,
    Station,
    Theory,
    Timer,
    on,
    option,
    words_of,
)
from ...kit import Download, own_file, put_bounded
from .index import Index
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

LINKS_OF_TWENTY = (0, 2, 3, 3, 4, 4, 4, 4, 5, 6, 7, 7, 7, 7, 7, 8, 8, 8, 9, 10)
"""Link types of twenty users, of which each user draws one: our guess of a campus and its town in 2000."""
LOGIN_SPREAD_US = 500_000
KEPT_MOST = 100
"""The most searches that wait, and the most holders whose ping is remembered, at one user."""
DATA_PORT = 6699
PIECE_S = 3
"""No piece takes the line longer than this, so that each transfer that shares the line makes progress before it counts
as stalled."""


@dataclass(slots=True)
class LoginDue:
    """Time to log in, or to try again."""


@dataclass(slots=True)
class Rescan:
    """Time to look for files that are not shared yet."""


@dataclass(slots=True)
class SearchTimeout:
    """The wait for the answer to a search is over."""

    number: int


@dataclass(slots=True)
class PingTimeout:
    """The wait for the answers to pings is over."""

    part: ClassVar = "transfer"
    number: int


@dataclass(slots=True)
class Stalled:
    """Time to look whether this attempt at a download still makes progress."""

    part: ClassVar = "transfer"
    name: str
    attempt: int


@dataclass(slots=True)
class LineFree:
    """The line has room for the next piece of an upload."""

    part: ClassVar = "transfer"
    to: PeerId
    name: str
    serial: int


@dataclass(slots=True)
class NapsterOptions:
    """Limits of OpenNap's server, then the habits of our users."""

    max_results: int = option(100, "entries in one answer", low=1, high=10_000)
    max_shared: int = option(5_000, "files that one user may share", low=0, high=1_000_000)
    search_timeout_s: float = option(180.0, "how long a user waits for an answer, in s", low=0.001, high=86_400)
    login_timeout_s: float = option(60.0, "how long a user waits to be logged in, in s", low=0.001, high=86_400)
    reconnect_s: float = option(
        10.0, "mean pause before a login after the index was lost, in s", low=0.001, high=86_400
    )
    rescan_s: float = option(60.0, "how often a user looks for new files to share, in s", low=0.001, high=86_400)
    download: bool = option(True, "whether users fetch the best of what they find")
    ping_timeout_s: float = option(2.0, "how long a user waits for pings before choosing, in s", low=0.001, high=3_600)
    stall_s: float = option(120.0, "how long a download may stand still, in s", low=0.001, high=86_400)
    chunk_kb: float = option(64.0, "bytes sent at a time, in KB of 1,000", low=0.1, high=1e6)


@dataclass(slots=True)
class PendingSearch:
    """A search without results yet. `sent`: whether it was sent to the index; it waits while the user is offline."""

    text: str
    cause: Cause
    timer: Timer
    fetch: bool
    sent: bool = False


@dataclass(slots=True)
class PingedResults:
    """Results whose holders have been pinged; `trips_us` are the round trips measured so far, in us."""

    entries: list[Entry]
    sent_us: int
    timer: Timer
    trips_us: dict[PeerId, int] = field(default_factory=dict)


@dataclass(slots=True)
class Fetch(Download[Entry]):
    """A file that is being fetched. `acked` once the index has told where the holder is (204)."""

    acked: bool = False


@dataclass(slots=True)
class Upload:
    """A file that is sent to a user; `at` bytes have been sent. `serial` differs from that of an earlier upload of the
    same file."""

    file: File
    at: int
    link: int
    serial: int


@dataclass(slots=True, eq=False)
class User(Peer, name="napster", options=NapsterOptions):
    """A user, who shares files and searches. It leaves by closing its connection; there is no message for it.

    nick, link, port    as in its login: name, link type, data port (0 if it accepts no connections)
    server, state       the index, and "offline", "logging in" or "online"
    serial              last number given to a search, an attempt at a download or an upload
    heard_us            when the index last answered
    connecting          timer of the next login
    shared              name -> hash of the files that the index knows of
    wanted, choices     searches without results, and results whose holders are being pinged, by number
    pings               holder -> (when its pong came, round trip), both in us
    """

    role = "user"
    overlay = False
    goals = (replace(FIND, audience="one"), replace(FETCH, audience="one"), PUBLISH)

    nick: str = ""
    link: int = 0
    port: int = DATA_PORT
    server: PeerId = -1
    state: str = "offline"
    serial: int = 0
    downloads: dict[str, Fetch] = field(default_factory=dict)
    uploads: dict[tuple[PeerId, str], Upload] = field(default_factory=dict)
    heard_us: int | None = None
    connecting: Timer | None = None
    shared: dict[str, int] = field(default_factory=dict)
    wanted: dict[int, PendingSearch] = field(default_factory=dict)
    choices: dict[int, PingedResults] = field(default_factory=dict)
    pings: dict[PeerId, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def stations(cls, options: NapsterOptions, peers: int) -> Sequence[Station]:
        """The index, which one company operates."""
        return [Station(Index, "index", "Napster Inc.")]

    @classmethod
    def verdict(cls, facts: Facts, options: NapsterOptions) -> str | None:
        """Says whether the index or the holders are missing."""
        if facts.hits or facts.trouble:
            return None
        publishes, state = facts.goal == PUBLISH.name, facts.stations.get("index", "alive")
        failed = "Not published" if publishes else "No answer"
        if state != "alive" and (publishes or not facts.reached or facts.holders.total):
            return f"{failed}: the index is {state}, and nobody else knows who has what."
        if publishes:
            if facts.joined is not False:
                return None
            return f"{failed}: the index is told when this user is logged in again."
        if facts.holders.total and not facts.reached:
            return f"{failed}: the asker could not reach the index, and nobody else knows who has what."
        if facts.holders.up > facts.holders.colluding:
            return (
                f"{failed}: the index was asked and named nobody: those who share it were not logged in when it was "
                "asked."
            )
        return None

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: NapsterOptions) -> Sequence[Theory]:
        """One question to the index, however many users there are."""
        if facts["goal"] == PUBLISH.name:
            return ()
        replies = f"O(1): 1 request, at most {options.max_results + 1} replies; then holders are pinged"
        return (Theory("messages", 1, replies), Theory("reached", 1, "the index"))

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """Every program knows the address of the index. Logins are spread over half a second."""
        self.nick = f"user{host.me}"
        if host.line.up_kbit_s:
            self.link = link_of(host.line.up_kbit_s)
        else:
            self.link = saved if isinstance(saved, int) else host.rng.choice(LINKS_OF_TWENTY)
        self.port = 0 if host.line.nat else DATA_PORT
        if contacts:
            self.server = contacts[0]
            self.connecting = host.after(int(host.rng.random() * LOGIN_SPREAD_US), LoginDue())
            host.every_s(host.options.rescan_s, Rescan())

    def joined(self, links: Sequence[PeerId]) -> bool:
        return self.state == "online"

    def saved(self) -> object:
        """The link type, which stays the same."""
        return self.link

    # --- with the index -------------------------------------------------------------------------------

    @on(LoginDue)
    def connect(self, host: Host, tick: LoginDue) -> None:
        """Log in, and again if there is no answer."""
        if self.state != "online":
            self.state = "logging in"
            host.send(self.server, Login(self.nick, self.port, self.link))
            self.connecting = host.after_s(host.options.login_timeout_s, LoginDue(), cause=None)

    @on(LoginAck)
    def login_ack(self, host: Host, sender: PeerId, message: LoginAck) -> None:
        """Share all files, and send the searches that had to wait."""
        if sender == self.server and self.state != "online":
            self.state, self.heard_us, self.shared = "online", host.now_us, {}
            if self.connecting:
                host.cancel(self.connecting)
            self.share(host)
            for wanted in self.wanted.values():
                self.search(host, wanted)

    @on(Error)
    def error(self, host: Host, sender: PeerId, message: Error) -> None:
        """The index does not know this user: it has been restarted."""
        if sender == self.server:
            self.offline(host)

    def offline(self, host: Host) -> None:
        """The index is lost. Searches wait for the next login; downloads that have not got the address of the holder
        (204) stop."""
        if self.state == "offline":
            return
        self.state = "offline"
        if self.connecting:
            host.cancel(self.connecting)
        pause_s = host.options.reconnect_s * host.rng.uniform(0.5, 1.5)
        self.connecting = host.after_s(pause_s, LoginDue(), cause=None)
        for wanted in self.wanted.values():
            wanted.sent = False
        for download in [download for download in self.downloads.values() if not download.acked]:
            self.end(host, download)
            host.failed("download stopped", cause=download.cause)

    @on(Rescan)
    def rescan(self, host: Host, tick: Rescan) -> None:
        """Share files that the library got by other means."""
        if self.state == "online":
            self.share(host)

    def share(self, host: Host) -> None:
        """Tell the index which files are new and which are gone."""
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

    # --- searching and choosing -------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        online = self.state == "online"
        if ask.goal == PUBLISH.name:
            if online:
                self.share(host)
            return
        if len(self.wanted) >= KEPT_MOST:
            host.cancel(self.wanted.pop(next(iter(self.wanted))).timer)
        self.serial += 1
        patience_s = host.options.search_timeout_s if online else host.options.login_timeout_s
        timer = host.after_s(patience_s, SearchTimeout(self.serial))
        self.wanted[self.serial] = wanted = PendingSearch(ask.text, host.cause, timer, ask.goal == FETCH.name)
        if online:
            self.search(host, wanted)

    def search(self, host: Host, wanted: PendingSearch) -> None:
        """Send a search to the index, with the cause of its ask."""
        wanted.sent = True
        host.send(self.server, Search(wanted.text, host.options.max_results), cause=wanted.cause)

    @on(Results)
    def results(self, host: Host, sender: PeerId, message: Results) -> None:
        """Results have no number: they are taken for those of the oldest search whose words are all in the first
        name."""
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
            host.hit(ip, name, by=sender)
        if holders and (wanted.fetch or host.options.download):
            self.serial += 1
            timer = host.after_s(host.options.ping_timeout_s, PingTimeout(self.serial))
            self.choices[self.serial] = PingedResults(entries, host.now_us, timer)
            host.multicast(list(holders), Ping(self.serial))

    @on(Ping)
    def ping(self, host: Host, sender: PeerId, message: Ping) -> None:
        host.send(sender, Pong(message.number))

    @on(Pong)
    def pong(self, host: Host, sender: PeerId, message: Pong) -> None:
        """Note the round trip; choose when the last holder has answered."""
        choice = self.choices.get(message.number)
        if choice is None or all(entry.ip != sender for entry in choice.entries):
            return
        trip_us = choice.trips_us[sender] = host.now_us - choice.sent_us
        self.pings.pop(sender, None)
        put_bounded(self.pings, sender, (host.now_us, trip_us), KEPT_MOST)
        if all(entry.ip in choice.trips_us for entry in choice.entries):
            host.cancel(self.choices.pop(message.number).timer)
            self.choose(host, choice)

    @on(SearchTimeout)
    def unanswered(self, host: Host, tick: SearchTimeout) -> None:
        wanted = self.wanted.pop(tick.number, None)
        if wanted is not None:
            host.log("search timed out", content=wanted.text)

    @on(PingTimeout)
    def ping_timeout(self, host: Host, tick: PingTimeout) -> None:
        """Choose among the holders that answered."""
        choice = self.choices.pop(tick.number, None)
        if choice is not None:
            self.choose(host, choice)

    def choose(self, host: Host, choice: PingedResults) -> None:
        """Take the best entry, as a user does who reads the columns: holders that answered first, then the fastest
        line, then the shortest round trip. The other holders of that name are tried after it."""
        trips = choice.trips_us
        ranked = sorted(choice.entries, key=lambda e: (e.ip not in trips, -kbit_s(e.link), trips.get(e.ip, 0)))
        name = ranked[0].name
        if name not in self.downloads and own_file(host, name) is None:
            same = [entry for entry in ranked if entry.name == name]
            self.downloads[name] = Fetch(same[0], same[1:], host.cause, host.now_us)
            self.attempt(host, self.downloads[name])

    # --- downloading --------------------------------------------------------------------------------------

    def attempt(self, host: Host, download: Fetch) -> None:
        """Ask the index where the holder is (203). The cause is given, since a retry may be started by an event without
        a cause."""
        name = download.source.name
        if self.state != "online":
            self.end(host, download)
            host.failed("download stopped", cause=download.cause)
            return
        self.serial += 1
        download.attempt = self.serial
        download.acked, download.moved_us = False, host.now_us
        host.send(self.server, DownloadRequest(download.source.nick, name), cause=download.cause)
        self.watch(host, download, int(host.options.stall_s * 1e6))

    def watch(self, host: Host, download: Fetch, delay_us: int) -> None:
        """Set the timer that looks for progress, in place of that of an earlier attempt."""
        download.look_later(host, delay_us, Stalled(download.source.name, download.attempt))

    def end(self, host: Host, download: Fetch) -> None:
        """A download is over: remove it, and cancel its timer, which would keep the ask open."""
        download.unwatch(host)
        del self.downloads[download.source.name]

    @on(Stalled)
    def stalled(self, host: Host, tick: Stalled) -> None:
        """Look again later if there was progress, else try another holder."""
        download = self.downloads.get(tick.name)
        if download is not None and download.attempt == tick.attempt:
            left_us = download.moved_us + int(host.options.stall_s * 1e6) - host.now_us
            if left_us > 0:
                self.watch(host, download, left_us)
            else:
                self.next_holder(host, download, "it stood still")

    def next_holder(self, host: Host, download: Fetch, why: str) -> None:
        """Give up the present holder: try the next one, or fail. The bytes that have arrived are kept if the next
        holder has the same file."""
        old = download.source
        if download.acked:
            self.report_transfer(host, DOWNLOAD_END)
        if download.others:
            download.next_source()
            self.attempt(host, download)
        else:
            self.end(host, download)
            host.failed(why, cause=download.cause)
        self.close_if_unused(host, old.ip)

    def close_if_unused(self, host: Host, peer: PeerId) -> None:
        """Close the stream to a user with whom no transfer is left."""
        down = any(download.acked and download.source.ip == peer for download in self.downloads.values())
        if not down and all(to != peer for to, _ in self.uploads):
            host.unlink(peer)

    def download_of(self, name: object, acked: bool, ip: PeerId = -1, nick: object = None) -> Fetch | None:
        """The download that a message belongs to; one with an empty name belongs to any download from that holder."""
        for download in self.downloads.values():
            entry = download.source
            if download.acked == acked and name in (entry.name, "") and (entry.ip == ip or entry.nick == nick):
                return download
        return None

    @on(DownloadAck)
    def download_ack(self, host: Host, sender: PeerId, message: DownloadAck) -> None:
        """204: the address of the holder."""
        download = self.download_of(message.name, False, nick=message.nick) if sender == self.server else None
        if download is None:
            return
        if not message.name or message.ip != download.source.ip:
            self.next_holder(host, download, "the holder declined")
        elif message.port:
            self.fetch(host, download)
        elif self.port:
            download.moved_us = host.now_us
            host.send(self.server, AlternateRequest(download.source.nick, message.name))
        else:
            self.next_holder(host, download, "both are firewalled")

    def fetch(self, host: Host, download: Fetch) -> None:
        """The holder can be reached: request the rest of the file."""
        download.acked, download.moved_us = True, host.now_us
        holder = download.source.ip
        host.link(holder)
        receives = link_of(host.line.down_kbit_s) if host.line.down_kbit_s else self.link
        host.send(holder, Get(self.nick, download.source.name, download.here, receives), cause=download.cause)
        self.report_transfer(host, DOWNLOAD_START)

    @on(Offer)
    def offer(self, host: Host, sender: PeerId, message: Offer) -> None:
        """A holder that accepts no connections has opened one."""
        download = self.download_of(message.name, False, ip=sender)
        if download is not None and message.name:
            self.fetch(host, download)

    @on(AlternateAck)
    def alternate_ack(self, host: Host, sender: PeerId, message: AlternateAck) -> None:
        """501: a user wants this file and cannot connect to us, so connect to it."""
        if sender != self.server or message.ip < 0:
            return
        if own_file(host, message.name) is None:
            host.send(message.ip, GetError(self.nick, message.name))
        else:
            host.link(message.ip)
            host.send(message.ip, Offer(self.nick, message.name))

    @on(GetError)
    def get_error(self, host: Host, sender: PeerId, message: GetError) -> None:
        """The index or the holder does not have the file."""
        if sender == self.server:
            download = self.download_of(message.name, False, nick=message.nick)
        else:
            download = self.download_of(message.name, True, ip=sender) or self.download_of(
                message.name, False, ip=sender
            )
        if download is not None:
            self.next_holder(host, download, "the holder declined")

    @on(Data)
    def data(self, host: Host, sender: PeerId, message: Data) -> None:
        """A piece of the file. The hash is checked when all have arrived; then the file is shared."""
        download, blob = self.download_of(message.name, True, ip=sender), message.blob
        if download is None:
            return
        name, entry = download.source.name, download.source
        if not message.name:
            self.next_holder(host, download, "the holder declined")
            return
        download.here += max(0, blob.size)
        download.moved_us = host.now_us
        if download.here < entry.size:
            return
        if blob.digest != entry.md5:
            host.log("download corrupt", cause=download.cause, content=name, holder=sender)
            download.here = 0
            self.next_holder(host, download, "other bytes than promised")
            return
        if not host.library.add(File(name, entry.size, blob.digest)):
            # The hash was right, but the user deleted the file: it is not what its name says.
            host.decoy(sender, name, cause=download.cause)
            download.here = 0
            self.next_holder(host, download, "a decoy")
            return
        self.end(host, download)
        host.fetched(sender, name, cause=download.cause)
        self.close_if_unused(host, sender)
        self.report_transfer(host, DOWNLOAD_END)
        if self.state == "online":
            self.share(host)

    # --- uploading ------------------------------------------------------------------------------------------

    @on(Get)
    def get(self, host: Host, sender: PeerId, message: Get) -> None:
        """Begin an upload at the offset; a second request for the same file begins it again."""
        file = own_file(host, message.name)
        if file is None:
            host.send(sender, GetError(self.nick, message.name))
            return
        self.serial += 1
        upload = Upload(file, min(max(0, message.offset), file.size), message.link, self.serial)
        again = self.uploads.get((sender, file.name))
        self.uploads[(sender, file.name)] = upload
        host.link(sender)
        if again is None:
            self.report_transfer(host, UPLOAD_START)
        if host.line.up_kbit_s:
            # The link delays all pieces: the timer only says when the next one is handed to it.
            host.after(0, LineFree(sender, upload.file.name, upload.serial))
        else:
            self.plan_piece(host, sender, upload)

    def piece_size(self, host: Host, upload: Upload) -> int:
        """Size of the next piece, in bytes."""
        most = int(host.options.chunk_kb * 1_000)
        if host.line.up_kbit_s:
            most = min(most, host.line.up_kbit_s * 125 * PIECE_S)
        return min(most, upload.file.size - upload.at)

    def plan_piece(self, host: Host, to: PeerId, upload: Upload) -> None:
        """Set the timer of the next piece: the line is shared by all uploads, and the receiver's may be slower."""
        rate = min((host.line.up_kbit_s or kbit_s(self.link)) / len(self.uploads), kbit_s(upload.link))
        # Bits / (kbit/s) = ms.
        delay_us = int(self.piece_size(host, upload) * 8 / rate * 1_000)
        host.after(delay_us, LineFree(to, upload.file.name, upload.serial))

    @on(LineFree)
    def line_free(self, host: Host, tick: LineFree) -> None:
        """Send the next piece."""
        upload = self.uploads.get((tick.to, tick.name))
        if upload is None or upload.serial != tick.serial:
            return
        size = self.piece_size(host, upload)
        upload.at += size
        host.send(tick.to, Data(tick.name, Blob(size, upload.file.digest)))
        if upload.at < upload.file.size:
            self.plan_piece(host, tick.to, upload)
        else:
            del self.uploads[(tick.to, tick.name)]
            self.report_transfer(host, UPLOAD_END)

    def report_transfer(self, host: Host, code: int) -> None:
        """Tell the index that a transfer begins or ends."""
        if self.state == "online":
            host.send(self.server, Transfer(code))

    # --- losses ---------------------------------------------------------------------------------------------

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.closed(host, to)

    def closed(self, host: Host, peer: PeerId) -> None:
        """The connection with the index or with a user is closed."""
        if peer == self.server:
            self.offline(host)
        else:
            self.lose(host, peer)

    def lose(self, host: Host, peer: PeerId) -> None:
        """A user is gone: end the transfers with it."""
        for key in [key for key in self.uploads if key[0] == peer]:
            del self.uploads[key]
            self.report_transfer(host, UPLOAD_END)
        for download in [d for d in self.downloads.values() if d.acked and d.source.ip == peer]:
            self.next_holder(host, download, "the holder is gone")

    def contacts(self) -> Sequence[PeerId]:
        """Only the index: other users are asked for files, but not who has them."""
        return (self.server,) if self.server >= 0 else ()

    def beliefs(self) -> Beliefs:
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
            "downloads": ", ".join(f"{d.source.name} {d.here:,}/{d.source.size:,} B" for d in running) or "-",
            "uploads": str(len(self.uploads)),
        }
        return Beliefs(known, facts)

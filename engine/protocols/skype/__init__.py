"""Skype

Users call each other, and the machines of some of them carry all the rest: those that have a public address and a line
that is fast enough become super nodes, without being asked. A client logs in at the login server, the only central
machine, and then attaches to one super node, which knows its clients and tells them which other super nodes to ask: 4,
then 8, 16, until the user is found. Most users are behind a NAT. If one of two has a public address, the other opens
the connection; if not, a super node tells both to send at the same time, which opens most NATs; for the pairs that are
left (see `swarmtop help network`, NAT) a third machine relays the call.

With shares o, f, a, p, s, b of open, full cone, address- and port-restricted, symmetric NATs and blocked datagrams,
s² + 2sp + b² + 2b(1 - o - b) of all calls between random users are relayed; without sending at the same time, (1 - o)².

Things to try: colour by `call` and ask for a call. Kill its relay: another one takes over, unless takeover=false. Kill
the login server: calls go on, and nobody new gets in. Kill some super nodes (role=super node) and watch where their
clients go. Do the same with built_in=1, logins_per_s=0.2 and alone_s=0: the super nodes that are left get more logins
than they handle and stop being super nodes, their clients go to others, and it does not end by itself. The scenarios
august-2007 and december-2010 show what ended it.

Source: Baset and Schulzrinne, "An Analysis of the Skype Peer-to-Peer Internet Telephony Protocol", INFOCOM 2006; Guha,
Daswani and Jain, "An Experimental Study of the Skype Peer-to-Peer VoIP System", IPTPS 2006 (relays, rates, uptimes);
RFC 5128 (NAT); Skype's own reports of the failures of August 2007 and December 2010. The protocol was never published:
messages and tables are ours, and do what these saw. Numbers without a source are guesses, and options.

What is simplified: what is said in two seconds is one message of 8 KB; a client knows its NAT without testing it; what
users write about themselves are titles. Left out: video, files, chat, Skype-out.
"""

# One file has the client and the super node, since every client can become a super node. `messages.py` has the
# messages, `login.py` the login server.

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from ...api import (
    FIND,
    NAT_WORDS,
    Ask,
    Belief,
    Beliefs,
    Blob,
    CallEnd,
    Cause,
    Facts,
    Goal,
    Host,
    Known,
    Member,
    NatKind,
    Need,
    NetworkStart,
    Peer,
    PeerId,
    Rng,
    Shown,
    Station,
    Theory,
    Ticket,
    Timer,
    can_meet,
    on,
    on_reply,
    on_timeout,
    option,
    verb,
    words_of,
)
from ...kit import HostCache, put_bounded, relay_share, some_of
from .login import NO_USER, LoginServer
from .messages import (
    CARDS_MOST,
    NAME_MOST,
    NODES_MOST,
    TEXTS_MOST,
    Alive,
    Answer,
    Attach,
    Attached,
    Card,
    Exchange,
    Find,
    Found,
    JoinRelay,
    KeepAlive,
    LoggedIn,
    Login,
    LoginLater,
    Nodes,
    NoPlace,
    OpenRelay,
    Presence,
    Probe,
    Profile,
    Promote,
    Promoted,
    RelayIs,
    Results,
    Ring,
    Search,
    Voice,
    VoiceTcp,
    WantRelays,
    sound_nat,
)

OPERATOR = "Skype"
SECOND_US = 1_000_000
DAY_S = 86_400


def users_of(titles: Sequence[str], users: int) -> Sequence[str]:
    """Names of users, and what users write about themselves."""
    return (*(f"user{number}" for number in range(5, users, 11)), *titles)


CALL = Goal("call", "call", "Call a user, by name (user17) or by what it writes about itself.", audience="holders",
            did="called", doing="in a call", one="user",
            what="a user: its name, or words that it writes about itself", examples=users_of, another=True)  # fmt: skip
FIND_USER = replace(FIND, about="Find users.", what=CALL.what, examples=users_of, another=True)

CACHE_MOST = 200
"""Super nodes in a host cache (Baset and Schulzrinne, 3.3)."""
NODES_TOLD = 10
FIRST_ROUND = 4
"""Super nodes that are asked in the first round of a search; each round asks twice as many (4.3 there)."""
TRIES = 4
"""Super nodes that a client tries before it pauses."""
TIMEOUT_US = 4 * SECOND_US
FIND_US = 1_500_000
RING_US = 9 * SECOND_US
RELAY_US = 3 * SECOND_US
PROBE_US = 400_000
PROBES = 8
"""After so many without an answer the two cannot meet, and a relay is looked for."""
PIECE_S = 2
"""Seconds of speech in one message."""
SILENT_US = 3 * PIECE_S * SECOND_US
"""Without voice for so long, the way is gone."""
TAKEOVER_US = 15 * SECOND_US
"""How long the called end of a call waits for another relay."""
LOOK_AGAIN_US, LOOK_AGAIN_MOST = 2 * SECOND_US, 5
GIVE_UP_US = 30 * SECOND_US
"""How long an ask waits for a super node."""
WINDOW_US = 10 * SECOND_US
"""The time over which logins at a super node are counted."""
BANS_MOST = 3
"""A super node that leaves comes back after at most 2^(this - 1) times `backoff_s`."""
RECRUIT_US = 5 * SECOND_US
PARTNERS = 3
"""Connections with other super nodes: with fewer, a super node opens more."""
SESSIONS_MOST = 20
KNOWN_MOST = 2_000
"""Users that a super node remembers after they have gone."""
SEARCHES_MOST = 50
BUDDIES_MOST = 20
LOADED = 0.6
"""Share of the places at super nodes that are taken when a run begins."""
NEARLY_FULL = 0.8
SPARES = 4
DIRECT, REVERSED, PUNCHED, RELAYED = WAYS = ("direct", "reversed", "punched", "relayed")
STATES = ("logging in", "no super node", "on line", "super node")


# --- timers ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Seek:
    """Time to log in, or to look for a super node."""


@dataclass(slots=True)
class Upkeep:
    """Time for the upkeep that a client does every `keepalive_s`."""


@dataclass(slots=True)
class GiveUp:
    """A search has waited long enough for a super node."""

    number: int


@dataclass(slots=True)
class Speak:
    """Time to send the next two seconds of a call."""

    part: ClassVar = "transfer"
    call: int


@dataclass(slots=True)
class ProbeAgain:
    """Time for the next probe."""

    part: ClassVar = "transfer"
    call: int
    tries: int


@dataclass(slots=True)
class LookAgain:
    """Time to search for the other end of a call again, since its super node is gone."""

    part: ClassVar = "transfer"
    call: int


@dataclass(slots=True)
class RelayDue:
    """The other end has had time to find another relay."""

    part: ClassVar = "transfer"
    call: int


@dataclass(slots=True)
class SkypeOptions:
    """Super nodes, then clients, then calls. The limits fit a swarm of some hundred peers."""

    clients: int = option(16, "clients of a super node, at most", low=1, high=10_000, unit="clients")
    logins_per_s: float = option(
        2.0,
        "new clients that a super node handles, a second, over 10 s; with more it stops being one",
        low=0.1,
        high=10_000,
    )
    backoff_s: float = option(
        60.0, "how long it is then no super node, in s; twice as long each time", low=1, high=DAY_S
    )
    least_kbit_s: int = option(128, "upload of a super node, at least, where lines have limits", low=0, high=1_000_000)
    uptime_s: float = option(30.0, "how long a client is up before it may become a super node, in s", low=0, high=DAY_S)
    alone_s: float = option(
        30.0,
        "a client that could be a super node becomes one when it has found none for so long, in s; 0: never",
        low=0,
        high=DAY_S,
    )
    built_in: int = option(
        2, "super nodes of Skype, whose addresses are built in (7 in 2004)", low=0, high=50, fixed=True
    )
    built_in_clients: int = option(32, "clients of each of these, at most", low=1, high=100_000, unit="clients")
    built_in_logins_per_s: float = option(
        10.0, "new clients that each of these handles, a second; it does not answer more", low=0.1, high=1e6
    )
    seen_h: float = option(72.0, "how long a user who has gone can be found, in h", low=0, high=10_000)
    admit_per_s: float = option(0.0, "logins a second that the login server lets in; 0: all", low=0, high=1e6)
    retry_s: float = option(3.0, "pause of a client that finds no super node, in s", low=0.1, high=3_600)
    retry_most_s: float = option(60.0, "the longest pause: they double, in s", low=0.1, high=DAY_S)
    grace_s: float = option(60.0, "how long a client without super node stays logged in, in s", low=1, high=DAY_S)
    keepalive_s: float = option(60.0, "how often a client asks for its super node, in s", low=1, high=3_600, fixed=True)
    buddies: int = option(
        3, "users that each one has on its list when the run begins, at most", low=0, high=20, fixed=True
    )
    punching: bool = option(True, "whether a super node tells both to send at the same time")
    call_s: float = option(20.0, "how long a call lasts, in s (median 170: Guha 2006)", low=1, high=DAY_S)
    voice_kb_s: float = option(
        4.0, "of each end, in KB of 1,000 (at most 4 for voice, 10 for video)", low=0.1, high=100
    )
    relayed_most: int = option(4, "calls that one peer relays, at most", low=0, high=10_000, unit="calls")
    takeover: bool = option(True, "whether another relay takes over when one dies")


# --- what a peer keeps -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Entry:
    """A client in the directory of its super node. gone_us: when it went off line, -1 while it is there."""

    name: str
    nat: int
    able: bool
    texts: tuple[str, ...]
    buddies: tuple[tuple[PeerId, PeerId], ...]
    gone_us: int = -1


@dataclass(slots=True)
class Searching:
    """A search of this user. waits: super nodes that have not answered in this round; sent: whether it has been begun
    at a super node; call: the call whose other end is searched for again, -1 for none."""

    text: str
    goal: str
    cause: Cause
    timer: Timer
    round: int = 0
    waits: int = 0
    sent: bool = False
    call: int = -1


@dataclass(slots=True)
class Session:
    """A call of this user with `other`. caller: whether this user is the caller; way: one of `WAYS`; node: the super
    node at which the other is rung; name, text: of the other, as it was found, by: who found it; relay: the relay, -1
    for none; relays: those that may take over; met: whether there is a way between the two; spoken_s: seconds spoken,
    of length_s; heard_us: when the other was last heard; ticket: that of a Ring which is answered later;
    searches_again: how often the other was searched for again, since its super node was gone."""

    other: PeerId
    caller: bool
    cause: Cause
    way: str
    nat: int
    node: PeerId = -1
    name: str = ""
    text: str = ""
    by: PeerId | None = None
    relay: PeerId = -1
    relays: list[PeerId] = field(default_factory=list)
    talking: bool = False
    met: bool = False
    spoken_s: int = 0
    length_s: int = 0
    heard_us: int = 0
    ticket: Ticket | None = None
    speaker: Timer | None = None
    searches_again: int = 0


@dataclass(slots=True)
class Relayed:
    """A call that this peer relays. a, b: its ends, the caller first (-1: has not joined yet); a_tcp, b_tcp: whether
    each needs TCP; heard_us: when voice last came."""

    a: PeerId
    b: PeerId
    a_tcp: bool
    b_tcp: bool
    heard_us: int


@dataclass(slots=True, eq=False)
class Client(Peer, name="skype", options=SkypeOptions):
    """A user's machine. It is the same program as a super node: `super` says which it is.

    server, built_in  the login server, and the super nodes whose addresses are built in
    certified         whether it has a certificate of this session
    node              its super node, -1 for none; lost_us: since when it has none; alone_us: since when it finds none
    cache             super nodes that it knows
    tried             super nodes that it has tried since it last paused
    entries, partners as a super node: its directory of users, and super nodes that it keeps a connection with
    client_count      users of the directory that are attached to it now
    relayed           calls that it relays, by number of the call
    told_profile      the profile of its user that its super node was last sent
    banned_us         until when it cannot be a super node, since it had too many logins; bans: how often in a row
    """

    role = "client"
    roles = ("super node",)
    goals = (CALL, FIND_USER)
    overlay = False
    usual_nat = "full:0.12,address:0.06,port:0.43,symmetric:0.10,blocked:0.04"
    """A quarter of the peers is open; 81 % of the NATs can be opened by sending at the same time, as Ford, Srisuresh
    and Kegel measured (82 %, USENIX 2005). The other shares are guesses."""
    shows = (
        Shown("is", "how it is connected", "category", STATES),
        Shown("call", "how it speaks with another", "category", ("no call", "setting up", *WAYS)),
        Shown("clients", "clients that are attached to it", "count"),
        Shown("calls", "calls of this user", "count"),
        Shown("relaying", "calls between others that it relays", "count"),
        Shown("online", "buddies that it believes to be on line", "count"),
    )
    link_words = ("client", "super node", "relay", "call")

    server: PeerId = -1
    built_in: tuple[PeerId, ...] = ()
    certified: bool = False
    logging_in: bool = False
    node: PeerId = -1
    lost_us: int = 0
    alone_us: int = -1
    started_us: int = 0
    pause_s: float = 0.0
    seeking: Timer | None = None
    cache: HostCache = field(default_factory=HostCache)
    tried: dict[PeerId, None] = field(default_factory=dict)
    buddies: dict[PeerId, tuple[PeerId, bool]] = field(default_factory=dict)
    number: int = 0
    searches: dict[int, Searching] = field(default_factory=dict)
    sessions: dict[int, Session] = field(default_factory=dict)

    super: bool = False
    station: bool = False
    entries: dict[PeerId, Entry] = field(default_factory=dict)
    client_count: int = 0
    partners: dict[PeerId, None] = field(default_factory=dict)
    relayed: dict[int, Relayed] = field(default_factory=dict)
    window_us: int = -WINDOW_US
    in_window: int = 0
    recruited_us: int = -RECRUIT_US
    banned_us: int = -1
    bans: int = 0
    own_texts: tuple[str, ...] = ()
    told_profile: Profile | None = None

    # --- the network as a whole ---------------------------------------------------------------------------------

    @classmethod
    def stations(cls, options: SkypeOptions, peers: int) -> Sequence[Station]:
        """The login server, and the super nodes that are built in."""
        return [
            Station(LoginServer, "login", OPERATOR),
            *(Station(BuiltIn, f"node{at}", OPERATOR) for at in range(options.built_in)),
        ]

    @classmethod
    def converge(cls, world: NetworkStart, options: SkypeOptions, rng: Rng) -> None:
        """Make as many users' machines super nodes as are needed, and attach all others to one of them."""
        everyone = world.of(cls)
        users = [one for one in everyone if not one.peer.station]
        able = [one for one in users if one.peer.able(one.host)]
        wanted = -(-len(users) // max(1, round(options.clients * LOADED) + 1))
        nodes = [able[at] for at in sorted(rng.sample(range(len(able)), min(len(able), wanted)))]
        stations = [one for one in everyone if one.peer.station]
        places: list[Member] = []
        for one in nodes:
            one.peer.become_super(one.host, quiet=True)
            places += [one] * options.clients
        for one in stations:
            # Built-in super nodes get clients only if the others have too few places: they are for newcomers.
            if len(places) < len(users) / LOADED:
                places += [one] * one.peer.clients_most(one.host)
        rng.shuffle(places)
        chosen = {one.id for one in nodes}
        ids = [one.id for one in (*nodes, *stations)]
        for at, one in enumerate([one for one in users if one.id not in chosen]):
            if at < len(places):
                one.peer.attach_at_start(one.host, places[at])
        for at, one in enumerate(nodes):
            for partner in (nodes[(at + step) % len(nodes)] for step in (1, 2)):
                one.peer.keep_partner(one.host, partner.id)
                partner.peer.keep_partner(partner.host, one.id)
        for one in everyone:
            for address in rng.sample(ids, min(len(ids), CACHE_MOST)):
                if address != one.id:
                    one.peer.cache.remember(address, 0, CACHE_MOST)
        # Users that know each other are on each other's lists.
        drawn = users * options.buddies
        rng.shuffle(drawn)
        for one, other in zip(drawn[::2], drawn[1::2], strict=False):
            if one is not other:
                for its, buddy in ((one.peer, other), (other.peer, one)):
                    node = buddy.id if buddy.peer.super else buddy.peer.node
                    its.buddies[buddy.id] = (node, node >= 0)
        by_id = {one.id: one for one in everyone}
        for one in users:
            one.peer.certified = True
            if one.peer.node >= 0:
                one.peer.told_profile = one.peer.own_profile()
                by_id[one.peer.node].peer.entries[one.id].buddies = one.peer.told_profile.buddies

    def attach_at_start(self, host: Host, node: Member) -> None:
        """Attach it to a super node when the run begins."""
        self.node = node.id
        node.peer.entries[host.me] = Entry(self.name_of(host), int(host.line.nat), self.able(host), self.own_texts, ())
        node.peer.client_count += 1
        host.link(node.id)
        host.mark(node.id, "super node")
        node.host.mark(host.me, "client")

    @classmethod
    def verdict(cls, facts: Facts, options: SkypeOptions) -> str | None:
        """Says of a call how long it lasted and what ended it."""
        if facts.goal == CALL.name and facts.hits and facts.of:
            spoken = f"They spoke for {facts.done:,.0f} of {facts.of:,.0f} s"
            if facts.trouble:
                return f"{spoken}; the caller {facts.trouble}."
            return f"{spoken}. The call ended: {facts.setback}." if facts.setback else f"{spoken}."
        if facts.trouble or facts.hits or not facts.setback:
            return None
        return f"{'No call' if facts.goal == CALL.name else 'Not found'}: {facts.setback}."

    @classmethod
    def needs(
        cls, text: str, goal: str, origin: PeerId, programs: Sequence[Peer | None], options: SkypeOptions
    ) -> Sequence[Need]:
        """A super node to ask, and one that knows such a user; for a call also the user itself (to be found it need not
        be up, since its super node answers for it). Super nodes that are gone are replaced."""
        return needs(text, goal, origin, programs, options)

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: SkypeOptions) -> Sequence[Theory]:
        """The share of calls that are relayed, by the NATs of the living peers."""
        if facts["goal"] != CALL.name:
            return ()
        why = "s² + 2sp + b² + 2b(1 - o - b)" if options.punching else "(1 - o)²"
        share = relay_share(facts["nats"], options.punching)
        return (Theory("relayed, of all calls", share, f"{why} of pairs of random users"),)

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        kept = saved if isinstance(saved, dict) else {}
        self.started_us = host.now_us
        self.server = contacts[0] if contacts else -1
        self.built_in = tuple(contacts[1 : 1 + host.options.built_in])
        for address in kept.get("cache", ()):
            self.cache.remember(address, HostCache.NEVER_US, CACHE_MOST)
        self.buddies = {one: (node, False) for one, node in kept.get("buddies", ())}
        self.own_texts = self.texts_of(host)
        self.lost_us = host.now_us
        self.seek_in(host, host.rng.random() * (2.0 if host.now_us else 5.0))
        host.every_s(host.options.keepalive_s, Upkeep())

    def stop(self, host: Host) -> None:
        """End all calls. Its super node sees the connection close, and tells the users that have it on their lists."""
        for call, session in list(self.sessions.items()):
            self.say(host, call, session, last=True)

    def saved(self) -> object | None:
        return {
            "cache": tuple(self.cache),
            "buddies": self.own_profile().buddies,
        }

    def joined(self, links: Sequence[PeerId]) -> bool:
        return self.super or self.node >= 0

    @staticmethod
    def texts_of(host: Host) -> tuple[str, ...]:
        """What its user writes about itself."""
        return tuple(file.name for file in host.library.files()[-TEXTS_MOST:])

    @staticmethod
    def name_of(host: Host) -> str:
        return user_name(host.me)

    def able(self, host: Host) -> bool:
        """Whether it can be a super node: it has a public address and a fast line, has been up for long enough, and had
        not too many logins lately."""
        options, line = host.options, host.line
        fast = not line.up_kbit_s or line.up_kbit_s >= options.least_kbit_s
        # Machines that are up when the run begins have been up for long.
        up = not self.started_us or host.now_us - self.started_us >= options.uptime_s * SECOND_US
        return not line.nat and fast and up and host.now_us >= self.banned_us

    def clients_most(self, host: Host) -> int:
        """The most clients that it takes as a super node."""
        return int(host.options.clients)

    # --- logging in, and finding a super node ---------------------------------------------------------------------

    def seek_in(self, host: Host, pause_s: float) -> None:
        """Set the timer `Seek`, in place of the one that is set."""
        if self.seeking is not None:
            host.cancel(self.seeking)
        self.seeking = host.after_s(pause_s, Seek(), cause=None)

    @on(Seek)
    def seek(self, host: Host, tick: Seek) -> None:
        """Log in, if it is not logged in; then try super nodes, one after the other, and pause after `TRIES`."""
        self.seeking = None
        if self.super or self.node >= 0:
            return
        options = host.options
        if host.now_us - self.lost_us > options.grace_s * SECOND_US and not self.logging_in:
            self.certified = False
        if not self.certified:
            if self.server >= 0:
                self.logging_in = True
                host.call(self.server, Login(self.name_of(host)), timeout_us=TIMEOUT_US, cause=None)
            return
        if self.alone_us < 0:
            self.alone_us = host.now_us
        lonely = options.alone_s and host.now_us - self.alone_us >= options.alone_s * SECOND_US
        if lonely and self.able(host):
            self.become_super(host)
            return
        left = [one for one in self.cache if one not in self.tried]
        built_in = [one for one in self.built_in if one not in self.tried]
        if len(self.tried) >= TRIES or not (left or built_in):
            self.pause(host)
            return
        # The built-in ones are asked last.
        to = host.rng.choice(left) if left and len(self.tried) < TRIES - 1 else host.rng.choice(built_in or left)
        self.tried[to] = None
        self.told_profile = self.own_profile()
        request = Attach(
            self.name_of(host), int(host.line.nat), self.able(host), self.told_profile.texts, self.told_profile.buddies
        )
        host.call(to, request, timeout_us=TIMEOUT_US, cause=None)

    def pause(self, host: Host) -> None:
        """Try again later. Each pause is twice as long as the one before, up to a limit, times 0.5 to 1.5, drawn."""
        options = host.options
        self.tried.clear()
        self.pause_s = min(max(options.retry_s, 2 * self.pause_s), max(options.retry_s, options.retry_most_s))
        self.seek_in(host, self.pause_s * (0.5 + host.rng.random()))

    def own_profile(self) -> Profile:
        """The profile of its user for its super node."""
        return Profile(self.own_texts, tuple((one, node) for one, (node, _) in self.buddies.items()))

    @on_reply(Login)
    def logged_in(self, host: Host, sender: PeerId, answer: LoggedIn | LoginLater, context: object) -> None:
        self.logging_in = False
        if isinstance(answer, LoginLater):
            self.seek_in(host, min(max(answer.after_s, 0.1), DAY_S) if answer.after_s == answer.after_s else 1.0)
            return
        self.certified = True
        self.lost_us = self.alone_us = host.now_us
        self.pause_s = 0.0
        self.seek_in(host, 0.0)

    @on_timeout(Login)
    def login_failed(self, host: Host, to: PeerId, context: object, reason: CallEnd) -> None:
        self.logging_in = False
        self.pause(host)

    @on_reply(Attach)
    def attached(self, host: Host, sender: PeerId, answer: Attached | NoPlace, context: object) -> None:
        self.learn(host, answer.nodes)
        if isinstance(answer, NoPlace):
            if answer.stopped:
                self.cache.forget(sender)
            if self.node < 0 and not self.super:
                self.seek_in(host, 0.2 + 0.3 * host.rng.random())
            return
        if self.node >= 0 or self.super:
            return
        self.node = sender
        self.cache.remember(sender, host.now_us, CACHE_MOST)
        self.tried.clear()
        self.pause_s, self.alone_us = 0.0, -1
        host.link(sender)
        host.mark(sender, "super node")
        self.begin_waiting_searches(host)

    @on_timeout(Attach)
    def attach_failed(self, host: Host, to: PeerId, context: object, reason: CallEnd) -> None:
        self.cache.forget(to)
        if self.node < 0 and not self.super:
            self.seek_in(host, 0.1)

    def begin_waiting_searches(self, host: Host) -> None:
        """Begin searches that waited for a super node."""
        for number, search in list(self.searches.items()):
            if not search.sent:
                self.search(host, number, search)

    def learn(self, host: Host, nodes: Sequence[PeerId]) -> None:
        """Put super nodes into the host cache."""
        for one in nodes[:NODES_MOST]:
            if one != host.me:
                self.cache.remember(one, HostCache.NEVER_US, CACHE_MOST)

    def lost_node(self, host: Host) -> None:
        """Its super node is gone: look for another one at once."""
        gone, self.node = self.node, -1
        self.lost_us = self.alone_us = host.now_us
        self.tried = {gone: None}
        host.log("no super node", was=gone)
        self.seek_in(host, 0.1 + 0.9 * host.rng.random())

    @on(Upkeep)
    def upkeep(self, host: Host, tick: Upkeep) -> None:
        """A client sends a keep-alive and a changed profile to its super node. A super node exchanges addresses with
        another one, and forgets users that have been gone for long."""
        self.own_texts = self.texts_of(host)
        if self.node >= 0:
            profile = self.own_profile()
            if profile != self.told_profile:
                self.told_profile = profile
                host.send(self.node, profile, cause=None)
            host.call(self.node, KeepAlive(), timeout_us=(TIMEOUT_US, TIMEOUT_US))
        for call, one in list(self.relayed.items()):
            if host.now_us - one.heard_us > 2 * TAKEOVER_US:
                self.end_relay(host, call)
        if not self.super:
            return
        seen_us = int(host.options.seen_h * 3_600 * SECOND_US)
        for user, entry in list(self.entries.items()):
            if entry.gone_us >= 0 and host.now_us - entry.gone_us > seen_us:
                del self.entries[user]
        some = self.some_nodes(host)
        if some:
            host.call(host.rng.choice(list(self.cache)), Exchange(some), timeout_us=TIMEOUT_US)

    @on(KeepAlive)
    def keep_alive_asked(self, host: Host, sender: PeerId, message: KeepAlive) -> None:
        entry = self.entries.get(sender)
        host.reply(Alive(self.super and entry is not None and entry.gone_us < 0))

    @on_reply(KeepAlive)
    def keep_alive_answered(self, host: Host, sender: PeerId, answer: Alive, context: object) -> None:
        if sender == self.node and not answer.attached:
            self.cache.forget(sender)
            host.unlink(sender)
            self.lost_node(host)

    @on_timeout(KeepAlive)
    def keep_alive_failed(self, host: Host, to: PeerId, context: object, reason: CallEnd) -> None:
        if to == self.node:
            self.cache.forget(to)
            host.unlink(to)
            self.lost_node(host)

    def closed(self, host: Host, peer: PeerId) -> None:
        """A connection was closed: with its super node, a client, a partner, or one of a call."""
        for call, relayed in list(self.relayed.items()):
            if peer in (relayed.a, relayed.b):
                self.end_relay(host, call)
        for call, session in list(self.sessions.items()):
            if peer == session.relay:
                self.relay_died(host, call, session)
        self.partners.pop(peer, None)
        entry = self.entries.get(peer)
        if entry is not None and entry.gone_us < 0:
            self.client_gone(host, peer, entry)
        if peer == self.node:
            self.cache.forget(peer)
            self.lost_node(host)

    # --- as a super node ------------------------------------------------------------------------------------------

    def become_super(self, host: Host, *, quiet: bool = False) -> None:
        """Become a super node. quiet: send nothing, as when a run begins."""
        self.super = True
        self.alone_us, self.pause_s = -1, 0.0
        self.entries.clear()
        self.client_count = 0
        self.tried.clear()
        host.set_role("super node")
        if quiet:
            return
        host.log("super node")
        if self.node >= 0:
            former, self.node = self.node, -1
            self.close_if_unused(host, former)
        for one in some_of(list(self.cache), PARTNERS, host.rng):
            host.call(one, Exchange((host.me,)), timeout_us=TIMEOUT_US, cause=None)
        self.begin_waiting_searches(host)

    def step_down(self, host: Host) -> None:
        """Stop being a super node for a while. Its clients have to look for others."""
        self.super = False
        host.set_role("client")
        self.bans = min(self.bans + 1, BANS_MOST)
        self.banned_us = host.now_us + int(host.options.backoff_s * SECOND_US * 2 ** (self.bans - 1))
        host.log("overloaded", clients=self.client_count)
        former = (*self.entries, *self.partners)
        self.entries.clear()
        self.partners.clear()
        self.client_count = 0
        for one in former:
            self.close_if_unused(host, one)
        self.lost_us = self.alone_us = host.now_us
        self.seek_in(host, host.rng.random())

    def count_login(self, host: Host) -> bool:
        """Count one more client that wants to attach to it. Returns whether it can handle so many."""
        if host.now_us - self.window_us >= WINDOW_US:
            if host.now_us - self.window_us > 10 * WINDOW_US:
                self.bans = 0
            self.window_us, self.in_window = host.now_us, 0
        self.in_window += 1
        return self.in_window <= max(1.0, self.logins_most(host))

    def logins_most(self, host: Host) -> float:
        """The most logins that it handles in `WINDOW_US`."""
        return float(host.options.logins_per_s * WINDOW_US / SECOND_US)

    def overloaded(self, host: Host) -> None:
        """It got more logins than it handles: a user's machine stops being a super node."""
        self.step_down(host)

    def some_nodes(self, host: Host) -> tuple[PeerId, ...]:
        """Some super nodes of the host cache, drawn, to tell others."""
        return tuple(some_of(list(self.cache), NODES_TOLD, host.rng))

    @on(Attach)
    def attach_asked(self, host: Host, sender: PeerId, message: Attach) -> None:
        """A client wants to attach to it."""
        if not self.super:
            host.reply(NoPlace(self.some_nodes(host), stopped=True))
            return
        if not self.count_login(host):
            self.overloaded(host)
            return
        entry = self.entries.get(sender)
        known = entry is not None and entry.gone_us < 0
        if not known and self.client_count >= self.clients_most(host):
            host.reply(NoPlace(self.some_nodes(host), stopped=False))
            self.recruit(host, sender if message.able and message.nat == NatKind.OPEN else None)
            return
        if len(message.name) > NAME_MOST or not sound_nat(message.nat) or len(message.texts) > TEXTS_MOST:
            host.reply(NoPlace((), stopped=False))
            return
        self.client_count += not known
        self.entries.pop(sender, None)
        fresh = Entry(message.name, message.nat, message.able, message.texts, message.buddies[:BUDDIES_MOST])
        put_bounded(self.entries, sender, fresh, self.clients_most(host) + KNOWN_MOST)
        host.reply(Attached(self.some_nodes(host)))
        host.link(sender)
        host.mark(sender, "client")
        self.tell_buddies(host, sender, fresh, online=True)
        if self.client_count >= NEARLY_FULL * self.clients_most(host):
            self.recruit(host)

    @on(Profile)
    def profile(self, host: Host, sender: PeerId, message: Profile) -> None:
        entry = self.entries.get(sender)
        if entry is not None and len(message.texts) <= TEXTS_MOST:
            entry.texts, entry.buddies = message.texts, message.buddies[:BUDDIES_MOST]

    def client_gone(self, host: Host, user: PeerId, entry: Entry) -> None:
        """A client has gone. It can still be found, as a user that is off line."""
        entry.gone_us = host.now_us
        self.client_count -= 1
        self.tell_buddies(host, user, entry, online=False)

    def recruit(self, host: Host, newcomer: PeerId | None = None) -> None:
        """It is nearly full: ask a client that can be a super node to become one, or the newcomer, which found no place
        here (None: there is none, or it cannot)."""
        if host.now_us - self.recruited_us < RECRUIT_US:
            return
        able = [one for one, entry in self.entries.items() if entry.nat == NatKind.OPEN and entry.gone_us < 0]
        if newcomer is not None or able:
            self.recruited_us = host.now_us
            one = host.rng.choice(able) if newcomer is None else newcomer
            host.call(one, Promote(), timeout_us=TIMEOUT_US, cause=None)

    @on(Promote)
    def promoted(self, host: Host, sender: PeerId, message: Promote) -> None:
        """A super node wants it to become one too. Its user is not asked."""
        done = self.node in (sender, -1) and self.certified and not self.super and self.able(host)
        host.reply(Promoted(done))
        if done:
            self.cache.remember(sender, host.now_us, CACHE_MOST)
            self.become_super(host)

    @on_reply(Promote)
    def has_promoted(self, host: Host, sender: PeerId, answer: Promoted | None, context: object) -> None:
        if answer is not None and answer.done:
            self.cache.remember(sender, host.now_us, CACHE_MOST)

    @on(Exchange)
    def exchange(self, host: Host, sender: PeerId, message: Exchange) -> None:
        if not self.super:
            host.reply(NoPlace((), stopped=True))
            return
        self.learn(host, message.nodes)
        self.cache.remember(sender, host.now_us, CACHE_MOST)
        host.reply(Nodes(self.some_nodes(host)))

    @on_reply(Exchange)
    def exchanged(self, host: Host, sender: PeerId, answer: Nodes | NoPlace, context: object) -> None:
        if isinstance(answer, NoPlace):
            self.cache.forget(sender)
            return
        self.cache.remember(sender, host.now_us, CACHE_MOST)
        self.learn(host, answer.nodes)
        if self.super and len(self.partners) < PARTNERS:
            self.keep_partner(host, sender)

    @on_timeout(Exchange)
    def exchange_failed(self, host: Host, to: PeerId, context: object, reason: CallEnd) -> None:
        self.cache.forget(to)

    def keep_partner(self, host: Host, node: PeerId) -> None:
        """Keep a connection with another super node."""
        if node != host.me and node not in self.partners:
            self.partners[node] = None
            host.link(node)
            host.mark(node, "super node")

    # --- presence -------------------------------------------------------------------------------------------------

    def tell_buddies(self, host: Host, user: PeerId, entry: Entry, *, online: bool) -> None:
        """Tell the users on the list of a client whether it is on line, by way of their super nodes."""
        for buddy, node in entry.buddies:
            told = Presence(buddy, user, host.me, online, online)
            if node == host.me:
                self.pass_on(host, told)
            elif node >= 0:
                host.send(node, told, cause=None)

    def pass_on(self, host: Host, message: Presence) -> None:
        """As a super node, pass a presence on to the client that it is for, or take it if it is for this user."""
        entry = self.entries.get(message.to)
        if message.to == host.me:
            self.presence_received(host, message)
        elif entry is not None and entry.gone_us < 0:
            host.send(message.to, message, cause=None)

    @on(Presence)
    def presence(self, host: Host, sender: PeerId, message: Presence) -> None:
        if message.to == host.me:
            self.presence_received(host, message)
        elif self.super and sender in (message.user, message.node):
            self.pass_on(host, message)

    def presence_received(self, host: Host, message: Presence) -> None:
        """Note whether a user is on line. If it has just come (`asks`), it is told the same of this user, and is put on
        the list if it is not there: it has this user on its own list."""
        if message.user not in self.buddies and not message.asks:
            return
        put_bounded(self.buddies, message.user, (message.node, message.online), BUDDIES_MOST)
        own = host.me if self.super else self.node
        if message.asks and own >= 0 and message.node >= 0:
            answer = Presence(message.user, host.me, own, online=True, asks=False)
            if message.node == host.me:
                self.pass_on(host, answer)
            else:
                host.send(message.node, answer, cause=None)

    # --- searching ------------------------------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        if ask.text == self.name_of(host):
            host.failed("it is the name of the user itself")
        elif len(self.searches) >= SEARCHES_MOST:
            host.failed("its user searches for too much at once")
        else:
            self.begin_search(host, ask.text, ask.goal, host.cause, GIVE_UP_US)

    def begin_search(self, host: Host, text: str, goal: str, cause: Cause, wait_us: int, call: int = -1) -> None:
        """Begin a search, as soon as it has a super node. wait_us: how long it waits for one; call: see `Searching`."""
        self.number += 1
        timer = host.after(wait_us, GiveUp(self.number), cause=cause)
        search = self.searches[self.number] = Searching(text, goal, cause, timer, call=call)
        if self.super or self.node >= 0:
            self.search(host, self.number, search)

    def end_search(self, host: Host, number: int) -> None:
        search = self.searches.pop(number, None)
        if search is not None:
            host.cancel(search.timer)

    @on(GiveUp)
    def give_up(self, host: Host, tick: GiveUp) -> None:
        search = self.searches.pop(tick.number, None)
        if search is not None and search.call >= 0:
            self.not_found_again(host, search.call)
        elif search is not None:
            why = "no super node told of one in time" if search.sent else "it has no super node"
            host.failed(why, cause=search.cause)

    def search(self, host: Host, number: int, search: Searching) -> None:
        """Begin the next round: ask the super node for users that it knows, and for super nodes to ask."""
        search.sent = True
        if self.super:
            cards = self.cards_of(host, search.text)
            self.use_results(host, number, search, cards, self.nodes_of_round(host, search.round), host.me)
        elif self.node >= 0:
            message = Search(search.text, search.round, host.line.nat == NatKind.UDP_BLOCKED)
            host.call(self.node, message, timeout_us=TIMEOUT_US, context=number, cause=search.cause)
        else:
            search.sent = False

    def cards_of(self, host: Host, text: str) -> tuple[Card, ...]:
        """The users that it knows by this name, or with these words in what they write about themselves."""
        found = []
        for user, name, nat, texts, online in self.users_here(host):
            match = match_of(text, name, texts)
            if match is not None:
                found.append(Card(user, name, match, nat, host.me, online))
        found.sort(key=lambda card: not card.online)
        return tuple(found[:CARDS_MOST])

    def users_here(self, host: Host) -> Iterator[tuple[PeerId, str, int, tuple[str, ...], bool]]:
        """(address, name, NAT, texts, whether on line) of each user that it knows as a super node."""
        if not self.station:
            yield host.me, self.name_of(host), int(host.line.nat), self.own_texts, True
        for user, entry in self.entries.items():
            yield user, entry.name, entry.nat, entry.texts, entry.gone_us < 0

    def found_here(self, me: PeerId, text: str) -> Iterator[PeerId]:
        """The users on line that this super node, number `me`, finds for a text."""
        if not self.station and match_of(text, user_name(me), self.own_texts) is not None:
            yield me
        for user, entry in self.entries.items():
            if entry.gone_us < 0 and match_of(text, entry.name, entry.texts) is not None:
                yield user

    def nodes_of_round(self, host: Host, number: int) -> tuple[PeerId, ...]:
        """Super nodes that are asked in this round: 4, then 8 others, then 16."""
        if not 0 <= number <= 10:
            return ()
        # The order stays the same while the cache changes, so that no round leaves one out; each super node has another
        # order.
        known = sorted(self.cache, key=lambda one: (one < host.me, one))
        first = FIRST_ROUND * (2**number - 1)
        return tuple(known[first : first + FIRST_ROUND * 2**number])

    @on(Search)
    def searched(self, host: Host, sender: PeerId, message: Search) -> None:
        if not self.super:
            host.reply(Results((), ()))
            return
        cards = tuple(card for card in self.cards_of(host, message.text) if card.user != sender)
        nodes = () if cards else self.nodes_of_round(host, message.round)
        if nodes and message.proxy:
            # The client cannot send datagrams: this super node asks the others for it, and replies later.
            self.proxy(host, message.text, nodes)
            return
        host.reply(Results(cards, nodes))

    def proxy(self, host: Host, text: str, nodes: Sequence[PeerId]) -> None:
        """Ask other super nodes in place of a client."""
        shared = ProxySearch(host.request, len(nodes))
        for one in nodes:
            host.call(one, Find(text), timeout_us=FIND_US, context=shared)

    @on_reply(Search)
    def results(self, host: Host, sender: PeerId, answer: Results, context: int) -> None:
        search = self.searches.get(context)
        if search is not None:
            self.use_results(host, context, search, answer.cards, answer.nodes, sender)

    @on_timeout(Search)
    def search_failed(self, host: Host, to: PeerId, context: int, reason: CallEnd) -> None:
        """The super node does not answer: begin the search again at the next one."""
        search = self.searches.get(context)
        if search is not None:
            search.sent, search.round = False, 0
            if self.super or (self.node >= 0 and self.node != to):
                self.search(host, context, search)

    def use_results(
        self, host: Host, number: int, search: Searching, cards: Sequence[Card], nodes: Sequence[PeerId], by: PeerId
    ) -> None:
        """Use the answer of the super node: users that were found, super nodes to ask, or nothing."""
        cards = [card for card in cards if card.user != host.me]
        if cards:
            self.finish(host, number, search, cards, by)
        elif nodes and host.line.nat != NatKind.UDP_BLOCKED:
            some = [one for one in nodes[: FIRST_ROUND * 2**search.round] if one != host.me]
            search.waits = len(some)
            for one in some:
                host.call(one, Find(search.text), timeout_us=FIND_US, context=number, cause=search.cause)
            if not some:
                self.not_found(host, number, search)
        elif nodes:
            # The super node has asked them already.
            search.round += 1
            self.search(host, number, search)
        else:
            self.not_found(host, number, search)

    def not_found(self, host: Host, number: int, search: Searching) -> None:
        self.end_search(host, number)
        if search.call >= 0:
            self.not_found_again(host, search.call)
        else:
            host.failed("no super node knows of one", cause=search.cause)

    @on(Find)
    def is_known(self, host: Host, sender: PeerId, message: Find) -> None:
        cards = self.cards_of(host, message.text) if self.super else ()
        host.reply(Found(tuple(card for card in cards if card.user != sender)))

    @on_reply(Find)
    def found(self, host: Host, sender: PeerId, answer: Found, context: int | ProxySearch) -> None:
        self.one_answered(host, context, answer.cards, sender)

    @on_timeout(Find)
    def find_failed(self, host: Host, to: PeerId, context: int | ProxySearch, reason: CallEnd) -> None:
        if not self.super:
            # A super node keeps it: without it, the next round of its own search would leave out another one.
            self.cache.forget(to)
        self.one_answered(host, context, (), to)

    def one_answered(self, host: Host, context: int | ProxySearch, cards: Sequence[Card], by: PeerId) -> None:
        """A super node that was asked in this round has answered, or its timeout is over."""
        if isinstance(context, ProxySearch):
            context.waits -= 1
            if cards and not context.done:
                context.done = True
                host.reply(Results(tuple(cards[:CARDS_MOST]), ()), to=context.ticket)
            elif not context.waits and not context.done:
                context.done = True
                # A result with super nodes tells the client that there is another round.
                host.reply(Results((), (by,)), to=context.ticket)
            return
        search = self.searches.get(context)
        if search is None:
            return
        search.waits -= 1
        others = [card for card in cards if card.user != host.me]
        if others:
            self.finish(host, context, search, others, by)
        elif search.waits <= 0:
            search.round += 1
            self.search(host, context, search)

    def finish(self, host: Host, number: int, search: Searching, cards: Sequence[Card], by: PeerId) -> None:
        """Users were found: call one that is on line, or report all that are."""
        self.end_search(host, number)
        there = [card for card in cards if card.online and sound_nat(card.nat) and card.user >= 0]
        if search.call >= 0:
            session = self.sessions.get(search.call)
            card = next((card for card in there if session is not None and card.user == session.other), None)
            if session is None or card is None:
                self.not_found_again(host, search.call)
            else:
                session.node = card.node
                self.ring(host, search.call, session)
        elif not there:
            host.failed("who was found is not on line", cause=search.cause)
        elif search.goal == CALL.name:
            self.place_call(host, host.rng.choice(there), search.cause, by)
        else:
            for card in there:
                host.hit(card.user, card.text, by=by, cause=search.cause)

    # --- calls ----------------------------------------------------------------------------------------------------

    def way_to(self, host: Host, card: Card) -> str:
        """The way of a call (`WAYS`), by the NATs of both ends."""
        mine, other = host.line.nat, NatKind(card.nat)
        if not other:
            return DIRECT
        if not mine:
            return REVERSED
        return PUNCHED if host.options.punching and can_meet(mine, other) else RELAYED

    def place_call(self, host: Host, card: Card, cause: Cause, by: PeerId) -> None:
        """Call a user."""
        if len(self.sessions) >= SESSIONS_MOST:
            host.failed("the caller has too many calls", cause=cause)
            return
        call = host.rng.getrandbits(40)
        session = Session(
            card.user, True, cause, self.way_to(host, card), card.nat, card.node, card.name, card.text, by
        )
        session.length_s = max(1, round(host.options.call_s))
        self.sessions[call] = session
        put_bounded(self.buddies, card.user, (card.node, True), BUDDIES_MOST)
        if session.way == RELAYED:
            self.find_relay(host, call, session)
        else:
            self.ring(host, call, session)

    def ring(self, host: Host, call: int, session: Session) -> None:
        """Send a Ring to the other end: directly if that is open or attached to this super node, else by way of its
        super node."""
        straight = session.nat == NatKind.OPEN or session.node == host.me or session.node < 0
        message = Ring(call, session.other, host.me, int(host.line.nat), session.way, session.relay)
        to = session.other if straight else session.node
        host.call(to, message, timeout_us=RING_US, context=call, cause=session.cause)

    @on(Ring)
    def rung(self, host: Host, sender: PeerId, message: Ring) -> None:
        """A Ring has come, for this user or for a client."""
        if message.callee != host.me:
            entry = self.entries.get(message.callee)
            if not self.super or entry is None or entry.gone_us >= 0 or sender != message.caller:
                host.reply(Answer(False, "the other is not on line any more"))
            else:
                host.call(message.callee, message, timeout_us=RING_US - SECOND_US, context=host.request, via=sender)
            return
        session = self.sessions.get(message.call)
        if session is not None and (session.caller or session.other != message.caller):
            host.reply(Answer(False, "the number of the call is taken"))
            return
        if not sound_nat(message.nat) or message.way not in WAYS or message.caller == host.me:
            host.reply(Answer(False, "the call makes no sense"))
            return
        if session is None:
            if len(self.sessions) >= SESSIONS_MOST:
                host.reply(Answer(False, "the other is busy"))
                return
            session = Session(message.caller, False, host.cause, message.way, message.nat)
            self.sessions[message.call] = session
        session.heard_us = host.now_us
        session.way = message.way
        if message.relay >= 0:
            if session.relay >= 0 and session.relay != message.relay:
                self.close_if_unused(host, session.relay)
            session.relay, session.ticket = message.relay, host.request
            host.call(
                message.relay,
                JoinRelay(message.call, host.line.nat == NatKind.UDP_BLOCKED),
                timeout_us=RELAY_US,
                context=message.call,
            )
            return
        host.reply(Answer(True, ""))
        if message.way == DIRECT or (message.way == REVERSED and host.line.nat == NatKind.UDP_BLOCKED):
            self.talk(host, message.call, session)
        else:
            self.probe(host, ProbeAgain(message.call, 0))

    @on_reply(Ring)
    def answered(self, host: Host, sender: PeerId, answer: Answer, context: int | Ticket) -> None:
        if isinstance(context, Ticket):
            host.reply(answer, to=context)
            return
        session = self.sessions.get(context)
        if session is None:
            return
        session.heard_us = host.now_us
        if not answer.taken and self.look_again(host, context, session):
            return
        if not answer.taken:
            self.break_off(host, context, session, answer.why[:NAME_MOST] or "the other did not take it")
        elif session.way in (DIRECT, RELAYED):
            self.connected(host, context, session)
            self.talk(host, context, session)
        elif session.way == PUNCHED:
            self.probe(host, ProbeAgain(context, 0))
        else:
            host.after(PROBE_US * PROBES, ProbeAgain(context, PROBES))

    @on_timeout(Ring)
    def ring_failed(self, host: Host, to: PeerId, context: int | Ticket, reason: CallEnd) -> None:
        if isinstance(context, Ticket):
            host.reply(Answer(False, "the other does not answer"), to=context)
            return
        session = self.sessions.get(context)
        if session is not None:
            if self.look_again(host, context, session):
                return
            why = "the other does not answer" if session.nat == NatKind.OPEN else "its super node does not answer"
            self.break_off(host, context, session, why)

    def look_again(self, host: Host, call: int, session: Session) -> bool:
        """The other end cannot be rung at its former super node: if the call was running, search for it in a while,
        when it may be attached to another one. Returns whether it will be searched for."""
        if session.spoken_s == 0 or session.searches_again >= LOOK_AGAIN_MOST:
            return False
        session.searches_again += 1
        host.after(LOOK_AGAIN_US, LookAgain(call), cause=session.cause)
        return True

    @on(LookAgain)
    def look_again_now(self, host: Host, tick: LookAgain) -> None:
        session = self.sessions.get(tick.call)
        if session is not None and not session.talking:
            self.begin_search(host, session.name, CALL.name, session.cause, TAKEOVER_US, tick.call)

    def not_found_again(self, host: Host, call: int) -> None:
        """The other end of a call was not found: search again later, or end the call."""
        session = self.sessions.get(call)
        if session is not None and not self.look_again(host, call, session):
            self.break_off(host, call, session, "the other is not to be found any more")

    @on(ProbeAgain)
    def probe(self, host: Host, tick: ProbeAgain) -> None:
        """Send probes to the other end until something comes from there. A caller that hears nothing looks for a
        relay."""
        session = self.sessions.get(tick.call)
        if session is None or session.met or session.relay >= 0:
            return
        if tick.tries < PROBES:
            host.send(session.other, Probe(tick.call))
            host.after(PROBE_US, ProbeAgain(tick.call, tick.tries + 1))
        elif session.caller:
            session.way = RELAYED
            self.find_relay(host, tick.call, session)
        else:
            host.after(TAKEOVER_US, RelayDue(tick.call))

    @on(Probe)
    def probed(self, host: Host, sender: PeerId, message: Probe) -> Known:
        """A probe of the other end has come, so there is a way between the two: speak."""
        session = self.sessions.get(message.call)
        if session is None or session.other != sender or session.relay >= 0:
            return None
        session.heard_us = host.now_us
        if session.met:
            return None
        session.met = True
        host.send(sender, Probe(message.call))
        if session.caller:
            self.connected(host, message.call, session)
        self.talk(host, message.call, session)
        return None

    def connected(self, host: Host, call: int, session: Session) -> None:
        """There is a way to the other end: show it, and report the call as answered when it begins."""
        if session.spoken_s == 0 and not session.talking:
            host.hit(session.other, session.text, by=session.by, cause=session.cause)
            host.log("call", cause=session.cause, way=session.way)
            host.progress(0, session.length_s, cause=session.cause)
        session.met = True
        hops = (session.relay, session.other) if session.relay >= 0 else (session.other,)
        host.path(call, hops, f"call, {session.way}")

    def talk(self, host: Host, call: int, session: Session) -> None:
        """Begin to speak."""
        session.heard_us = host.now_us
        if session.talking:
            return
        session.talking = True
        session.speaker = host.after(PIECE_S * SECOND_US, Speak(call), cause=session.cause)
        if session.caller or session.relay >= 0 or host.line.nat:
            self.say(host, call, session, last=False)

    @on(Speak)
    def speak(self, host: Host, tick: Speak) -> None:
        """Send the next seconds of voice. If the other has not been heard for long, the way is lost; when the call has
        lasted `length_s`, the caller ends it."""
        session = self.sessions.get(tick.call)
        if session is None:
            return
        session.speaker = None
        if host.now_us - session.heard_us > SILENT_US:
            self.way_lost(host, tick.call, session)
            return
        session.spoken_s += PIECE_S
        if session.caller:
            host.progress(min(session.spoken_s, session.length_s), session.length_s, cause=session.cause)
            if session.spoken_s >= session.length_s:
                self.say(host, tick.call, session, last=True)
                host.fetched(session.other, session.text, cause=session.cause)
                self.end(host, tick.call, session)
                return
        self.say(host, tick.call, session, last=False)
        session.speaker = host.after(PIECE_S * SECOND_US, Speak(tick.call), cause=session.cause)

    def say(self, host: Host, call: int, session: Session, *, last: bool) -> None:
        """Send the voice since the last message to the other end or to the relay. last: it is the end of the call."""
        to = session.relay if session.relay >= 0 else session.other
        kinds = (host.line.nat,) if session.relay >= 0 else (host.line.nat, session.nat)
        kind = VoiceTcp if NatKind.UDP_BLOCKED in kinds else Voice
        size = 0 if last else round(host.options.voice_kb_s * 1_000 * PIECE_S)
        host.send(to, kind(call, session.spoken_s, last, Blob(size)), cause=session.cause)

    @on(Voice)
    def voice(self, host: Host, sender: PeerId, message: Voice) -> Known:
        return self.voice_received(host, sender, message)

    @on(VoiceTcp)
    def voice_tcp(self, host: Host, sender: PeerId, message: VoiceTcp) -> Known:
        return self.voice_received(host, sender, message)

    def voice_received(self, host: Host, sender: PeerId, message: Voice | VoiceTcp) -> Known:
        """Voice has come, of a call of this user or of one that this peer relays."""
        relayed = self.relayed.get(message.call)
        if relayed is not None and sender in (relayed.a, relayed.b):
            self.relay_voice(host, sender, message, relayed)
            return None
        session = self.sessions.get(message.call)
        if session is None or sender not in (session.other, session.relay):
            return None
        session.heard_us = host.now_us
        if message.last:
            if session.caller:
                self.break_off(host, message.call, session, "the other ended the call")
            else:
                self.end(host, message.call, session)
        elif not session.talking:
            if session.caller:
                self.connected(host, message.call, session)
            session.met = True
            self.talk(host, message.call, session)
        return None

    def way_lost(self, host: Host, call: int, session: Session) -> None:
        """The other has not been heard for some seconds."""
        if session.relay >= 0:
            self.relay_died(host, call, session)
        else:
            self.break_off(host, call, session, "nothing came from the other any more")

    def break_off(self, host: Host, call: int, session: Session, why: str) -> None:
        """End a call early. why: the reason that the caller reports."""
        if session.caller:
            host.failed(why, cause=session.cause)
            host.log("call broken off", cause=session.cause, why=why, said=session.spoken_s)
        if session.ticket is not None:
            host.reply(Answer(False, why), to=session.ticket)
            session.ticket = None
        self.end(host, call, session)

    def end(self, host: Host, call: int, session: Session) -> None:
        self.sessions.pop(call, None)
        if session.caller:
            host.path(call, ())
        if session.speaker is not None:
            host.cancel(session.speaker)
        if session.relay >= 0:
            self.close_if_unused(host, session.relay)

    # --- relays ---------------------------------------------------------------------------------------------------

    def find_relay(self, host: Host, call: int, session: Session) -> None:
        """Ask the super node for peers that could relay, unless some are known."""
        if session.relays:
            self.next_relay(host, call, session)
        elif self.super:
            session.relays = list(self.relay_candidates(host, host.me))
            self.next_relay(host, call, session)
        elif self.node >= 0:
            host.call(self.node, WantRelays(), timeout_us=RELAY_US, context=call, cause=session.cause)
        else:
            self.break_off(host, call, session, "no super node names a relay")

    def relay_candidates(self, host: Host, asker: PeerId) -> tuple[PeerId, ...]:
        """Some peers with a public address that a super node knows, drawn: clients, super nodes that are not built in,
        itself."""
        able = [one for one, entry in self.entries.items() if entry.nat == NatKind.OPEN and entry.gone_us < 0]
        able += [one for one in self.cache if one not in self.built_in]
        able = [one for one in dict.fromkeys((*able, host.me)) if one != asker]
        return tuple(some_of(able, SPARES, host.rng))

    @on(WantRelays)
    def names_relays(self, host: Host, sender: PeerId, message: WantRelays) -> None:
        host.reply(Nodes(self.relay_candidates(host, sender) if self.super else ()))

    @on_reply(WantRelays)
    def relays_named(self, host: Host, sender: PeerId, answer: Nodes, context: int) -> None:
        session = self.sessions.get(context)
        if session is not None:
            session.relays = [one for one in answer.nodes[:SPARES] if one not in (host.me, session.other)]
            self.next_relay(host, context, session)

    @on_timeout(WantRelays)
    def no_relays_named(self, host: Host, to: PeerId, context: int, reason: CallEnd) -> None:
        session = self.sessions.get(context)
        if session is not None:
            self.break_off(host, context, session, "no super node names a relay")

    def next_relay(self, host: Host, call: int, session: Session) -> None:
        """Ask the next peer to relay."""
        if not session.relays:
            lost = "its relay is gone and no other took over" if session.spoken_s else "no peer could relay it"
            self.break_off(host, call, session, lost)
            return
        to = session.relays.pop(0)
        host.call(
            to,
            OpenRelay(call, host.line.nat == NatKind.UDP_BLOCKED),
            timeout_us=RELAY_US,
            context=call,
            cause=session.cause,
        )

    @on(OpenRelay)
    def open_relay(self, host: Host, sender: PeerId, message: OpenRelay) -> None:
        """Relay a call, if it can be called and has room."""
        ready = not host.line.nat and message.call not in self.relayed and len(self.relayed) < host.options.relayed_most
        if ready:
            self.relayed[message.call] = Relayed(sender, -1, message.tcp, False, host.now_us)
        host.reply(RelayIs(ready))

    @on_reply(OpenRelay)
    def relay_opened(self, host: Host, sender: PeerId, answer: RelayIs, context: int) -> None:
        session = self.sessions.get(context)
        if session is None:
            return
        if not answer.ready:
            self.next_relay(host, context, session)
            return
        session.relay = sender
        self.keep_relay(host, sender)
        self.ring(host, context, session)

    @on_timeout(OpenRelay)
    def relay_not_opened(self, host: Host, to: PeerId, context: int, reason: CallEnd) -> None:
        session = self.sessions.get(context)
        if session is not None:
            self.next_relay(host, context, session)

    @on(JoinRelay)
    def join_relay(self, host: Host, sender: PeerId, message: JoinRelay) -> None:
        relayed = self.relayed.get(message.call)
        ready = relayed is not None and relayed.b in (-1, sender) and sender != relayed.a
        if relayed is not None and ready:
            relayed.b, relayed.b_tcp = sender, message.tcp
            relayed.heard_us = host.now_us
        host.reply(RelayIs(ready))

    @on_reply(JoinRelay)
    def relay_joined(self, host: Host, sender: PeerId, answer: RelayIs, context: int) -> None:
        session = self.sessions.get(context)
        if session is None or session.relay != sender:
            return
        if not answer.ready:
            self.break_off(host, context, session, "the relay does not know the call")
            return
        self.keep_relay(host, sender)
        if session.ticket is not None:
            host.reply(Answer(True, ""), to=session.ticket)
            session.ticket = None
        self.talk(host, context, session)

    @on_timeout(JoinRelay)
    def relay_not_joined(self, host: Host, to: PeerId, context: int, reason: CallEnd) -> None:
        session = self.sessions.get(context)
        if session is not None and session.relay == to:
            self.break_off(host, context, session, "the relay cannot be reached from the other end")

    def relay_voice(self, host: Host, sender: PeerId, message: Voice | VoiceTcp, relayed: Relayed) -> None:
        """Pass voice on to the other end."""
        relayed.heard_us = host.now_us
        to, tcp = (relayed.b, relayed.b_tcp) if sender == relayed.a else (relayed.a, relayed.a_tcp)
        if to >= 0:
            kind = VoiceTcp if tcp else Voice
            host.send(to, kind(message.call, message.number, message.last, message.data))
        if message.last:
            self.relayed.pop(message.call, None)

    def end_relay(self, host: Host, call: int) -> None:
        """Stop relaying a call, and tell its ends."""
        relayed = self.relayed.pop(call)
        for one, tcp in ((relayed.a, relayed.a_tcp), (relayed.b, relayed.b_tcp)):
            if one >= 0:
                host.send(one, (VoiceTcp if tcp else Voice)(call, 0, True, Blob(0)), cause=None, part="upkeep")

    def relay_died(self, host: Host, call: int, session: Session) -> None:
        """The relay is gone: the caller looks for another one and rings again, and the called end waits for that."""
        gone, session.relay = session.relay, -1
        session.talking = False
        if session.caller:
            host.path(call, ())
        if session.speaker is not None:
            host.cancel(session.speaker)
            session.speaker = None
        self.close_if_unused(host, gone)
        if not host.options.takeover:
            self.break_off(host, call, session, "its relay is gone")
        elif session.caller:
            host.log("relay gone", cause=session.cause, relay=gone)
            session.relays = [one for one in session.relays if one != gone]
            self.find_relay(host, call, session)
        else:
            host.after(TAKEOVER_US, RelayDue(call), cause=session.cause)

    @on(RelayDue)
    def relay_due(self, host: Host, tick: RelayDue) -> None:
        session = self.sessions.get(tick.call)
        if session is not None and not session.talking:
            self.break_off(host, tick.call, session, "no other relay took over")

    # --- connections ----------------------------------------------------------------------------------------------

    def keep_relay(self, host: Host, relay: PeerId) -> None:
        """Keep a connection with the relay of a call."""
        host.link(relay)
        if relay != self.node and relay not in self.partners:
            host.mark(relay, "relay")

    def close_if_unused(self, host: Host, peer: PeerId) -> None:
        """Close a connection, unless it is needed for something else."""
        if peer == self.node or peer in self.partners:
            return
        entry = self.entries.get(peer)
        if entry is not None and entry.gone_us < 0:
            return
        if any(peer == one.relay for one in self.sessions.values()):
            return
        if any(peer in (one.a, one.b) for one in self.relayed.values()):
            return
        host.unlink(peer)

    # --- what a person does and sees --------------------------------------------------------------------------------

    @verb(
        "hang_up",
        about="Its user ends all calls.",
        why_not=lambda peer: None if peer.sessions else "it is in no call",
    )
    def hang_up(self, host: Host) -> None:
        for call, session in list(self.sessions.items()):
            self.say(host, call, session, last=True)
            self.break_off(host, call, session, "the caller hung up" if session.caller else "the other ended the call")

    def state(self) -> str:
        if self.super:
            return STATES[3]
        if self.node >= 0:
            return STATES[2]
        return STATES[1] if self.certified else STATES[0]

    def shown(self) -> tuple[float | str, ...]:
        online = sum(there for _, there in self.buddies.values())
        talking = next((one.way for one in self.sessions.values() if one.talking), None)
        call = talking or ("setting up" if self.sessions else "no call")
        return self.state(), call, self.client_count, len(self.sessions), len(self.relayed), online

    def contacts(self) -> Iterable[PeerId]:
        """A client asks its super node; a super node its clients and other super nodes."""
        if not self.super:
            return (self.node,) if self.node >= 0 else ()
        return (*(one for one, entry in self.entries.items() if entry.gone_us < 0), *self.partners)

    def beliefs(self) -> Beliefs:
        known = {one: Belief(when if when >= 0 else None, "super node") for one, when in self.cache.addresses.items()}
        for one, (_, there) in self.buddies.items():
            known[one] = Belief(None, "on its list, on line" if there else "on its list, off line", there)
        for one, entry in self.entries.items():
            known[one] = Belief(None, f"client, {NAT_WORDS[NatKind(entry.nat)]}", entry.gone_us < 0)
        facts = {"state": self.state(), "super nodes known": str(len(self.cache))}
        for session in self.sessions.values():
            facts[f"call with #{session.other}"] = f"{session.way}, {session.spoken_s} s"
        return Beliefs(known, facts)


def user_name(peer: PeerId) -> str:
    """The name of the user of a machine."""
    return f"user{peer}"


def match_of(text: str, name: str, texts: Sequence[str]) -> str | None:
    """What of a user matches `text`: a text that it writes about itself, or its name. None if nothing does."""
    if text in texts:
        return text
    if name == text:
        return name
    words = words_of(text)
    return next((one for one in texts if all(word in words_of(one) for word in words)), None) if words else None


def needs(text: str, goal: str, origin: PeerId, programs: Sequence[Peer | None], options: SkypeOptions) -> list[Need]:
    """See `Client.needs`."""
    asker = programs[origin]
    if not isinstance(asker, Client) or asker.station:
        return []
    nodes = {peer: one for peer, one in enumerate(programs) if isinstance(one, Client) and one.super}
    made: list[Need] = []
    again = f"notices, {options.keepalive_s + 2 * TIMEOUT_US / SECOND_US:g} s later at most, and attaches to another"
    asked: Iterable[PeerId]
    if asker.super:
        asked = (origin, *asker.cache)
    elif asker.node in nodes:
        made.append(Need("super node that it is attached to", (asker.node,), f"it {again}"))
        asked = (asker.node, *nodes[asker.node].cache)
    else:
        if not asker.certified:
            made.append(Need("login server", (asker.server,) if asker.server >= 0 else ()))
        made.append(Need("super node that it knows", tuple(dict.fromkeys((*asker.cache, *asker.built_in)))))
        # It is not known to which super node the asker will attach.
        asked = nodes
    users: dict[PeerId, None] = {}
    knowing: dict[PeerId, None] = {}
    for peer in dict.fromkeys(asked):
        node = nodes.get(peer)
        if node is None:
            continue
        here = [user for user in node.found_here(peer, text) if user != origin]
        users.update(dict.fromkeys(here))
        if here:
            knowing[peer] = None
    whom = "user on line who has this name or writes this"
    if goal == CALL.name or not users:
        made.insert(0, Need(whom, tuple(sorted(users))))
    moved = f"who was attached there {again}" if any(user not in knowing for user in users) else ""
    made.append(Need(f"super node that knows a {whom}", tuple(sorted(knowing)), moved))
    return made


@dataclass(slots=True, eq=False)
class ProxySearch:
    """A search in place of a client whose datagrams are blocked. ticket: its request; waits: super nodes that have not
    answered; done: whether the request has been answered."""

    ticket: Ticket
    waits: int
    done: bool = False


@dataclass(slots=True, eq=False)
class BuiltIn(Client):
    """A super node of Skype whose address is in every client. It has no user, and limits of its own. When it gets too
    many logins it stays a super node, but does not answer them."""

    role = "built-in super node"

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.station = True
        Client.start(self, host, contacts, saved)
        self.super = True

    def joined(self, links: Sequence[PeerId]) -> bool:
        return True

    def clients_most(self, host: Host) -> int:
        return int(host.options.built_in_clients)

    def logins_most(self, host: Host) -> float:
        return float(host.options.built_in_logins_per_s * WINDOW_US / SECOND_US)

    def overloaded(self, host: Host) -> None:
        """The login is not answered."""

    def ask(self, host: Host, ask: Ask) -> None:
        host.failed(NO_USER)

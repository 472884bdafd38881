"""Link state routing, by the rules of OSPF version 2 (RFC 2328), in one area of point-to-point links.

Each router describes its own links in an LSA, which is flooded to all. So each has the whole map, and computes its own
shortest paths on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Literal, NamedTuple, TypeAlias

from ...api import COST_MAX, DUPLICATE, Cause, Component, Host, Known, Part, PeerId, message, on, option
from .packets import HERE, LINKS_MOST, Attached, Prefix, TableChanged, ask_of_change, lan_of, link_text, longest

FIRST_SEQUENCE = -0x7FFFFFFF
"""InitialSequenceNumber, 0x80000001 as a signed number (12.1.6)."""
MAX_AGE_S, REFRESH_S = 3_600, 1_800
MIN_LS_INTERVAL_US, MIN_LS_ARRIVAL_US = 5_000_000, 1_000_000
MAX_AGE_DIFF_S = 900
RETRANSMIT_US, TRANSIT_DELAY_S = 5_000_000, 1
LSAS_MOST = 1_900
REFERENCE_KBIT_S = 100_000
"""A link of this capacity costs 1."""


class Lsa(NamedTuple):
    """A router LSA. `links`: (neighbour, cost), ordered by neighbour. `age_s`: its age when it was sent. `prefixes`:
    the networks that are attached to the router."""

    router: PeerId
    sequence: int
    age_s: int
    links: tuple[tuple[PeerId, int], ...]
    prefixes: tuple[Prefix, ...] = ()

    @property
    def size(self) -> int:
        """Bytes: a header of 20, 4 more, and 12 for each link and prefix."""
        return 24 + 12 * (len(self.links) + len(self.prefixes))


def _contents(lsa: Lsa | None) -> tuple[tuple[tuple[PeerId, int], ...], tuple[Prefix, ...]]:
    """Links and prefixes of an LSA; none for one that has reached MaxAge, which does not count (16.1)."""
    return ((), ()) if lsa is None or lsa.age_s >= MAX_AGE_S else (lsa.links, lsa.prefixes)


Recency = Literal["newer", "same", "older"]


def compare(new: Lsa, old: Lsa | None) -> Recency:
    """Whether an LSA is more recent than another one of the same router (None: there is none): it has the higher
    sequence number; or else it alone has reached MaxAge; or else it is younger by more than 15 minutes (13.1)."""
    if old is None or new.sequence != old.sequence:
        return "newer" if old is None or new.sequence > old.sequence else "older"
    if (new.age_s >= MAX_AGE_S) != (old.age_s >= MAX_AGE_S):
        return "newer" if new.age_s >= MAX_AGE_S else "older"
    if abs(new.age_s - old.age_s) > MAX_AGE_DIFF_S:
        return "newer" if new.age_s < old.age_s else "older"
    return "same"


@dataclass(slots=True)
class Stored:
    """An LSA in the database, and when it came."""

    lsa: Lsa
    at_us: int

    def aged(self, now_us: int) -> Lsa:
        """The LSA with its present age."""
        return self.lsa._replace(age_s=min(MAX_AGE_S, self.lsa.age_s + (now_us - self.at_us) // 1_000_000))


Links: TypeAlias = dict[PeerId, int]
"""Neighbour -> cost of the link with it."""
Way: TypeAlias = tuple[int, PeerId]
"""(distance, next hop)."""


@dataclass(slots=True)
class Database:
    """The LSAs of all routers that this one has heard of. `ways`: destination -> (distance, next hop) as last computed;
    `before`: router whose LSA has changed since then -> its old LSA, None if it had none."""

    stored: dict[PeerId, Stored] = field(default_factory=dict)
    ways: dict[PeerId, Way] = field(default_factory=dict)
    before: dict[PeerId, Lsa | None] = field(default_factory=dict)

    def get(self, router: PeerId, now_us: int) -> Lsa | None:
        """The LSA of a router, with its present age."""
        one = self.stored.get(router)
        return None if one is None else one.aged(now_us)

    def install(self, lsa: Lsa, now_us: int) -> bool:
        """Store an LSA that is newer than the stored one. Returns whether the map has changed."""
        one = self.stored.get(lsa.router)
        old = None if one is None else one.lsa
        self.stored[lsa.router] = Stored(lsa, now_us)
        changed = _contents(lsa) != _contents(old)
        if changed:
            self.before.setdefault(lsa.router, old)
        return changed

    def expire(self, now_us: int) -> list[PeerId]:
        """Remove LSAs that reached MaxAge. Returns their routers."""
        gone = [router for router, one in self.stored.items() if one.aged(now_us).age_s >= MAX_AGE_S]
        for router in gone:
            self.before.setdefault(router, self.stored.pop(router).lsa)
        return gone

    def listed(self, router: PeerId) -> Links:
        """The links that a router lists."""
        one = self.stored.get(router)
        return {} if one is None or one.lsa.age_s >= MAX_AGE_S else dict(one.lsa.links)

    def listed_before(self, router: PeerId) -> Links:
        """The links that a router listed when paths were last computed."""
        if router not in self.before:
            return self.listed(router)
        return dict(_contents(self.before[router])[0])

    def attached(self, router: PeerId) -> tuple[Prefix, ...]:
        """The networks that are attached to a router."""
        one = self.stored.get(router)
        return () if one is None else _contents(one.lsa)[1]

    def all_listed(self) -> dict[PeerId, Links]:
        """The links that each router lists."""
        return {router: dict(_contents(one.lsa)[0]) for router, one in self.stored.items()}

    def find_paths(self, root: PeerId, links: Mapping[PeerId, Links] | None = None) -> None:
        """Compute the shortest path to each destination by Dijkstra (16.1). A link counts only if both of its ends list
        it. Of equal paths the one over the lower next hop is taken. links: the result of `all_listed`, if the caller
        has it already."""
        known = self.all_listed() if links is None else links
        self.ways, self.before = {}, {}
        self._search(root, [(0, root, root)], lambda router: known.get(router, {}))

    def update_paths(self, root: PeerId) -> bool:
        """Bring the shortest paths up to date with the LSAs that have changed. Returns whether a path, or the prefixes
        of a router, have changed.

        The result is that of `find_paths`, at a cost that grows with the number of paths that change and not with the
        map (Ramalingam and Reps, "An incremental algorithm for a generalization of the shortest-path problem", 1996):
        paths that may lead over a link that is gone or costs more are removed. Then Dijkstra's algorithm begins with
        the links from other routers to the destinations of these, and with the links that are new or cost less."""
        if not self.ways or len(self.before) > len(self.stored) // 8:
            self.find_paths(root)
            return True
        ways = self.ways
        attached = any(_contents(old)[1] != self.attached(one) for one, old in self.before.items())
        lost: dict[PeerId, Way] = {}
        better: list[tuple[PeerId, PeerId, int]] = []
        for one in self.before:
            for other in {**self.listed_before(one), **self.listed(one)}:
                for a, b in ((one, other), (other, one)):
                    then = _cost(self.listed_before, a, b)
                    now = _cost(self.listed, a, b)
                    if then and (not now or now > then):
                        if b in ways and ways[b] == self._way_through(root, a, b, then):
                            lost[b] = ways[b]
                    elif now and (not then or now < then):
                        better.append((a, b, now))
        waiting = list(lost)
        for a in waiting:
            for b, cost in self.listed_before(a).items():
                used = b in ways and b not in lost and ways[b] == self._way_through(root, a, b, cost)
                if used and a in self.listed_before(b):
                    lost[b] = ways[b]
                    waiting.append(b)
        for router in lost:
            del ways[router]
        better += [(a, b, cost) for b in lost for a in self.listed(b) if (cost := _cost(self.listed, a, b))]
        offers = [(self._way_through(root, a, b, cost), b) for a, b, cost in better if b != root]
        self.before = {}
        changed = self._search(root, [(*way, to) for way, to in offers if way is not None], self.listed)
        return attached or any(ways.get(to) != way for to, way in (changed | lost).items())

    def _way_through(self, root: PeerId, router: PeerId, to: PeerId, cost: int) -> Way | None:
        """The way through a router to its neighbour `to`; None if there is no way to the router."""
        if router == root:
            return cost, to
        way = self.ways.get(router)
        return None if way is None else (way[0] + cost, way[1])

    def _search(
        self, root: PeerId, heap: list[tuple[int, PeerId, PeerId]], listed: Callable[[PeerId], Links]
    ) -> dict[PeerId, Way | None]:
        """Dijkstra's algorithm, begun with some paths, each (distance, next hop, destination). Returns each destination
        whose way it has set -> its way before."""
        ways = self.ways
        before: dict[PeerId, Way | None] = {}
        heapify(heap)
        while heap:
            distance, hop, router = heappop(heap)
            if router != root:
                way, old = (distance, hop), ways.get(router)
                if old is not None and old <= way:
                    continue
                before.setdefault(router, old)
                ways[router] = way
            elif distance:
                continue
            for neighbour, cost in listed(router).items():
                there = (distance + cost, neighbour if router == root else hop)
                known = ways.get(neighbour)
                if (known is None or there < known) and neighbour != root and router in listed(neighbour):
                    heappush(heap, (*there, neighbour))
        return before


def _cost(listed: Callable[[PeerId], Links], router: PeerId, to: PeerId) -> int:
    """What the link from one router to another costs, 0 unless both list it."""
    return listed(router).get(to, 0) if router in listed(to) else 0


# --- the protocol ------------------------------------------------------------------------------------------------


@message(over="datagram")
class Hello:
    """The sender is alive, and has heard from these neighbours (9.5)."""

    heard: tuple[int, ...]

    def wire_size(self) -> int:
        return 64 + 4 * len(self.heard)


@message(over="datagram")
class Description:
    """The LSAs in the database of the sender: (router, sequence, age) (10.8)."""

    headers: tuple[tuple[int, int, int], ...]

    def wire_size(self) -> int:
        return 52 + 20 * len(self.headers)


@message(over="datagram")
class LsRequest:
    """Send me the LSAs of these routers (10.9)."""

    routers: tuple[int, ...]

    def wire_size(self) -> int:
        return 44 + 12 * len(self.routers)


@message(over="datagram", part="question")
class LsUpdate:
    """LSAs (13.3). One that tells a change is a question of the ask of that change; one that is repeated is upkeep."""

    lsas: tuple[Lsa, ...]

    def wire_size(self) -> int:
        return 48 + sum(lsa.size for lsa in self.lsas)


@message(over="datagram")
class LsAck:
    """These LSAs have come: (router, sequence) (13.5)."""

    headers: tuple[tuple[int, int], ...]

    def wire_size(self) -> int:
        return 44 + 20 * len(self.headers)


@dataclass(slots=True)
class HelloDue:
    """Time to say hello."""


@dataclass(slots=True)
class Retransmit:
    """Time to send LSAs again that were not acknowledged."""


@dataclass(slots=True)
class Originate:
    """The last own LSA is old enough to be followed by another one."""


@dataclass(slots=True)
class Refresh:
    """Time to send the own LSA again, since it is old."""


@dataclass(slots=True)
class Spf:
    """Time to compute shortest paths."""


@dataclass(slots=True)
class OspfOptions:
    """The timers of OSPF, and what a link costs."""

    hello_s: float = option(10.0, "time from one hello to the next, in s", low=1.0, high=60.0, fixed=True)
    dead_s: float = option(40.0, "a neighbour without a hello for so long is dead, in s", low=2.0, high=300.0)
    spf_s: float = option(0.2, "time from a change to the computation of shortest paths, in s", low=0.0, high=10.0)
    metric: Literal["weight", "delay", "hops", "capacity"] = option(
        "weight",
        "what a link costs: its weight in the file of the topology, or its delay where that has none; its delay in ms; "
        "1; or 100 Mbit/s over its capacity",
        fixed=True,
    )


@dataclass(slots=True)
class Neighbour:
    """A neighbour. `heard`: it was heard from; `heard_us`: when last, or since when there is a link; `cause`: the cause
    of the change by which there is a link; `two_way`: it has heard from this router; `full`: databases are exchanged;
    `wanted`: LSAs that it has and that were asked for, router -> sequence; `sent`: LSAs that it has not acknowledged,
    router -> (sequence, cause)."""

    cost: int
    heard_us: int
    heard: bool = False
    cause: Cause = 0
    two_way: bool = False
    full: bool = False
    wanted: dict[PeerId, int] = field(default_factory=dict)
    sent: dict[PeerId, tuple[int, Cause]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class LinkState(Component, options=OspfOptions):
    """OSPF at one router. `table`: prefix -> (distance, next hop); `own`: prefixes that are attached to it; `sequence`:
    that of its last LSA, sent at `originated_us`; `planned`: causes of the changes that the next LSA will tell;
    `retransmits`, `spf_planned`: the timers `Retransmit` and `Spf` run; `changed`: how often a route has changed."""

    database: Database = field(default_factory=Database)
    near: dict[PeerId, Neighbour] = field(default_factory=dict)
    table: dict[Prefix, Way] = field(default_factory=dict)
    own: dict[Prefix, None] = field(default_factory=dict)
    sequence: int = FIRST_SEQUENCE - 1
    originated_us: int = -MIN_LS_INTERVAL_US
    planned: list[Cause] = field(default_factory=list)
    retransmits: bool = False
    spf_planned: bool = False
    lies: bool = False
    changed: int = 0

    @classmethod
    def fill(
        cls, routers: Mapping[PeerId, LinkState], near: Mapping[PeerId, Attached], hosts: Mapping[PeerId, Host]
    ) -> None:
        """Fill the databases as they are after a long time: all routers have the LSAs of all."""
        stored: dict[PeerId, Stored] = {}
        for me, router in routers.items():
            for one in near[me].links:
                router.near[one] = Neighbour(router.cost(hosts[me], one), 0, heard=True, two_way=True, full=True)
            router.own.update(dict.fromkeys(map(lan_of, near[me].hosts)))
            router.sequence += 1
            stored[me] = Stored(router.own_lsa(me), -MIN_LS_ARRIVAL_US)
        listed: dict[PeerId, Links] = {}
        for me, router in routers.items():
            router.database.stored = dict(stored)
            listed = listed or router.database.all_listed()
            router.database.find_paths(me, listed)
            router.fill_table()

    def begin(self, host: Host) -> None:
        """The router starts."""
        host.every_s(host.options.hello_s, HelloDue())
        host.every(REFRESH_S * 1_000_000, Refresh())

    def cost(self, host: Host, neighbour: PeerId) -> int:
        metric = host.options.metric
        if metric == "capacity":
            # As ospfd computes it by default.
            rate = host.kbit_s(neighbour)
            return min(COST_MAX, max(1, REFERENCE_KBIT_S // rate)) if rate else 1
        if metric == "hops":
            return 1
        return min(COST_MAX, host.cost(neighbour) if metric == "weight" else host.delay_ms(neighbour))

    def up(self, host: Host, neighbour: PeerId, cause: Cause) -> None:
        """There is a link with a neighbour: say hello at once."""
        if neighbour not in self.near:
            self.near[neighbour] = Neighbour(self.cost(host, neighbour), host.now_us, cause=cause)
        host.send(neighbour, Hello(self.heard()))

    def down(self, host: Host, neighbour: PeerId, cause: Cause) -> None:
        """The link with a neighbour is gone."""
        gone = self.near.pop(neighbour, None)
        if gone is not None and gone.full:
            self.originate(host, cause)

    def announce(self, host: Host, prefix: Prefix, cause: Cause, *, behind: bool = False) -> None:
        self.own[prefix] = None
        self.table[prefix] = (0, HERE)
        if self.near:
            self.originate(host, cause)

    def withdraw(self, host: Host, prefix: Prefix, cause: Cause) -> None:
        self.own.pop(prefix, None)
        self.originate(host, cause)

    def lie(self, host: Host, lies: bool, cause: Cause) -> None:
        self.lies = lies
        self.originate(host, cause)

    def next_hop(self, address: int) -> PeerId | None:
        prefix = longest(self.table, address)
        return None if prefix is None else self.table[prefix][1]

    def routes(self) -> list[tuple[Prefix, PeerId, int]]:
        """(destination, next hop, distance) of all routes."""
        return [(prefix, hop, far) for prefix, (far, hop) in self.table.items()]

    def changes(self) -> int:
        return self.changed

    def link_to(self, neighbour: PeerId) -> str:
        one = self.near.get(neighbour)
        return "is dead" if one is None else f"costs {one.cost}" if one.full else "is not in use yet"

    # --- neighbours (9.5, 10) ------------------------------------------------------------------------------------

    @on(HelloDue)
    def hello(self, host: Host, tick: HelloDue) -> None:
        """Say hello to all neighbours, and drop those that were silent for too long."""
        silent_us = host.now_us - int(host.options.dead_s * 1e6)
        for one in [one for one, it in self.near.items() if it.heard_us < silent_us]:
            link = link_text(host.me, one)
            self.down(host, one, ask_of_change(host, f"{link}: no hello for {host.options.dead_s:g} s", "silent", link))
        host.multicast(self.near, Hello(self.heard()))

    @on(Hello)
    def hello_received(self, host: Host, sender: PeerId, message: Hello) -> None:
        """A neighbour is alive; once each has heard from the other, they exchange their databases."""
        one = self.near.get(sender)
        if one is None:
            return
        one.heard, one.heard_us = True, host.now_us
        if host.me not in message.heard:
            was_full, one.two_way, one.full = one.full, False, False
            one.wanted, one.sent = {}, {}
            if was_full:
                # The neighbour has started again.
                link = link_text(host.me, sender)
                self.originate(host, ask_of_change(host, f"#{sender} has forgotten link {link}", "forgot", link))
            host.send(sender, Hello(self.heard()))
        elif not one.two_way:
            one.two_way = True
            host.send(sender, Hello(self.heard()))
            self.describe(host, sender)
        elif not one.full:
            self.describe(host, sender)

    def heard(self) -> tuple[PeerId, ...]:
        return tuple(one for one, it in self.near.items() if it.heard)

    def describe(self, host: Host, to: PeerId) -> None:
        now_us = host.now_us
        aged = [one.aged(now_us) for one in self.database.stored.values()]
        host.send(to, Description(tuple((lsa.router, lsa.sequence, lsa.age_s) for lsa in aged)))

    @on(Description)
    def description_received(self, host: Host, sender: PeerId, message: Description) -> None:
        """Ask for the LSAs that are newer at the neighbour."""
        one = self.near.get(sender)
        if one is None or not one.two_way:
            return
        one.wanted = {}
        for router, sequence, age_s in message.headers[:LSAS_MOST]:
            there = Lsa(router, sequence, age_s, ())
            if router >= 0 and compare(there, self.database.get(router, host.now_us)) == "newer":
                one.wanted[router] = sequence
        if one.wanted:
            host.send(sender, LsRequest(tuple(one.wanted)))
        else:
            self.exchanged(host, sender, one)

    @on(LsRequest)
    def requested(self, host: Host, sender: PeerId, message: LsRequest) -> None:
        if sender in self.near:
            found = (self.database.get(router, host.now_us) for router in message.routers[:LSAS_MOST])
            lsas = [lsa for lsa in found if lsa is not None]
            for lsa in lsas:
                host.send(sender, LsUpdate((after_transit(lsa),)), cause=None, part="upkeep")

    def exchanged(self, host: Host, neighbour: PeerId, one: Neighbour) -> None:
        """Databases are exchanged: the link can be used, and is described in the own LSA."""
        if not one.full:
            one.full = True
            if not one.cause:
                link = link_text(host.me, neighbour)
                one.cause = ask_of_change(host, f"link {link} can be used", "full", link)
            self.originate(host, one.cause)
            one.cause = 0

    # --- flooding (13) -------------------------------------------------------------------------------------------

    def own_lsa(self, me: PeerId) -> Lsa:
        """The LSA that describes the own links, or the links that it claims to have if it lies."""
        links = {one: it.cost for one, it in sorted(self.near.items()) if it.full}
        if self.lies:
            links.update(dict.fromkeys((*sorted(self.database.stored), *links), 1))
        return Lsa(me, self.sequence, 0, tuple(links.items())[:LINKS_MOST], tuple(self.own)[:LINKS_MOST])

    def originate(self, host: Host, cause: Cause) -> None:
        """Send a new LSA of the own links, now or when the last one is 5 s old."""
        wait_us = self.originated_us + MIN_LS_INTERVAL_US - host.now_us
        if wait_us > 0:
            if cause not in self.planned:
                self.planned.append(cause)
                host.after(wait_us, Originate(), cause=cause or None)
            return
        causes, self.planned = flatten([*self.planned, cause]), []
        self.originated_us = host.now_us
        self.sequence += 1
        self.install(host, self.own_lsa(host.me), HERE, causes)

    @on(Originate)
    def originate_now(self, host: Host, tick: Originate) -> None:
        if self.planned:
            self.originate(host, 0)

    @on(Refresh)
    def refresh(self, host: Host, tick: Refresh) -> None:
        self.originate(host, 0)
        if self.database.expire(host.now_us):
            self.plan_spf(host, 0)

    def install(self, host: Host, lsa: Lsa, frm: PeerId, cause: Cause) -> None:
        """Store an LSA, and send it to all neighbours except the one that it came from."""
        if self.database.install(lsa, host.now_us):
            self.plan_spf(host, cause)
        others = [one for one, it in self.near.items() if it.two_way and one != frm]
        part: Part = "question" if cause else "upkeep"
        host.multicast(others, LsUpdate((after_transit(lsa),)), cause=cause or None, part=part)
        for one in others:
            self.near[one].sent[lsa.router] = (lsa.sequence, cause)
        self.plan_retransmission(host)

    def plan_retransmission(self, host: Host) -> None:
        if not self.retransmits and any(one.sent for one in self.near.values()):
            self.retransmits = True
            host.after(RETRANSMIT_US, Retransmit(), cause=None)

    @on(Retransmit)
    def retransmit(self, host: Host, tick: Retransmit) -> None:
        self.retransmits = False
        for to, one in self.near.items():
            for router, (sequence, cause) in list(one.sent.items()):
                lsa = self.database.get(router, host.now_us)
                if lsa is None or lsa.sequence != sequence:
                    del one.sent[router]
                else:
                    part: Part = "question" if cause else "upkeep"
                    host.send(to, LsUpdate((after_transit(lsa),)), cause=cause or None, part=part)
        self.plan_retransmission(host)

    @on(LsUpdate)
    def updated(self, host: Host, sender: PeerId, message: LsUpdate) -> Known:
        one = self.near.get(sender)
        if one is None or not one.two_way:
            return DUPLICATE
        new = False
        cause = host.cause
        acknowledged: list[tuple[int, int]] = []
        for lsa in message.lsas[:LSAS_MOST]:
            if not sound(lsa):
                continue
            stored = self.database.stored.get(lsa.router)
            old = None if stored is None else stored.aged(host.now_us)
            said = compare(lsa, old)
            if said == "newer":
                if lsa.router == host.me:
                    # An LSA from before this router started again: the next own LSA has to be newer (13.4).
                    self.sequence = max(self.sequence, lsa.sequence)
                    self.originate(host, cause)
                elif stored is not None and host.now_us - stored.at_us < MIN_LS_ARRIVAL_US:
                    continue
                elif stored is not None or len(self.database.stored) < LSAS_MOST:
                    new = True
                    self.install(host, lsa, sender, cause)
            elif said == "older" and old is not None:
                host.send(sender, LsUpdate((after_transit(old),)), cause=None, part="upkeep")
                continue
            if one.sent.get(lsa.router, (0, 0))[0] == lsa.sequence:
                del one.sent[lsa.router]
            acknowledged.append((lsa.router, lsa.sequence))
            if one.wanted.get(lsa.router, lsa.sequence + 1) <= lsa.sequence:
                del one.wanted[lsa.router]
                if not one.wanted:
                    self.exchanged(host, sender, one)
        if acknowledged:
            host.send(sender, LsAck(tuple(acknowledged)))
        return None if new else DUPLICATE

    @on(LsAck)
    def acknowledged(self, host: Host, sender: PeerId, message: LsAck) -> None:
        one = self.near.get(sender)
        for router, sequence in message.headers if one is not None else ():
            if one is not None and one.sent.get(router, (0, 0))[0] == sequence:
                del one.sent[router]

    # --- shortest paths (16) -------------------------------------------------------------------------------------

    def plan_spf(self, host: Host, cause: Cause) -> None:
        if not self.spf_planned:
            self.spf_planned = True
            host.after_s(host.options.spf_s, Spf(), cause=cause or None)

    @on(Spf)
    def spf(self, host: Host, tick: Spf) -> None:
        self.spf_planned = False
        if self.database.update_paths(host.me):
            before = self.table
            self.fill_table()
            self.changed += sum(before.get(prefix) != route for prefix, route in self.table.items())
            self.changed += sum(prefix not in self.table for prefix in before)
        host.emit(TableChanged())

    def fill_table(self) -> None:
        """Make the table: to each prefix the way to the nearest router that has it; of equal ways, that over the lower
        next hop."""
        table: dict[Prefix, Way] = dict.fromkeys(self.own, (0, HERE))
        for router, way in self.database.ways.items():
            for prefix in self.database.attached(router):
                if prefix not in table or way < table[prefix]:
                    table[prefix] = way
        self.table = table


def flatten(causes: Sequence[Cause]) -> Cause:
    """Several causes as one, each once. Causes that are 0 (none) are left out."""
    known = dict.fromkeys(one for each in causes for one in ((each,) if isinstance(each, int) else each) if one)
    return tuple(known) if len(known) > 1 else next(iter(known), 0)


def after_transit(lsa: Lsa) -> Lsa:
    """An LSA as it is sent: with the age that it has when it arrives, one second more."""
    return lsa._replace(age_s=min(MAX_AGE_S, lsa.age_s + TRANSIT_DELAY_S))


def sound(lsa: Lsa) -> bool:
    """Whether the fields of an LSA have possible values."""
    return (
        lsa.router >= 0
        and FIRST_SEQUENCE <= lsa.sequence < 1 << 31
        and 0 <= lsa.age_s <= MAX_AGE_S
        and len(lsa.links) <= LINKS_MOST
        and len(lsa.prefixes) <= LINKS_MOST
        and all(to >= 0 and 0 < cost < 1 << 16 for to, cost in lsa.links)
        and all(0 <= prefix < 1 << 38 for prefix in lsa.prefixes)
    )

"""Path vector routing, by the rules of BGP 4 (RFC 4271) with the policies of Gao and Rexford. Each router is an
autonomous system.

A route has the path of systems that it leads through, so that no system uses a route that leads through itself.
Customers pay their provider, peers pay nobody: a route from a customer is preferred, then one from a peer, then one
from a provider, and routes of peers and providers are told to customers only. Then all paths are valley-free, and
routes converge (Gao and Rexford, "Stable Internet routing without global coordination", 2001).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Literal, NamedTuple

from ...api import DUPLICATE, Cause, CauseLike, Component, Host, Known, Part, PeerId, message, on, option
from .packets import HERE, ROUTES_MOST, Attached, Prefix, TableChanged, ask_of_change, lan_of, link_text, longest

Relation = Literal["customer", "peer", "provider"]
"""What a neighbour is to this system."""
PREFERENCE: dict[Relation, int] = {"customer": 300, "peer": 200, "provider": 100}
"""LOCAL_PREF of routes from a neighbour."""
RELATIONS: tuple[Relation, ...] = ("customer", "peer", "provider")
REVERSE: dict[Relation, Relation] = {"customer": "provider", "peer": "peer", "provider": "customer"}
Path = tuple[PeerId, ...]
PATH_MOST, TOLD_MOST = 250, 200


# --- the table ---------------------------------------------------------------------------------------------------


class Route(NamedTuple):
    """A route to a prefix. path: the systems on the way, the next one first, empty for an own prefix; relation: what
    the next system is to this one, None for an own prefix."""

    path: Path
    relation: Relation | None


@dataclass(slots=True)
class Rib:
    """The routing information base of one system. `heard`: neighbour -> prefix -> path, `relations`: what each
    neighbour is; `best`: the neighbour whose route is used, `HERE` for an own prefix; `own`: prefixes that it announces
    itself; `changes`: how often a best route has changed."""

    me: PeerId
    relations: dict[PeerId, Relation] = field(default_factory=dict)
    heard: dict[PeerId, dict[Prefix, Path]] = field(default_factory=dict)
    best: dict[Prefix, PeerId] = field(default_factory=dict)
    own: dict[Prefix, None] = field(default_factory=dict)
    changes: int = 0

    def route(self, prefix: Prefix) -> Route | None:
        """The best route, None without any."""
        hop = self.best.get(prefix)
        if hop is None:
            return None
        return Route((), None) if hop == HERE else Route(self.heard[hop][prefix], self.relations[hop])

    def announce(self, prefix: Prefix) -> bool:
        """Announce a prefix as an own one, whether it is or not. Returns whether the best route changed."""
        before = self.route(prefix)
        self.own[prefix] = None
        return self.decide(prefix, before)

    def withdraw(self, prefix: Prefix) -> bool:
        """Do not announce an own prefix any more. Returns whether the best route changed."""
        before = self.route(prefix)
        self.own.pop(prefix, None)
        return self.decide(prefix, before)

    def update(self, neighbour: PeerId, relation: Relation, prefix: Prefix, path: Path | None) -> bool:
        """A neighbour told a path, which begins with itself, or withdrew its route (None). A path with this system in
        it counts as withdrawn. Returns whether the best route changed."""
        self.relations[neighbour] = relation
        routes = self.heard.setdefault(neighbour, {})
        before = self.route(prefix)
        if path is None or self.me in path:
            routes.pop(prefix, None)
        elif prefix in routes or len(routes) < ROUTES_MOST:
            routes[prefix] = path
        return self.decide(prefix, before)

    def lose(self, neighbour: PeerId) -> dict[Prefix, Route | None]:
        """A session has ended: withdraw all its routes. Returns each prefix whose best route has changed -> the route
        before."""
        theirs = self.heard.get(neighbour, {})
        lost = {prefix: self.route(prefix) for prefix in theirs if self.best.get(prefix) == neighbour}
        self.heard.pop(neighbour, None)
        return {prefix: before for prefix, before in lost.items() if self.decide(prefix, before)}

    def decide(self, prefix: Prefix, before: Route | None) -> bool:
        """Choose the best route: by local preference, then the shorter path, then the lower neighbour (9.1.2). before:
        the best route so far. Returns whether it has changed."""
        if prefix in self.own:
            self.best[prefix] = HERE
        else:
            found = [
                (-PREFERENCE[self.relations[one]], len(routes[prefix]), routes[prefix], one)
                for one, routes in self.heard.items()
                if prefix in routes
            ]
            if found:
                self.best[prefix] = min(found)[3]
            else:
                self.best.pop(prefix, None)
        changed = self.route(prefix) != before
        self.changes += changed
        return changed

    def told_to(self, neighbour: PeerId, relation: Relation, prefix: Prefix) -> Path | None:
        """The path that a neighbour is told of the best route to a prefix, or None, see `told`."""
        return self.told(neighbour, relation, self.route(prefix))

    def told(self, neighbour: PeerId, relation: Relation, route: Route | None) -> Path | None:
        """The path that a neighbour is told of a route, or None. Customers are told all routes, peers and providers
        only own ones and those of customers; no neighbour is told a route that came from it."""
        if route is None or (route.path and route.path[0] == neighbour):
            return None
        if relation != "customer" and route.relation not in (None, "customer"):
            return None
        return (self.me, *route.path)

    def next_hop(self, address: int) -> PeerId | None:
        """Where a packet to an address goes, by the longest prefix that covers it. None: nowhere; `HERE`: it has
        arrived."""
        prefix = longest(self.best, address)
        return None if prefix is None else self.best[prefix]


def hierarchy(near: Mapping[PeerId, Attached]) -> dict[PeerId, dict[PeerId, Relation]]:
    """What each neighbour of each router is to it, by the links alone. In each part of the network the router with the
    most links is the top. A neighbour that is one link nearer to the top is a provider, one that is equally near is a
    peer. So each router has a way up to the top, and from there down to all others."""
    level: dict[PeerId, int] = {}
    for top in sorted(near, key=lambda one: (-len(near[one].links), one)):
        if top not in level:
            level[top] = 0
            queue = [top]
            for at in queue:
                for one in near[at].links:
                    if one not in level:
                        level[one] = level[at] + 1
                        queue.append(one)
    words: dict[int, Relation] = {-1: "provider", 0: "peer", 1: "customer"}
    return {me: {one: words[level[one] - level[me]] for one in it.links} for me, it in near.items()}


# --- the protocol ------------------------------------------------------------------------------------------------


@message()
class BgpOpen:
    """A session begins. `relation`: what the sender is to the receiver, an index of `RELATIONS`; `answer`: whether it
    is the answer to such a message."""

    relation: int
    answer: bool

    def wire_size(self) -> int:
        return 29 + 40


@message()
class Keepalive:
    """The sender is alive."""

    def wire_size(self) -> int:
        return 19 + 40


@message(part="question")
class BgpUpdate:
    """Prefixes to which the sender has a route over `path`, which begins with the sender, and prefixes to which it has
    no route any more."""

    path: tuple[int, ...]
    prefixes: tuple[int, ...]
    withdrawn: tuple[int, ...]

    def wire_size(self) -> int:
        attributes = 4 + 4 + 7 + 6 + 4 * len(self.path) if self.path else 0
        return 40 + 23 + attributes + 4 * (len(self.prefixes) + len(self.withdrawn))


@dataclass(slots=True)
class KeepaliveDue:
    """Time to send a Keepalive, and to notice neighbours that are silent."""


@dataclass(slots=True)
class Advertise:
    """A neighbour may be told of routes again."""

    to: PeerId


@dataclass(slots=True)
class BgpOptions:
    """The timers of BGP."""

    mrai_s: float = option(
        30.0, "least time between two updates to one neighbour (MRAI), times 0.75 to 1, in s", low=0.0, high=120.0
    )
    hold_s: float = option(
        90.0, "a neighbour without a word for so long is dead, in s", low=3.0, high=600.0, fixed=True
    )


@dataclass(slots=True)
class Session:
    """A session with a neighbour. `up`: both ends have sent an open; `heard_us`: when the neighbour was last heard
    from; `news`: what it is still to be told, as prefix -> (path that it was told last, cause); `waits`: no routes may
    be told now (MRAI); `cause`: that of the change by which the session begins."""

    heard_us: int
    up: bool = False
    waits: bool = False
    cause: Cause = 0
    news: dict[Prefix, tuple[Path | None, Cause]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class PathVector(Component, options=BgpOptions):
    """BGP at one router. A neighbour that is not in `rib.relations` is taken for a customer; a newcomer takes it for a
    provider."""

    rib: Rib = field(default_factory=lambda: Rib(-1))
    sessions: dict[PeerId, Session] = field(default_factory=dict)
    newcomer: bool = False
    lies: bool = False

    @classmethod
    def fill(cls, routers: Mapping[PeerId, PathVector], near: Mapping[PeerId, Attached], cold: bool) -> None:
        """Set the relations of all routers, and unless the run begins cold also their routes as they are after a long
        time: all routers tell their routes to their providers, from the bottom up, then to their peers, then to their
        customers, from the top down. So each route is told once."""
        relations = hierarchy(near)
        for me, router in routers.items():
            router.rib.relations.update(relations[me])
        if cold:
            return
        for me, router in routers.items():
            router.sessions = {one: Session(0, up=True) for one in near[me].links}
            for prefix in map(lan_of, near[me].hosts):
                router.rib.announce(prefix)
        customers = {me: [one for one, it in relations[me].items() if it == "customer"] for me in routers}
        order = list(TopologicalSorter(customers).static_order())
        for wanted, those in (("provider", order), ("peer", order), ("customer", order[::-1])):
            for me in those:
                rib = routers[me].rib
                for one, relation in relations[me].items():
                    if relation == wanted:
                        for prefix in rib.best:
                            path = rib.told_to(one, relation, prefix)
                            if path is not None:
                                routers[one].rib.update(me, REVERSE[relation], prefix, path)
        for router in routers.values():
            router.rib.changes = 0

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        if isinstance(saved, dict):
            self.rib.relations = dict(saved)

    def saved(self) -> object | None:
        """The relations, which stay as they are."""
        return dict(self.rib.relations)

    def begin(self, host: Host) -> None:
        """The router starts."""
        self.rib.me = host.me
        self.newcomer = bool(host.now_us)
        host.every(max(1, int(host.options.hold_s / 3 * 1e6)), KeepaliveDue())

    def relation(self, neighbour: PeerId) -> Relation:
        """What a neighbour is to this system."""
        return self.rib.relations.get(neighbour, "provider" if self.newcomer else "customer")

    def up(self, host: Host, neighbour: PeerId, cause: Cause) -> None:
        """There is a link with a neighbour: open a session."""
        self.end(host, neighbour, cause)
        self.sessions[neighbour] = Session(host.now_us, cause=cause)
        self.rib.relations.setdefault(neighbour, self.relation(neighbour))
        self.say_open(host, neighbour, answer=False)

    def say_open(self, host: Host, to: PeerId, *, answer: bool) -> None:
        host.send(to, BgpOpen(RELATIONS.index(REVERSE[self.relation(to)]), answer))

    def down(self, host: Host, neighbour: PeerId, cause: Cause) -> None:
        """The link with a neighbour is gone."""
        self.end(host, neighbour, cause)

    def end(self, host: Host, neighbour: PeerId, cause: Cause) -> None:
        """End the session with a neighbour, if there is one."""
        if self.sessions.pop(neighbour, None) is not None:
            for prefix, before in self.rib.lose(neighbour).items():
                self.changed(host, prefix, before, cause)
            self.advertise_all(host)

    def announce(self, host: Host, prefix: Prefix, cause: Cause, *, behind: bool = False) -> None:
        before = self.rib.route(prefix)
        if self.rib.announce(prefix):
            self.changed(host, prefix, before, cause)
            self.advertise_all(host)

    def withdraw(self, host: Host, prefix: Prefix, cause: Cause) -> None:
        before = self.rib.route(prefix)
        if self.rib.withdraw(prefix):
            self.changed(host, prefix, before, cause)
            self.advertise_all(host)

    def lie(self, host: Host, lies: bool, cause: Cause) -> None:
        """Tell paths without the systems between this one and the origin, or the true ones again."""
        self.lies = lies
        for one, session in self.sessions.items():
            for prefix in self.rib.best if session.up else ():
                session.news.setdefault(prefix, (None, cause))
            self.advertise(host, one)

    def next_hop(self, address: int) -> PeerId | None:
        return self.rib.next_hop(address)

    def routes(self) -> list[tuple[Prefix, PeerId, int]]:
        """(destination, next hop, systems on the way) of all routes."""
        rib = self.rib
        return [(one, hop, 0 if hop == HERE else len(rib.heard[hop][one])) for one, hop in rib.best.items()]

    def origin(self, address: int) -> PeerId | None:
        """The system that announces the longest known prefix that covers an address; None if there is none."""
        prefix = longest(self.rib.best, address)
        route = None if prefix is None else self.rib.route(prefix)
        return None if route is None else (route.path or (self.rib.me,))[-1]

    def changes(self) -> int:
        return self.rib.changes

    def link_to(self, neighbour: PeerId) -> str:
        session = self.sessions.get(neighbour)
        return f"is a {self.relation(neighbour)}{'' if session is not None and session.up else ' without a session'}"

    # --- sessions (8) ----------------------------------------------------------------------------------------------

    @on(BgpOpen)
    def opening(self, host: Host, sender: PeerId, message: BgpOpen) -> None:
        """The neighbour begins a session, or answers: tell it all routes that it may be told."""
        session = self.sessions.get(sender)
        if session is None or (session.up and message.answer) or not 0 <= message.relation < len(RELATIONS):
            return
        if session.up:
            # The neighbour has started again.
            link = link_text(host.me, sender)
            cause = ask_of_change(host, f"the session of {link} begins again", "session", link)
            self.end(host, sender, cause)
            session = self.sessions[sender] = Session(host.now_us, cause=cause)
        session.up, session.heard_us = True, host.now_us
        if not message.answer:
            self.say_open(host, sender, answer=True)
        session.news = dict.fromkeys(self.rib.best, (None, session.cause))
        self.advertise(host, sender)

    @on(KeepaliveDue)
    def keep_alive(self, host: Host, tick: KeepaliveDue) -> None:
        silent_us = host.now_us - int(host.options.hold_s * 1e6)
        for one, session in [each for each in self.sessions.items() if each[1].heard_us < silent_us]:
            if not session.up:
                # Try again (ConnectRetryTimer).
                session.heard_us = host.now_us
                self.say_open(host, one, answer=False)
                continue
            link = link_text(host.me, one)
            self.up(
                host,
                one,
                ask_of_change(host, f"{link}: nothing was heard for {host.options.hold_s:g} s", "silent", link),
            )
        host.multicast([one for one, session in self.sessions.items() if session.up], Keepalive())

    @on(Keepalive)
    def alive(self, host: Host, sender: PeerId, message: Keepalive) -> None:
        if sender in self.sessions:
            self.sessions[sender].heard_us = host.now_us

    # --- routes (9) ------------------------------------------------------------------------------------------------

    @on(BgpUpdate)
    def updated(self, host: Host, sender: PeerId, message: BgpUpdate) -> Known:
        session = self.sessions.get(sender)
        if session is None or not session.up:
            return DUPLICATE
        session.heard_us = host.now_us
        path = message.path
        if message.prefixes and (not path or path[0] != sender or len(path) > PATH_MOST or min(path) < 0):
            return None
        relation = self.relation(sender)
        new = False
        told = [(one, None) for one in message.withdrawn[:TOLD_MOST]]
        for prefix, way in (*told, *((one, path) for one in message.prefixes[:TOLD_MOST])):
            if 0 <= prefix < 1 << 38:
                before = self.rib.route(prefix)
                if self.rib.update(sender, relation, prefix, way):
                    self.changed(host, prefix, before, host.cause)
                    new = True
        if new:
            self.advertise_all(host)
        return None if new else DUPLICATE

    def changed(self, host: Host, prefix: Prefix, before: Route | None, cause: Cause) -> None:
        """The best route to a prefix has changed: note for each neighbour that it is to be told, and the path that it
        was told last."""
        for one, session in self.sessions.items():
            if session.up and prefix not in session.news:
                session.news[prefix] = (self.told(one, prefix, before), cause)
            elif session.up:
                session.news[prefix] = (session.news[prefix][0], cause)

    def told(self, neighbour: PeerId, prefix: Prefix, route: Route | None) -> Path | None:
        path = self.rib.told(neighbour, self.relation(neighbour), route)
        return (path[0], path[-1]) if self.lies and path is not None and len(path) > 2 else path

    def advertise_all(self, host: Host) -> None:
        host.emit(TableChanged())
        for one in self.sessions:
            self.advertise(host, one)

    def advertise(self, host: Host, to: PeerId) -> None:
        """Tell a neighbour what has changed: withdrawals at once, routes only if none were told for some time (MRAI,
        9.2.1.1)."""
        session = self.sessions[to]
        if not session.news or not session.up:
            return
        paths: dict[Path, list[Prefix]] = {}
        withdrawn: list[Prefix] = []
        causes: list[Cause] = []
        kept: dict[Prefix, tuple[Path | None, Cause]] = {}
        for prefix, (had, cause) in session.news.items():
            path = self.told(to, prefix, self.rib.route(prefix))
            if path == had:
                continue
            if path is None:
                withdrawn.append(prefix)
            elif session.waits:
                kept[prefix] = (had, cause)
                continue
            else:
                paths.setdefault(path, []).append(prefix)
            if cause and cause not in causes:
                causes.append(cause)
        session.news = kept
        first: list[tuple[Path, list[Prefix]]] = [((), [])] if withdrawn and not paths else []
        for path, prefixes in (*first, *paths.items()):
            while prefixes or withdrawn:
                told = BgpUpdate(path, tuple(prefixes[:TOLD_MOST]), tuple(withdrawn[:TOLD_MOST]))
                prefixes, withdrawn = prefixes[TOLD_MOST:], withdrawn[TOLD_MOST:]
                part: Part = "question" if causes else "upkeep"
                update_cause: CauseLike = causes or None
                host.send(to, told, cause=update_cause, part=part)
        if paths and host.options.mrai_s:
            session.waits = True
            wait_us = int(host.options.mrai_s * host.rng.uniform(0.75, 1.0) * 1e6)
            host.after(wait_us, Advertise(to), cause=None)

    @on(Advertise)
    def advertise_again(self, host: Host, tick: Advertise) -> None:
        session = self.sessions.get(tick.to)
        if session is not None:
            session.waits = False
            self.advertise(host, tick.to)

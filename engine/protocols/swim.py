"""SWIM, a membership list

Each member keeps a list of all others and finds out which of them have failed. In each period it pings one member, in
an order that it shuffles after each pass. If no ack comes in time, it asks k others to ping that member for it; if none
of them gets an ack, the member is suspected. A member that hears that it is suspected denies it; if it does not do so
for some seconds, it has failed. Each change is spread as a rumour: each member that hears it for the first time tells
it to `fanout` others.

Whatever the size of the group, a member sends 2 messages a period. On average, a member is first pinged in period
1 / (1 - e^-q) after its death, where q is the share of the members that live: 1.58 if nearly all do.

Things to try: colour by `sees` and kill some peers. Mute a peer (menu of the peer): it runs on and sends nothing, like
a process that is paused; is it declared failed? Then let it speak. Set helpers=0 and loss=0.1, and count how many
living members are suspected. Partition the peers, and heal them.

Source: Das, Gupta and Motivala, "SWIM: Scalable Weakly-consistent Infection-style Process Group Membership Protocol",
DSN 2002. There, changes travel inside pings and acks; here each is a message of its own, so that it can be watched. As
in memberlist, a failed member comes back with a higher incarnation, and failed members are pinged now and then: so two
groups become one again after a partition. An ask tells all members something, as a user event of Serf does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..api import (
    BROADCAST,
    DUPLICATE,
    Ask,
    Belief,
    Beliefs,
    CallEnd,
    Host,
    Known,
    Peer,
    PeerId,
    Shown,
    Theory,
    Ticket,
    message,
    on,
    on_reply,
    on_timeout,
    option,
    switch,
)
from ..kit import infect_and_die, put_bounded, some_of

ALIVE, SUSPECTED, FAILED = 0, 1, 2
"""States of a member. Of two statements the one with the higher incarnation counts; in the same incarnation, the one
with the higher state (section 4.2)."""
STATE_WORDS = ("is back", "is suspected", "has failed")
CHANGE = replace(BROADCAST, name="change", verb="report", about="Tell everyone how a member is.", asked=False)
"""The ask that a member opens when it notices a change."""


@message(over="datagram")
class Ping:
    """Are you alive? `mine` is the sender's incarnation; `yours` and `state`: the incarnation and the state that it
    believes of the receiver; `joining`: whether it asks for the list of members."""

    mine: int
    yours: int
    state: int
    joining: bool


@message(over="datagram")
class PingReq:
    """Ping `target` for me."""

    target: PeerId


@message(over="datagram")
class Ack:
    """The sender, or the target of a PingReq, is alive in this incarnation. `others`: the members, for a member that
    joins."""

    incarnation: int
    others: tuple[PeerId, ...]


@message(over="datagram", part="question")
class Change:
    """`member` is alive, suspected or failed. `state`: an index of `STATE_WORDS`."""

    member: PeerId
    incarnation: int
    state: int


@message(over="datagram", part="question", about="text")
class UserEvent:
    """Something that a user tells all; `key` is drawn by its origin."""

    key: int
    text: str


@dataclass(slots=True)
class Period:
    """A protocol period begins."""


@dataclass(slots=True)
class Confirm:
    """A suspected member has had time to deny it."""

    member: PeerId
    incarnation: int


@dataclass(slots=True)
class SwimOptions:
    """How failures are noticed and spread."""

    ping_s: float = option(2.0, "protocol period: one ping in each, in s", low=0.1, high=60.0, fixed=True)
    timeout_s: float = option(0.8, "how long an ack may take, also one by way of a helper, in s", low=0.05, high=30.0)
    helpers: int = option(3, "members asked to ping one that does not answer (k)", low=0, high=50, unit="members")
    suspicion_s: float = option(10.0, "how long a member is suspected before it has failed, in s", low=0.1, high=600.0)
    fanout: int = option(6, "members that each tells a change to", low=1, high=50, unit="members")
    remember: int = option(1_000, "events that a member remembers, the latest ones", low=1, high=1_000_000)


@dataclass(slots=True, eq=False)
class GroupMember(Peer, name="swim", options=SwimOptions):
    """A member. `known`: the incarnation and state of each other member; `to_ping`: those to be pinged before the next
    shuffle; `helpers_left`: member that did not answer -> helpers that may still get its ack; `entered`: it has
    joined; `heard`: the latest events."""

    role = "member"
    goals = (replace(BROADCAST, what="news for all members: any words"), CHANGE)
    knows = "everyone"
    overlay = False
    shares_files = False
    shows = (
        Shown("sees", "the worst that it believes of a member", "category", ("all alive", "a suspect", "a failure")),
        Shown("suspects", "members that it suspects", "count"),
        Shown("failed", "members that it believes to have failed", "count"),
    )

    known: dict[PeerId, tuple[int, int]] = field(default_factory=dict)
    to_ping: list[PeerId] = field(default_factory=list)
    helpers_left: dict[PeerId, int] = field(default_factory=dict)
    incarnation: int = 0
    muted: bool = switch(
        "mute",
        "speak",
        about="It sends nothing, as a process that is paused.",
        off_about="It sends again, and says that it lives.",
        then="mute_switched",
    )
    entered: bool = True
    heard: dict[int, str] = field(default_factory=dict)

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: SwimOptions) -> Sequence[Theory]:
        return infect_and_die(facts["others"], facts["living"], options.fanout).theory()

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """At t = 0 all peers are members. A peer that starts later gets the list of members with its first ack."""
        if isinstance(saved, tuple):
            self.incarnation, contacts = saved[0] + 1, (*saved[1], *contacts)
        self.known = {one: (0, ALIVE) for one in contacts if one != host.me}
        self.entered = not host.now_us or not self.known
        host.every_s(host.options.ping_s, Period())

    def saved(self) -> object | None:
        return self.incarnation, tuple(self.alive())

    def joined(self, links: Sequence[PeerId]) -> bool:
        return self.entered

    def alive(self) -> list[PeerId]:
        """The members that have not failed, as far as it knows."""
        return [one for one, (_, state) in self.known.items() if state != FAILED]

    # --- failure detection (section 3.1) --------------------------------------------------------------------------

    @on(Period)
    def period(self, host: Host, tick: Period) -> None:
        """Ping the next member. Each member is pinged once, in an order that is drawn, before the next pass begins
        (4.3). In each pass one failed member is pinged too: it may be back, or may have been cut off only."""
        if not self.to_ping:
            failed = [one for one, (_, state) in self.known.items() if state == FAILED]
            self.to_ping = self.alive() + some_of(failed, 1, host.rng)
            host.rng.shuffle(self.to_ping)
        if self.to_ping and not self.muted:
            self.ping(host, self.to_ping.pop())

    def ping(self, host: Host, target: PeerId, asker: Ticket | None = None) -> None:
        yours, state = self.known[target]
        self.incarnation += state == FAILED  # It may have heard the same of us.
        ping = Ping(self.incarnation, yours, state, not self.entered)
        host.call(target, ping, timeout_s=host.options.timeout_s, context=asker)

    @on(Ping)
    def pinged(self, host: Host, sender: PeerId, message: Ping) -> None:
        """Answer. If the sender is new, or believes that this member is not alive, tell all."""
        if self.muted:
            return
        if self.learn(host, Change(host.me, message.yours, message.state)):
            self.report(host, host.me)
        self.heard_from(host, sender, message.mine)
        host.reply(Ack(self.incarnation, tuple(self.alive()) if message.joining else ()))

    @on_reply(Ping)
    def acked(self, host: Host, sender: PeerId, answer: Ack, context: Ticket | None) -> None:
        """The member is alive. If it was pinged for another member, pass the ack on to that one."""
        self.heard_from(host, sender, answer.incarnation)
        for one in answer.others:
            self.learn(host, Change(one, 0, ALIVE))
        self.entered = True
        if context is not None:
            host.reply(Ack(answer.incarnation, ()), to=context)

    def heard_from(self, host: Host, member: PeerId, incarnation: int) -> None:
        """A member has been heard from. If it was new or had failed, tell all."""
        new = self.known.get(member, (0, FAILED))[1] == FAILED
        if self.learn(host, Change(member, incarnation, ALIVE)) and new and self.entered:
            self.report(host, member)

    @on_timeout(Ping)
    def silent(self, host: Host, to: PeerId, context: Ticket | None, reason: CallEnd) -> None:
        """A member does not answer: ask k others to ping it, unless it has failed already, or was pinged for another
        one."""
        if context is not None or self.known[to][1] == FAILED:
            return
        host.log("no ack", member=to)
        others = [one for one in self.alive() if one != to]
        helpers = some_of(others, host.options.helpers, host.rng)
        self.helpers_left[to] = len(helpers)
        for one in helpers:
            host.call(one, PingReq(to), timeout_s=2 * host.options.timeout_s, context=to)
        if not helpers:
            self.suspect(host, to)

    @on(PingReq)
    def asked_to_ping(self, host: Host, sender: PeerId, message: PingReq) -> None:
        """Ping the target, and keep the request, to answer it later."""
        if message.target in self.known and not self.muted:
            self.ping(host, message.target, host.request)

    @on_reply(PingReq)
    def acked_through(self, host: Host, sender: PeerId, answer: Ack, context: PeerId) -> None:
        self.helpers_left.pop(context, None)

    @on_timeout(PingReq)
    def silent_through(self, host: Host, to: PeerId, context: PeerId, reason: CallEnd) -> None:
        if context in self.helpers_left:
            self.helpers_left[context] -= 1
            if self.helpers_left[context] == 0:
                self.suspect(host, context)

    def suspect(self, host: Host, member: PeerId) -> None:
        del self.helpers_left[member]
        if self.learn(host, Change(member, self.known[member][0], SUSPECTED)):
            self.report(host, member)

    @on(Confirm)
    def confirm(self, host: Host, tick: Confirm) -> None:
        """A member that is still suspected in the same incarnation has failed."""
        if self.known.get(tick.member) == (tick.incarnation, SUSPECTED):
            self.learn(host, Change(tick.member, tick.incarnation, FAILED))
            self.report(host, tick.member)

    # --- changes and events, spread as rumours (sections 4.1 and 4.2) ---------------------------------------------

    def learn(self, host: Host, change: Change) -> bool:
        """Take over what a change says of a member, if it is newer than what is known. Returns whether it is."""
        if change.member == host.me:
            if change.state == ALIVE or change.incarnation < self.incarnation:
                return False
            self.incarnation = change.incarnation + 1
            return True
        now = (change.incarnation, change.state)
        if (
            change.member < 0
            or not ALIVE <= change.state <= FAILED
            or now <= self.known.get(change.member, (-1, ALIVE))
        ):
            return False
        self.known[change.member] = now
        if change.state == SUSPECTED:
            host.after_s(host.options.suspicion_s, Confirm(change.member, change.incarnation), cause=None)
        return True

    def report(self, host: Host, member: PeerId) -> None:
        """Begin an ask for a change that this member has noticed, and spread it."""
        if self.muted:
            return
        incarnation, state = self.known.get(member, (self.incarnation, ALIVE))
        cause = host.begin(f"#{member} {STATE_WORDS[state]}", CHANGE, key=(member, incarnation, state))
        host.multicast(self.drawn(host), Change(member, incarnation, state), cause=cause)

    @on(Change)
    def changed(self, host: Host, sender: PeerId, message: Change) -> Known:
        """Pass on a change that is new. Deny a change that says that this member itself is not alive."""
        if not self.learn(host, message):
            return DUPLICATE
        if message.member != host.me:
            host.multicast(self.drawn(host), message)
        else:
            self.report(host, host.me)
        return None

    def ask(self, host: Host, ask: Ask) -> None:
        self.tell(host, UserEvent(host.rng.getrandbits(64), ask.text))

    @on(UserEvent)
    def told(self, host: Host, sender: PeerId, message: UserEvent) -> Known:
        if message.key in self.heard:
            return DUPLICATE
        self.tell(host, message)
        return None

    def tell(self, host: Host, event: UserEvent) -> None:
        put_bounded(self.heard, event.key, event.text, host.options.remember)
        host.multicast(self.drawn(host), event)

    def drawn(self, host: Host) -> list[PeerId]:
        """`fanout` members to tell something, drawn from those that have not failed; none while it is muted."""
        return [] if self.muted else some_of(self.alive(), host.options.fanout, host.rng)

    # --- what a person does and sees ------------------------------------------------------------------------------

    def mute_switched(self, host: Host) -> None:
        """`muted` was switched: a member that sends again says that it is alive."""
        if not self.muted:
            self.incarnation += 1
            self.report(host, host.me)

    def stop(self, host: Host) -> None:
        """A member that leaves says itself that it has failed (section 3.2)."""
        host.multicast(self.drawn(host), Change(host.me, self.incarnation, FAILED), cause=None, part="upkeep")

    def shown(self) -> tuple[float | str, ...]:
        states = [state for _, state in self.known.values()]
        worst = max(states, default=ALIVE)
        return ("all alive", "a suspect", "a failure")[worst], states.count(SUSPECTED), states.count(FAILED)

    def contacts(self) -> Iterable[PeerId]:
        return self.alive()

    def beliefs(self) -> Beliefs:
        words = ("alive", "suspected", "failed")
        known = {one: Belief(None, words[state], state != FAILED) for one, (_, state) in self.known.items()}
        return Beliefs(known, {"incarnation": str(self.incarnation), "events": str(len(self.heard))})

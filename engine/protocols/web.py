"""Client and server

All clients ask one service, whose address everybody knows. With `servers=1` it is one machine, "server"; with more, a
load balancer passes requests on to a fleet, so that the death of one server is not noticed. The balancer itself and the
operator remain single points of failure.

The service has whatever is asked for. Its limit is its line: answers leave one after the other, so N clients wait N
times as long (`uplink_mbit_s`, `page_kb`; the textbook bound N F / u). Where links have a capacity, the server's link
delays answers, and clients share it. HTTP (RFC 9110, 9112) has no timeouts; those here are ours, of the order that
proxies and browsers use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..api import (
    FETCH,
    PUBLISH,
    Ask,
    Belief,
    Beliefs,
    Blob,
    Cause,
    Facts,
    Host,
    Peer,
    PeerId,
    Station,
    Theory,
    Timer,
    message,
    on,
    option,
    words_of,
)

OK, UNAVAILABLE, OVERLOADED = 200, 451, 503
"""Status codes: RFC 9110 section 15; 451, for legal reasons, RFC 7725."""


@message(part="question")
class Request:
    """GET. `number` stands for the connection that the answer will come back on."""

    number: int
    text: str

    def about(self) -> Iterable[str]:
        return words_of(self.text)

    def without(self, word: str) -> Request:
        """A request with an empty path, which is answered with 451."""
        return Request(self.number, "")


@message(part="answer")
class Response:
    """Status and page. `server` made it, as the Via field of a proxy tells."""

    number: int
    status: int
    text: str
    server: PeerId
    page: Blob

    def about(self) -> Iterable[str]:
        """The page is there to read."""
        return words_of(self.text)

    def without(self, word: str) -> Response:
        """A response 451 without a page."""
        return Response(self.number, UNAVAILABLE, "", self.server, Blob(0))


@dataclass(slots=True)
class Waited:
    """The wait for the answer to a request is over."""

    number: int


@dataclass(slots=True)
class Sendable:
    """The line has taken an answer: send it now. None where it was sent at once, and the link delays it."""

    to: PeerId
    response: Response | None


@dataclass(slots=True)
class WebOptions:
    """The size of the service, and timeouts."""

    servers: int = option(
        1, "machines of the service; more than one stand behind a balancer", low=1, high=1_000, fixed=True
    )
    page_kb: float = option(64.0, "size of an answer, in KB of 1,000 bytes", low=0.0, high=1e9)
    uplink_mbit_s: float = option(
        1_000.0, "what one server can send where links have no capacity, in Mbit/s", low=0.001, high=1e6
    )
    backlog: int = option(1_000, "answers that may wait for the line of one server; more are refused with 503", low=1)
    timeout_s: float = option(5.0, "how long a client waits for an answer, in s", low=0.001, high=3_600)
    retries: int = option(2, "how often a client tries again", low=0, high=100)
    proxy_timeout_s: float = option(2.0, "how long the balancer waits for a server, in s", low=0.001, high=3_600)
    retry_s: float = option(10.0, "how long the balancer leaves a silent server alone, in s", low=0.0, high=3_600)


@dataclass(slots=True)
class Pending:
    """A request without an answer. At a balancer: from which `client`, under which `number` of the client's, and to
    which `server` it was passed on."""

    text: str
    tries: int
    timer: Timer
    client: PeerId = -1
    number: int = 0
    server: PeerId = -1
    cause: Cause = 0


@dataclass(slots=True, eq=False)
class Client(Peer, name="web", options=WebOptions):
    """A user's browser."""

    role = "client"
    goals = (replace(FETCH, audience="one", one="server", what="a page: any name"),)
    overlay = False
    shares_files = False

    front: PeerId = -1
    last: int = 0
    pending: dict[int, Pending] = field(default_factory=dict)
    heard_us: int | None = None
    answered: int = 0
    failed: int = 0

    @classmethod
    def stations(cls, options: WebOptions, peers: int) -> Sequence[Station]:
        """One server, or a balancer and its fleet."""
        if options.servers == 1:
            return [Station(Server, "server", "acme")]
        fleet = [Station(Server, f"server{n}", "acme") for n in range(1, options.servers + 1)]
        return [Station(Balancer, "balancer", "acme"), *fleet]

    @classmethod
    def verdict(cls, facts: Facts, options: WebOptions) -> str | None:
        """Which part of the service is down, or refused."""
        if facts.hits or facts.trouble or facts.goal == PUBLISH.name:
            return None
        return f"No answer: {cls._missing(facts)}"

    @staticmethod
    def _missing(facts: Facts) -> str:
        stations = facts.stations
        up = [label for label, state in stations.items() if state in ("alive", "colluding")]
        front = stations.get("balancer", "alive")
        if not up:
            return f"all of the service is down, or cut off: {', '.join(f'{k} is {v}' for k, v in stations.items())}."
        if front not in ("alive", "colluding"):
            return f"the balancer is {front}, and nobody knows another way to the servers."
        if up == ["balancer"]:
            return "the balancer lives, but no server behind it answers."
        if facts.reached:
            if "colluding" in stations.values() or not words_of(facts.text):
                return "the service was asked, but it declined (451)."
            return "the service was asked, but it had too much to do (503), or answered too late."
        return "the service lives, but this client could not reach it."

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: WebOptions) -> Sequence[Theory]:
        """One request, which a balancer passes on."""
        if facts["goal"] == PUBLISH.name:
            return ()
        asked = 1 if options.servers == 1 else 2
        return (Theory("messages", asked, "O(1): one request to each machine on the way"), Theory("reached", asked))

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """Connect to the server or the balancer. The connection is kept alive (RFC 9112 section 9.3)."""
        if contacts:
            self.front = contacts[0]
            host.link(self.front)

    def ask(self, host: Host, ask: Ask) -> None:
        self._send(host, ask.text, host.options.retries)

    def _send(self, host: Host, text: str, tries: int) -> None:
        self.last += 1
        timer = host.after(int(host.options.timeout_s * 1e6), Waited(self.last))
        self.pending[self.last] = Pending(text, tries, timer)
        host.send(self.front, Request(self.last, text))

    @on(Response)
    def response(self, host: Host, sender: PeerId, message: Response) -> None:
        """The page, or an error. An overloaded service is asked again when the timeout is over."""
        if sender != self.front or message.number not in self.pending:
            return
        self.heard_us = host.now_us
        host.link(sender)
        if message.status == OVERLOADED:
            return
        pending = self.pending.pop(message.number)
        host.cancel(pending.timer)
        if message.status == OK:
            self.answered += 1
            host.hit(message.server, pending.text, by=sender)
        else:
            self.failed += 1
            host.log("unavailable", status=message.status)

    @on(Waited)
    def waited(self, host: Host, tick: Waited) -> None:
        """Try again, or give up."""
        pending = self.pending.pop(tick.number, None)
        if pending is None:
            return
        if pending.tries > 0:
            self._send(host, pending.text, pending.tries - 1)
        else:
            self.failed += 1
            host.log("gave up", content=pending.text)

    def stop(self, host: Host) -> None:
        host.unlink(self.front)

    def beliefs(self) -> Beliefs:
        known = {self.front: Belief(self.heard_us, "the service", alive=True)} if self.front >= 0 else {}
        facts = {"waiting": str(len(self.pending)), "answered": str(self.answered), "failed": str(self.failed)}
        return Beliefs(known, facts)


@dataclass(slots=True, eq=False)
class Server(Peer):
    """Answers requests in order, as fast as its line allows. `free_us` is when the line will be free."""

    role = "server"
    overlay = False
    shares_files = False
    has_all = True

    free_us: int = 0
    queued: int = 0
    answered: int = 0

    @on(Request)
    def request(self, host: Host, sender: PeerId, message: Request) -> None:
        """Answer a request: 451 for an empty path, which is what a ban leaves of it."""
        options = host.options
        if not words_of(message.text):
            host.send(sender, Response(message.number, UNAVAILABLE, "", host.me, Blob(0)))
            return
        if self.queued >= options.backlog:
            host.send(sender, Response(message.number, OVERLOADED, message.text, host.me, Blob(0)))
            return
        size = int(options.page_kb * 1_000)
        rate_mbit_s = host.line.up_kbit_s / 1_000 or options.uplink_mbit_s
        self.free_us = max(self.free_us, host.now_us) + int(size * 8 / rate_mbit_s)
        self.queued += 1
        response = Response(message.number, OK, message.text, host.me, Blob(size))
        if host.line.up_kbit_s:
            host.send(sender, response)
            host.after(self.free_us - host.now_us, Sendable(sender, None), cause=None)
            return
        host.after(self.free_us - host.now_us, Sendable(sender, response))

    @on(Sendable)
    def sendable(self, host: Host, tick: Sendable) -> None:
        self.queued -= 1
        self.answered += 1
        if tick.response is not None:
            host.send(tick.to, tick.response)

    def beliefs(self) -> Beliefs:
        return Beliefs(facts={"waiting for the line": str(self.queued), "answered": str(self.answered)})


@dataclass(slots=True, eq=False)
class Balancer(Peer):
    """A reverse proxy: passes requests to the servers in turn, for a while not to one that is silent or refuses."""

    role = "balancer"
    overlay = False
    shares_files = False

    servers: dict[PeerId, int | None] = field(default_factory=dict)
    """Each server and when it last spoke, in us."""
    aside: dict[PeerId, int] = field(default_factory=dict)
    """Servers believed dead, and until when, in us."""
    turn: int = 0
    last: int = 0
    pending: dict[int, Pending] = field(default_factory=dict)

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """The other stations are the servers."""
        fleet = [one for one in contacts if one != host.me][: host.options.servers]
        self.servers = dict.fromkeys(fleet)
        for server in fleet:
            host.link(server)

    @on(Request)
    def request(self, host: Host, sender: PeerId, message: Request) -> None:
        """Pass a request on, with at most one try for each server."""
        self._forward(host, sender, message.number, message.text, len(self.servers), host.cause)

    def _forward(self, host: Host, client: PeerId, number: int, text: str, tries: int, cause: Cause) -> None:
        # The cause is named, not inherited: a server's death, which starts a retry, descends from no ask.
        server = self._next(host.now_us) if tries > 0 else None
        if server is None:
            host.send(client, Response(number, OVERLOADED, text, host.me, Blob(0)), cause=cause)
            return
        self.last += 1
        timer = host.after(int(host.options.proxy_timeout_s * 1e6), Waited(self.last), cause=cause)
        self.pending[self.last] = Pending(text, tries - 1, timer, client, number, server, cause)
        host.send(server, Request(self.last, text), cause=cause)

    def _next(self, now_us: int) -> PeerId | None:
        """The next server in turn of those that are not set aside, or None."""
        fleet = list(self.servers)
        for step in range(len(fleet)):
            server = fleet[(self.turn + step) % len(fleet)]
            if self.aside.get(server, -1) <= now_us:
                self.turn += step + 1
                return server
        return None

    @on(Response)
    def response(self, host: Host, sender: PeerId, message: Response) -> None:
        """Pass a response back to the client, or try the next server if this one is overloaded."""
        if sender not in self.servers:
            return
        self.servers[sender] = host.now_us
        self.aside.pop(sender, None)
        host.link(sender)
        pending = self.pending.get(message.number)
        if pending is None or pending.server != sender:
            return
        if message.status == OVERLOADED:
            self._retry(host, message.number)
            return
        del self.pending[message.number]
        host.cancel(pending.timer)
        host.send(pending.client, Response(pending.number, message.status, message.text, sender, message.page))

    @on(Waited)
    def waited(self, host: Host, tick: Waited) -> None:
        """A server did not answer in time."""
        self._set_aside(host, tick.number)

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        if isinstance(message, Request):
            self._set_aside(host, message.number)

    def _set_aside(self, host: Host, number: int) -> None:
        pending = self.pending.get(number)
        if pending is not None:
            self.aside[pending.server] = host.now_us + int(host.options.retry_s * 1e6)
            host.log("aside", server=pending.server)
            self._retry(host, number)

    def _retry(self, host: Host, number: int) -> None:
        pending = self.pending.pop(number)
        host.cancel(pending.timer)
        self._forward(host, pending.client, pending.number, pending.text, pending.tries, pending.cause)

    def closed(self, host: Host, peer: PeerId) -> None:
        """Requests at a server that is gone go to another; those of a client that is gone are dropped."""
        for number, pending in list(self.pending.items()):
            if pending.server == peer:
                self._set_aside(host, number)
            elif pending.client == peer:
                del self.pending[number]
                host.cancel(pending.timer)
        if peer in self.servers:
            self.aside[peer] = host.now_us + int(host.options.retry_s * 1e6)

    def beliefs(self) -> Beliefs:
        known = {
            server: Belief(heard_us, "set aside" if server in self.aside else "in turn", alive=server not in self.aside)
            for server, heard_us in self.servers.items()
        }
        return Beliefs(known, {"in turn": str(len(self.servers) - len(self.aside)), "waiting": str(len(self.pending))})

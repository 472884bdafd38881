"""Client and server

All clients ask one service, whose address everybody knows. With `servers=1` it is one machine, "server"; with more, a
load balancer passes requests on to a fleet, so that the death of one server is not noticed. The balancer itself and the
operator remain single points of failure.

The service has whatever is asked for. Its limit is its line: answers leave one after the other, so N clients wait N
times as long (`uplink_mbit_s`, `page_kb`; the textbook bound N F / u). Where links have a capacity, the server's link
delays answers, and clients share it. HTTP (RFC 9110, 9112) has no timeouts; those here are of the order that proxies
and browsers use.
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
    Call,
    CallEnd,
    Facts,
    Host,
    Peer,
    PeerId,
    Station,
    Theory,
    Ticket,
    message,
    on,
    on_reply,
    on_timeout,
    option,
    words_of,
)
from ..kit import Failure, failed_again, may_be_asked

OK, UNAVAILABLE, OVERLOADED = 200, 451, 503
"""Status codes: RFC 9110 section 15; 451, for legal reasons, RFC 7725."""

REQUEST_HEAD = b"GET / HTTP/1.1\r\nHost: acme.example\r\n\r\n"
"""With an empty path: a request line and the one field that has to be there (RFC 9112 sections 3 and 3.2)."""
RESPONSE_HEAD = b"HTTP/1.1 200 OK\r\nVia: 1.1 server1\r\nContent-Length: 64000\r\n\r\n"
"""The bytes of this head are added to those of each page (RFC 9112 section 4; RFC 9110 sections 7.6.3 and 8.6)."""
UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
PAGE_MAX = 4_000_000_000
"""A larger page counts as so many bytes, since a message has to be smaller than 4 GiB."""


@message(part="question", about="text")
class Request:
    """GET. The answer comes back on the same connection, so a request needs no number."""

    text: str

    def wire_size(self) -> int:
        """An octet that is not unreserved takes three octets in a path (RFC 3986 section 2)."""
        path = self.text.encode("utf-8", "surrogatepass")
        return len(REQUEST_HEAD) + len(path) + 2 * len(path.translate(None, UNRESERVED))

    def without(self, word: str) -> Request:
        """A request with an empty path, which is answered with 451."""
        return Request("")


@message(part="answer")
class Response:
    """Status and page. `server`: the server that made it; on the wire a proxy names it in the field Via."""

    status: int
    text: str
    server: PeerId
    page: Blob

    def wire_size(self) -> int:
        return len(RESPONSE_HEAD) + max(0, min(self.page.size, PAGE_MAX))

    def about(self) -> Iterable[str]:
        """The page is there to read."""
        return words_of(self.text)

    def without(self, word: str) -> Response:
        """A response 451 without a page."""
        return Response(UNAVAILABLE, "", self.server, Blob(0))


@dataclass(slots=True)
class Try:
    """A client's request, which it may repeat `left` times. As a timer: its time ended at `until_us` without a page."""

    text: str
    left: int
    until_us: int


@dataclass(slots=True)
class Forwarding:
    """A client's request at the balancer, which may pass it on to `left` more servers."""

    ticket: Ticket
    text: str
    left: int


@dataclass(slots=True)
class Sendable:
    """The line has taken an answer: send it now. `response` is None if it was sent already and the link delays it."""

    to: Ticket
    response: Response | None


@dataclass(slots=True)
class WebOptions:
    """The size of the service, and timeouts."""

    servers: int = option(
        1, "machines of the service; more than one are behind a balancer", low=1, high=1_000, fixed=True
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


@dataclass(slots=True, eq=False)
class Client(Peer, name="web", options=WebOptions):
    """A user's browser."""

    role = "client"
    goals = (replace(FETCH, audience="one", one="server", what="a page: any name"),)
    overlay = False
    shares_files = False

    front: PeerId = -1
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
        self._get(host, ask.text, host.options.retries)

    def _get(self, host: Host, text: str, left: int) -> None:
        wait_us = int(host.options.timeout_s * 1e6)
        host.call(self.front, Request(text), timeout_us=wait_us, context=Try(text, left, host.now_us + wait_us))

    @on_reply(Request)
    def response(self, host: Host, sender: PeerId, answer: Response, context: Try) -> None:
        """The page, or an error. An overloaded service is asked again when the timeout is over."""
        self.heard_us = host.now_us
        host.link(sender)
        if answer.status == OVERLOADED:
            host.after(context.until_us - host.now_us, context)
        elif answer.status == OK:
            self.answered += 1
            host.hit(answer.server, context.text, by=sender)
        else:
            self.failed += 1
            host.log("unavailable", status=answer.status)

    @on_timeout(Request)
    def unanswered(self, host: Host, to: PeerId, context: Try, reason: CallEnd) -> None:
        """The service is silent or down: the client does not ask again before the timeout is over."""
        host.after(context.until_us - host.now_us, context)

    @on(Try)
    def try_again(self, host: Host, tick: Try) -> None:
        """Try again, or give up."""
        if tick.left > 0:
            self._get(host, tick.text, tick.left - 1)
        else:
            self.failed += 1
            host.log("gave up", content=tick.text)

    def stop(self, host: Host) -> None:
        host.unlink(self.front)

    def beliefs(self) -> Beliefs:
        known = {self.front: Belief(self.heard_us, "the service", alive=True)} if self.front >= 0 else {}
        return Beliefs(known, {"answered": str(self.answered), "failed": str(self.failed)})


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
            host.reply(Response(UNAVAILABLE, "", host.me, Blob(0)))
            return
        if self.queued >= options.backlog:
            host.reply(Response(OVERLOADED, message.text, host.me, Blob(0)))
            return
        size = int(options.page_kb * 1_000)
        rate_mbit_s = host.line.up_kbit_s / 1_000 or options.uplink_mbit_s
        self.free_us = max(self.free_us, host.now_us) + int(size * 8 / rate_mbit_s)
        self.queued += 1
        response = Response(OK, message.text, host.me, Blob(size))
        if host.line.up_kbit_s:
            host.reply(response)
            host.after(self.free_us - host.now_us, Sendable(host.request, None), cause=None)
            return
        host.after(self.free_us - host.now_us, Sendable(host.request, response))

    @on(Sendable)
    def sendable(self, host: Host, tick: Sendable) -> None:
        self.queued -= 1
        self.answered += 1
        if tick.response is not None:
            host.reply(tick.response, to=tick.to)

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
    aside: dict[PeerId, Failure] = field(default_factory=dict)
    """Servers believed dead, which get no requests for a time."""
    turn: int = 0
    calls: dict[Ticket, Call] = field(default_factory=dict)
    """For each request of a client that has no answer yet, the call of the server that it was passed on to."""

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """The other stations are the servers."""
        fleet = [one for one in contacts if one != host.me][: host.options.servers]
        self.servers = dict.fromkeys(fleet)
        for server in fleet:
            host.link(server)

    @on(Request)
    def request(self, host: Host, sender: PeerId, message: Request) -> None:
        """Pass a request on, with at most one try for each server."""
        self._forward(host, Forwarding(host.request, message.text, len(self.servers)))

    def _forward(self, host: Host, request: Forwarding) -> None:
        self.calls.pop(request.ticket, None)
        server = self._next(host.now_us) if request.left > 0 else None
        if server is None:
            host.reply(Response(OVERLOADED, request.text, host.me, Blob(0)), to=request.ticket)
            return
        rest = replace(request, left=request.left - 1)
        wait_us = int(host.options.proxy_timeout_s * 1e6)
        self.calls[request.ticket] = host.call(server, Request(request.text), timeout_us=wait_us, context=rest)

    def _next(self, now_us: int) -> PeerId | None:
        """The next server in turn of those that are not set aside, or None."""
        fleet = list(self.servers)
        for step in range(len(fleet)):
            server = fleet[(self.turn + step) % len(fleet)]
            if may_be_asked(self.aside, server, now_us):
                self.turn += step + 1
                return server
        return None

    @on_reply(Request)
    def response(self, host: Host, sender: PeerId, answer: Response, context: Forwarding) -> None:
        """Pass a response back to the client, or try the next server if this one is overloaded."""
        self.servers[sender] = host.now_us
        self.aside.pop(sender, None)
        host.link(sender)
        if answer.status == OVERLOADED:
            self._forward(host, context)
            return
        self.calls.pop(context.ticket, None)
        host.reply(Response(answer.status, answer.text, sender, answer.page), to=context.ticket)

    @on_timeout(Request)
    def unanswered(self, host: Host, to: PeerId, context: Forwarding, reason: CallEnd) -> None:
        """Pass the request on to the next server, and for a while none to this one."""
        self._set_aside(host, to)
        host.log("aside", server=to)
        self._forward(host, context)

    def _set_aside(self, host: Host, server: PeerId) -> None:
        failed_again(self.aside, server, host.now_us, int(host.options.retry_s * 1e6))

    def closed(self, host: Host, peer: PeerId) -> None:
        """Drop the requests of a client that is gone. For requests at a server that is gone, `unanswered` is called."""
        for ticket in [one for one in self.calls if one.sender == peer]:
            host.cancel(self.calls.pop(ticket))
        if peer in self.servers:
            self._set_aside(host, peer)

    def beliefs(self) -> Beliefs:
        known = {
            server: Belief(heard_us, "set aside" if server in self.aside else "in turn", alive=server not in self.aside)
            for server, heard_us in self.servers.items()
        }
        return Beliefs(known, {"in turn": str(len(self.servers) - len(self.aside)), "waiting": str(len(self.calls))})

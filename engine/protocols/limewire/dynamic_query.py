"""Dynamic querying: an ultrapeer asks a few neighbours first and goes on only while results are missing.

Source: Fisk, "Gnutella Dynamic Query Protocol" 0.1.
"""

from __future__ import annotations

from dataclasses import dataclass

RESULTS_WANTED, RESULTS_WANTED_OF_LEAF = 150, 50
"""For a leaf it is a third, since a leaf asks three ultrapeers."""
PROBE_CONNECTIONS, PROBE_TTL = 3, 2
WAIT_A_HOP_US = 2_400_000
WAIT_LESS_US = 100_000
"""For a rare file, each round waits so much less per hop, once 3,000 hosts were asked and fewer than ten results
came."""
RARE_HOSTS, RARE_RESULTS = 3_000, 10
HORIZON_MOST = 300_000
"""No more than so many hosts are asked."""


def hosts(degree: int, ttl: int) -> int:
    """Hosts that a query with this TTL comes to over one connection, in a network without cycles whose ultrapeers have
    `degree` connections: sum of (degree - 1) ** i, i = 0 .. ttl - 1."""
    return sum((degree - 1) ** hop for hop in range(ttl))


@dataclass(slots=True)
class DynamicQuery:
    """The state of one query at its ultrapeer.

    wanted, results   results that are looked for, and those that came
    reached           hosts that the query has come to in theory
    left              connections that it was not sent on yet
    """

    wanted: int
    left: int
    results: int = 0
    reached: int = 0
    wait_a_hop_us: int = WAIT_A_HOP_US

    def sent(self, degree: int, ttl: int) -> None:
        """The query was sent on one more connection."""
        self.left -= 1
        self.reached += hosts(degree, ttl)

    def finished(self) -> bool:
        """Whether there are enough results, or no connections, or the horizon is reached."""
        return self.results >= self.wanted or self.left <= 0 or self.reached >= HORIZON_MOST

    def next_ttl(self, degree: int, ttl_max: int) -> int:
        """The TTL for the next connection, whose ultrapeer has `degree` connections and accepts a TTL of `ttl_max` at
        most.

        The number of hosts still to be asked is the number of missing results, divided by the results per host so far.
        It is divided equally among the connections that are left.
        """
        missing = self.wanted - self.results
        per_host = self.results / self.reached if self.reached else 0.0
        if not per_host:
            return ttl_max
        per_connection = missing / per_host / max(self.left, 1)
        return next((ttl for ttl in range(1, ttl_max) if hosts(degree, ttl) >= per_connection), ttl_max)

    def wait_us(self, ttl: int) -> int:
        """How long to wait for results before the next connection, in us."""
        if self.reached > RARE_HOSTS and self.results < RARE_RESULTS:
            self.wait_a_hop_us = max(0, self.wait_a_hop_us - WAIT_LESS_US)
        return self.wait_a_hop_us * ttl

"""Swarms of routers for tests and benchmarks: the graph of their links, and what their tables should be at rest."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import networkx as nx

from engine import Swarm
from engine.protocols.routing import Router
from engine.protocols.routing.packets import HERE, address_of, lan_of, peer_of
from engine.protocols.routing.path_vector import Relation, Rib, Route


def router(swarm: Swarm, peer: int) -> Router:
    program = swarm.peer(peer)
    assert isinstance(program, Router)
    return program


def living(swarm: Swarm) -> dict[int, Router]:
    return {peer: router(swarm, peer) for peer in range(swarm.peers) if swarm.peer(peer) is not None}


def graph_of(swarm: Swarm) -> nx.Graph:
    """The links as they are, with what OSPF takes as their cost."""
    graph = nx.Graph()
    hosts = swarm.simulation.peer_hosts
    graph.add_nodes_from(living(swarm))
    for a in graph:
        graph.add_edges_from((a, b, {"weight": hosts[a].cost(b)}) for b in swarm.links_of(a))
    return graph


def far(one: Router) -> dict[int, int]:
    return {peer_of(prefix >> 6): distance for prefix, _, distance in one.speaker.routes()}


def by_the_policies(relations: dict[int, dict[int, Relation]], graph: nx.Graph) -> dict[int, dict[int, Route | None]]:
    """The routes of all systems at rest, found by telling each change at once."""
    ribs = {peer: Rib(peer) for peer in relations}
    for origin in ribs:
        prefix, waiting = lan_of(origin), [origin]
        ribs[origin].announce(prefix)
        while waiting:
            peer = waiting.pop(0)
            for other in graph[peer]:
                path = ribs[peer].told_to(other, relations[peer][other], prefix)
                if ribs[other].update(peer, relations[other][peer], prefix, path) and other not in waiting:
                    waiting.append(other)
    return {peer: {prefix: rib.route(prefix) for prefix in rib.best} for peer, rib in ribs.items()}


def valley_free(relations: Iterable[Relation]) -> bool:
    """Whether a path goes up to providers, over at most one link of peers, then down to customers. relations: what each
    next system on the way of a packet is to the one before."""
    order = {"provider": 0, "peer": 1, "customer": 2}
    steps = [order[one] for one in relations]
    return steps == sorted(steps) and steps.count(1) <= 1


def loops(swarm: Swarm, to: int) -> list[int]:
    """Routers from which a packet to `to` goes in a loop."""
    routers, address, found = living(swarm), address_of(to), []
    for peer in routers:
        at: int | None = peer
        for _ in range(len(routers) + 1):
            if at is None or at not in routers:
                break
            at = routers[at].speaker.next_hop(address)
            if at == HERE:
                break
        else:
            found.append(peer)
    return found


def at_rest(swarm: Swarm, protocol: str) -> None:
    """Raise AssertionError unless all tables are right: shortest distances (RIP, OSPF), or valley-free paths (BGP)."""
    graph, routers = graph_of(swarm), living(swarm)
    assert not [to for to in routers if loops(swarm, to)]
    if protocol != "path vector":
        weight = "weight" if protocol == "link state" else None
        for peer, lengths in nx.all_pairs_dijkstra_path_length(graph, weight=weight or 1):
            assert far(routers[peer]) == dict(lengths)
        return
    settled = by_the_policies({peer: one.bgp.rib.relations for peer, one in routers.items()}, graph)
    for peer, one in routers.items():
        rib = one.bgp.rib
        assert {prefix: rib.route(prefix) for prefix in rib.best} == settled[peer]
        for prefix in rib.best:
            route = rib.route(prefix)
            assert route is not None
            path = (peer, *route.path)
            assert len(set(path)) == len(path)
            assert path[-1] == peer_of(prefix >> 6)
            assert valley_free(routers[a].bgp.relation(b) for a, b in itertools.pairwise(path))

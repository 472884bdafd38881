"""LimeWire as a swarm: who becomes an ultrapeer, what a search costs, and how the network repairs itself."""

from __future__ import annotations

import pickle

import pytest
from limewire_trees import Tableless, Tree, reached_in_tree
from limewires import SECOND, at, swarm

from engine import AskFor, ContentSpec, Kill, Publish, Setup, Swarm
from engine.protocols.limewire.dynamic_query import hosts
from engine.setup import LinkSpec

TITLE = "a title that nobody else has"


def roles(made: Swarm) -> dict[bool, list[int]]:
    """Living ultrapeers, and living leaves."""
    alive = [one for one in made.simulation.users() if made.peer(one) is not None]
    return {role: [one for one in alive if at(made, one).ultrapeer is role] for role in (True, False)}


def agree(made: Swarm) -> bool:
    """Whether everybody's neighbours are its open streams, and both ends of a link say what the other is."""
    found = roles(made)
    for one in (*found[True], *found[False]):
        peer = at(made, one)
        if sorted((*peer.ups, *peer.leaves)) != sorted(made.links_of(one)):
            return False
        if any(one not in (at(made, up).ups if peer.ultrapeer else at(made, up).leaves) for up in peer.ups):
            return False
    return True


def test_a_network_that_has_been_running_has_its_links_and_tables() -> None:
    made = swarm()
    found = roles(made)
    assert all(len(at(made, one).ups) == 3 for one in found[False])
    assert all(len(at(made, one).leaves) <= 30 for one in found[True])
    assert all(len(at(made, one).ups) == len(found[True]) - 1 for one in found[True])
    assert agree(made)
    made.advance(29 * SECOND)
    metrics = made.simulation.metrics
    metrics.flush()
    kinds = {name for name, count in zip(metrics.kind_names, metrics.bytes_by_kind, strict=True) if count}
    assert kinds == {"Ping", "Pong"}, "nobody joins, nothing has changed"


def test_a_search_comes_to_ultrapeers_and_holders_and_to_few_other_leaves() -> None:
    made = swarm(peers=150, download=False)
    titles = made.catalogue_titles(40)
    for number in range(10):
        made.do(AskFor(roles(made)[False][number * 3], titles[number * 4]))
        made.advance(made.now_us + SECOND)
    made.advance(made.now_us + 10 * SECOND)
    ultrapeers = len(roles(made)[True])
    assert all(row.hits for row in made.asks())
    assert all(row.reached <= ultrapeers + row.hits + 10 for row in made.asks())


def test_what_is_published_is_found_by_the_last_hop_after_the_next_table() -> None:
    made = swarm()
    [holder, *_, asker] = roles(made)[False]
    made.do(Publish(holder, TITLE))
    made.advance(61 * SECOND)
    made.do(AskFor(asker, TITLE))
    made.advance(75 * SECOND)
    assert made.asks()[-1].hits == 1


def test_when_half_of_the_ultrapeers_die_leaves_find_others_and_some_are_promoted() -> None:
    made = swarm(peers=150)
    made.advance(5 * SECOND)
    before = roles(made)
    dead = made.do(Kill("role=ultrapeer and random 50%"))
    assert len(dead) == len(before[True]) // 2
    made.advance(65 * SECOND)
    found = roles(made)
    assert agree(made)
    assert set(found[True]) - set(before[True]), "somebody was promoted"
    assert all(at(made, one).ups for one in found[False])
    for number, asker in enumerate(found[False][:8]):
        made.do(AskFor(asker, made.catalogue_titles(40)[number]))
    made.advance(made.now_us + 8 * SECOND)
    assert made.success(65, 66) == 1.0


def test_only_those_that_pass_the_test_are_promoted() -> None:
    made = Swarm(
        Setup("limewire", 60, 3, latency="constant:50", links=LinkSpec(nat=0.5), asks_per_s=0),
    )
    before = roles(made)[True]
    made.do(Kill("role=ultrapeer"))
    made.advance(60 * SECOND)
    promoted = roles(made)[True]
    assert promoted
    assert not any(made.simulation.peer_hosts[one].line.nat for one in (*before, *promoted))


def test_the_verdict_tells_of_a_holder_that_had_no_way_to_answer() -> None:
    content = ContentSpec(items=60, replicas=1)
    made = Swarm(
        Setup("limewire", 60, 3, latency="constant:50", links=LinkSpec(nat=0.8), content=content, asks_per_s=0)
    )
    behind = [one for one in made.simulation.users() if made.simulation.peer_hosts[one].line.nat]
    holder = next(one for one in behind if len(made.library(one)))
    for asker in behind[:10]:
        if asker != holder:
            made.do(AskFor(asker, made.library(holder).files()[0].name))
    made.advance(60 * SECOND)
    told = [row.verdict for row in made.asks() if row.remarks]
    assert told
    assert all("One has it, but neither it nor the asker accepts connections" in verdict for verdict in told)


def test_a_network_of_newcomers_chooses_its_ultrapeers() -> None:
    made = swarm(peers=40, converged=False, demotion_s=20)
    assert not roles(made)[True]
    made.advance(150 * SECOND)
    found = roles(made)
    assert agree(made)
    assert all(at(made, one).ups for one in found[False])


def test_of_newcomers_as_many_become_ultrapeers_as_a_network_of_that_size_has() -> None:
    made = swarm(peers=100, converged=False)
    made.advance(15 * SECOND)
    wanted = len(roles(swarm(peers=100))[True])
    assert wanted / 2 <= len(roles(made)[True]) <= 2 * wanted
    assert all(at(made, one).ups for one in roles(made)[False])


def test_a_copy_goes_on_as_the_original_in_the_middle_of_a_dynamic_query() -> None:
    made = swarm(peers=150)
    made.do(AskFor(roles(made)[True][0], "no such thing anywhere"))
    made.advance(6 * SECOND)
    assert any(at(made, one).queries for one in roles(made)[True])
    copy = pickle.loads(pickle.dumps(made))
    for each in (made, copy):
        each.advance(40 * SECOND)
    assert copy.fingerprint() == made.fingerprint()


# --- the last hop --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("degree", "ttl"), [(4, 3), (5, 3)])
def test_the_last_hop_of_a_tree_is_that_of_the_formula(degree: int, ttl: int) -> None:
    reached = {program: reached_in_tree(program, degree, ttl) for program in (Tree, Tableless)}
    rest = degree - 3
    assert reached[Tableless] == 3 * hosts(degree, 2) + rest * hosts(degree, ttl)
    last = 3 * (degree - 1) + rest * (degree - 1) ** (ttl - 1)
    assert reached[Tableless] - reached[Tree] == last

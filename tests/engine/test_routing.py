"""IP routing in a swarm: packets, the three protocols at rest and after changes, false routes, hijacks, hosts."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import networkx as nx
import pytest
from routings import at_rest, far, graph_of, living, loops, router
from tiny import run_for

from engine import (
    Act,
    AskFor,
    AskRow,
    Commanded,
    Cut,
    FakeHost,
    InputError,
    Kill,
    Mend,
    Revive,
    Set,
    Setup,
    Swarm,
    TimeMachine,
    options_for,
)
from engine.lab.scenario import parse
from engine.protocols.routing import EndHost, Router
from engine.protocols.routing.distance_vector import Request, Response
from engine.protocols.routing.packets import (
    Answer,
    Attach,
    Packet,
    address_from,
    address_of,
    address_text,
    lan_of,
    longest,
    prefix_of,
    prefix_text,
)
from engine.protocols.routing.path_vector import hierarchy
from engine.record.codec import world_from_pieces, world_to_pieces

SECOND = 1_000_000
PROTOCOLS = ("distance vector", "link state", "path vector")
SETTLED_S = {"distance vector": 45, "link state": 12, "path vector": 75}
"""Detection is at once. RIP: two regular updates; OSPF: MinLSInterval; BGP: MRAI at each of some hops."""


def swarm_of(protocol: str, peers: int = 16, seed: int = 2, **options: Any) -> Swarm:
    values = {"protocol": protocol, "hosts_share": 0.0, **options}
    return Swarm(Setup("routing", peers, seed=seed, asks_per_s=0.0, options=values))


def ask(swarm: Swarm, peer: int, text: str, seconds: float = 4.0) -> AskRow:
    swarm.do(AskFor(peer, text))
    row = swarm.asks_total
    run_for(swarm, seconds)
    return swarm.record(row)


def changes(swarm: Swarm) -> list[AskRow]:
    return [row for row in swarm.asks() if row.by == "network"]


# --- addresses -----------------------------------------------------------------------------------------------------


def test_addresses_and_prefixes() -> None:
    assert address_text(address_of(300)) == "10.1.44.1"
    assert prefix_text(lan_of(300)) == "10.1.44.0/24"
    assert prefix_of("10.1.44.0/24") == lan_of(300) == prefix_of("#300")
    assert [address_from(text) for text in ("#17", "17", "10.0.17.1")] == [address_of(17)] * 3
    assert [address_from(text) for text in ("", "a name", "10.0.17", "10.0.17.256", "1234567890", "²")] == [None] * 6
    table = {prefix_of(text) for text in ("0.0.0.0/0", "10.1.0.0/16", "10.1.44.0/25")}
    assert longest(table, address_of(300)) == prefix_of("10.1.44.0/25")
    assert longest(table, address_of(301)) == prefix_of("10.1.0.0/16")
    assert longest(table, address_of(1)) == prefix_of("0.0.0.0/0")
    assert longest({lan_of(2): 0}, address_of(1)) is None


# --- packets -------------------------------------------------------------------------------------------------------


def test_a_packet_is_passed_on_answered_given_up_and_named() -> None:
    fake, one = FakeHost(me=1, options=options_for(Router, {"ttl": 9}, "options")), Router()
    fake.start(one)
    fake.now_us = SECOND
    fake.neighbours(one, (2, 3))
    fake.give(one, Response(((lan_of(7), 2),)), sender=2)
    fake.take()
    fake.give(one, Packet(5, address_of(7), "x", 6), sender=3)
    assert fake.take() == [(2, Packet(5, address_of(7), "x", 5))]
    fake.give(one, Packet(7, address_of(1), "x", 6), sender=2)
    assert fake.take() == [(2, Answer(1, address_of(7), "x", 8, address_of(1), 0, 3))]
    fake.give(one, Packet(7, address_of(9), "x", 6), sender=2)
    assert fake.take() == [(2, Answer(1, address_of(7), "x", 8, address_of(9), 1, 3))]
    fake.give(one, Packet(7, address_of(7), "x", 1), sender=2)
    assert fake.take() == [(2, Answer(1, address_of(7), "x", 8, address_of(7), 2, 8))]
    fake.give(one, Packet(3, 0, "any name at all", 6), sender=3)
    assert fake.take() == [(2, Packet(3, address_of(7), "any name at all", 5))], "of the two that it knows"
    fake.give(one, Packet(5, address_of(7), "x", 6), sender=9)
    assert fake.take() == [], "it has no link with the sender"
    fake.give(one, Answer(7, address_of(1), "x", 3, address_of(7), 0, 4), sender=2)
    assert fake.noted("hit") == [{"holder": 7, "content": "x"}]
    fake.give(one, Answer(8, address_of(1), "x", 3, address_of(7), 0, 4), sender=2)
    assert fake.noted("decoy") == [{"holder": 8, "content": "x"}]


def test_a_host_sends_all_to_its_gateway_and_looks_for_another_one_when_that_is_gone() -> None:
    fake, one = FakeHost(me=9, options=options_for(Router, {}, "options")), EndHost()
    fake.now_us = SECOND
    fake.start(one, contacts=(4,))
    fake.neighbours(one, ())
    assert fake.linked == [4]
    fake.open(one, 4)
    assert fake.take() == [(4, Attach())]
    fake.open(one, 5)
    assert fake.unlinked == [5], "one link is enough"
    fake.give(one, Packet(2, address_of(9), "x", 60), sender=4)
    assert fake.take() == [(4, Answer(9, address_of(2), "x", 64, address_of(9), 0, 5))]
    fake.end(one, 4)
    assert not one.joined(())
    fake.wait(one, 5 * SECOND)
    assert fake.linked == [4, 4]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_hosts_are_reached_behind_their_routers(protocol: str) -> None:
    swarm = swarm_of(protocol, peers=20, hosts_share=0.4)
    hosts = swarm.select("role=host")
    assert len(hosts) > 4
    assert all(len(swarm.links_of(one)) == 1 for one in hosts)
    swarm.do(*[AskFor("role=host", f"#{hosts[0]}")])
    run_for(swarm, 5)
    assert [row.hits for row in swarm.asks()] == [1] * len(hosts)
    gateway = swarm.links_of(hosts[0])[0]
    swarm.do(Cut((hosts[0], gateway)))
    run_for(swarm, 2)
    lost = ask(swarm, hosts[1], f"#{hosts[0]}", seconds=2)
    assert (lost.hits, lost.outcome) == (0, "no answer")
    assert "has no route to it" in lost.verdict
    run_for(swarm, SETTLED_S[protocol])
    assert swarm.links_of(hosts[0]) not in ((), (gateway,)), "it has found another router"
    assert ask(swarm, hosts[1], f"#{hosts[0]}").found == 1


# --- at rest, and after changes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("cold", [False, True])
def test_tables_are_right_when_a_run_begins_and_after_a_kill_a_revival_a_cut_and_a_mend(
    protocol: str, cold: bool
) -> None:
    swarm, settled_s = swarm_of(protocol, cold=cold), SETTLED_S[protocol]
    run_for(swarm, 150 if cold and protocol == "path vector" else settled_s)
    at_rest(swarm, protocol)
    if cold:
        told = changes(swarm)
        assert "all routers start" in {row.text for row in told}
        return
    assert not changes(swarm)
    link = (0, swarm.links_of(0)[0])
    for command in (Kill(5), Revive(5), Cut(link), Mend(link)):
        swarm.do(command)
        run_for(swarm, settled_s)
        at_rest(swarm, protocol)
    row = ask(swarm, 3, "#5")
    assert row.found == 1
    assert row.verdict.startswith("The packet arrived over")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_change_is_an_ask_that_shows_who_was_told(protocol: str) -> None:
    swarm = swarm_of(protocol)
    a, b = 0, max(swarm.links_of(0), key=lambda one: len(swarm.links_of(one)))
    run_for(swarm, 1)
    swarm.do(Cut((a, b)))
    run_for(swarm, SETTLED_S[protocol])
    [row] = changes(swarm)
    assert row.text == f"link {swarm.labels[min(a, b)]}-{swarm.labels[max(a, b)]} is down"
    assert 0 < row.reached < 16
    trace = swarm.trace(row.id)
    assert trace is not None
    assert trace.hop.max() == row.hops
    assert f"{row.reached} router" in row.verdict
    assert row.closed_us is not None
    assert row.verdict.endswith(f"; after {(row.closed_us - row.issued_us) / SECOND:.3g} s nobody had more to tell.")
    if protocol == "link state":
        assert row.reached >= 14, "an LSA goes to all, and both ends of the link begin"
        [one] = swarm.theory(row.id)
        assert row.messages == 2 * one.value, "both ends of the link send an LSA"
        assert row.closed_us - row.issued_us < 2 * SECOND


def test_an_lsa_that_tells_of_several_changes_counts_for_each() -> None:
    swarm = swarm_of("link state")
    run_for(swarm, 1)
    swarm.do(Kill(5))
    run_for(swarm, 10)
    swarm.do(Revive(5))
    run_for(swarm, 15)
    told = changes(swarm)
    assert {row.text.split(" ")[-1] for row in told} == {"down", "up"}
    assert all(row.reached >= 14 for row in told), [(row.text, row.reached) for row in told]


def test_without_split_horizon_a_chain_counts_to_infinity_and_with_it_it_does_not() -> None:
    for horizon, expected in (("off", False), ("simple", True), ("poisoned", True)):
        options = {"rip.horizon": horizon, "rip.triggered": False, "rip.in_order": True}
        values = {"hosts_share": 0.0, **options}
        swarm = Swarm(Setup("routing", 3, topology="tree:2", latency="constant:10", asks_per_s=0.0, options=values))
        swarm.advance(30_050_000)
        swarm.do(Cut((0, 2)))
        run_for(swarm, 90)
        assert all((2 not in far(router(swarm, peer))) == expected for peer in (0, 1))


def test_a_loop_is_shown_and_drops_packets() -> None:
    options = {"rip.horizon": "off", "rip.triggered": False, "rip.in_order": True, "towards": 2, "hosts_share": 0.0}
    swarm = Swarm(Setup("routing", 3, topology="tree:2", latency="constant:10", asks_per_s=0.0, options=options))
    swarm.advance(30_050_000)
    assert not swarm.snapshot().paths.loops.any()
    swarm.do(Cut((0, 2)))
    run_for(swarm, 2)
    assert swarm.snapshot().paths.loops.all()
    assert loops(swarm, 2) == [0, 1]
    row = ask(swarm, 1, "#2")
    assert row.hits == 0
    assert row.messages == 63, "a TTL of 64, less one at each router"
    assert "its time to live ended at p00" in row.verdict
    swarm.do(Mend((0, 2)))
    run_for(swarm, 2)
    assert not swarm.snapshot().paths.loops.any()


def test_a_silent_neighbour_is_noticed_by_timers_alone() -> None:
    for protocol, after_s in (("distance vector", 235), ("link state", 55), ("path vector", 260)):
        swarm = swarm_of(protocol, detect="timers")
        link = (0, swarm.links_of(0)[0])
        swarm.do(Cut(link))
        run_for(swarm, 25)
        assert not changes(swarm)
        run_for(swarm, after_s - 25)
        at_rest(swarm, protocol)
        told = [row.text for row in changes(swarm)]
        assert all("nothing was heard" in text or "no hello" in text for text in told)
        assert 1 <= len(told) <= 2, "each end of the link notices it once"


# --- verbs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_longer_prefix_takes_all_and_is_taken_back(protocol: str) -> None:
    swarm = swarm_of(protocol, **{"bgp.mrai_s": 1})
    swarm.do(Act(9, "hijack", {"prefix": "10.0.4.0/25"}))
    run_for(swarm, 12)
    swarm.do(AskFor("all", "#4"))
    run_for(swarm, 5)
    taken = swarm.asks()[-16:]
    assert sum(row.hits for row in taken) == 0
    told = {row.verdict.split(" that")[0] for row in taken if row.origin != 4}
    assert told == {"The packet came to a router", "The sender itself announces this address, which is not its own."}, (
        "even an answer to #4 itself goes to #9"
    )
    assert all("already" in swarm.min_cut(row.origin, "#4").sentence for row in taken)
    swarm.do(Act(9, "withdraw", {"prefix": "10.0.4.0/25"}))
    run_for(swarm, 12)
    assert ask(swarm, 0, "#4").hits == 1


def test_the_same_prefix_is_shared_between_those_who_announce_it() -> None:
    swarm = swarm_of("path vector", peers=24, seed=6, towards=4, **{"bgp.mrai_s": 1})
    swarm.do(Act(9, "hijack", {"prefix": "#4"}))
    run_for(swarm, 12)
    swarm.do(AskFor("all", "#4"))
    run_for(swarm, 5)
    rows = swarm.asks()[-24:]
    served = sum(row.hits for row in rows)
    assert 0 < served < 24
    column = swarm.snapshot(("origin",)).shown["origin"]
    counted = dict(zip(column.names, column.counts, strict=True))
    assert counted["#4"] + counted["#9"] == 24
    assert counted["#4"] == served


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_false_routes_are_believed_except_links_that_their_other_end_does_not_confirm(protocol: str) -> None:
    swarm = swarm_of(protocol, **{"bgp.mrai_s": 1})
    swarm.do(Act(9, "lie", {}))
    run_for(swarm, 40)
    swarm.do(AskFor("all", "#4"))
    run_for(swarm, 5)
    answered = sum(row.found > 0 for row in swarm.asks()[-16:])
    assert (answered < 16) == (protocol == "distance vector")
    with pytest.raises(InputError, match="it lies already"):
        swarm.do(Act(9, "lie", {}))
    swarm.do(Act(9, "tell-the-truth", {}))
    run_for(swarm, SETTLED_S[protocol])
    at_rest(swarm, protocol)


@pytest.mark.parametrize("verb", ["hijack", "announce", "withdraw"])
def test_a_text_that_is_no_prefix_is_refused_before_anything_is_done(verb: str) -> None:
    swarm = swarm_of("path vector")
    told = f'act: "prefix" of "{verb}": a prefix reads as "10.3.0.0/16", not "foo"'
    with pytest.raises(InputError) as refused:
        swarm.do(Act(5, verb, {"prefix": "foo"}))
    assert str(refused.value) == told
    assert not [one for one in swarm.events() if isinstance(one, Commanded)]
    assert list(router(swarm, 5).prefixes) == [lan_of(5)]
    text = 'title = "t"\nabout = "t"\nprotocol = "routing"\n[[at]]\ns = 1\ndo = "act"\npeers = "#5"\n'
    with pytest.raises(InputError, match="a prefix reads as"):
        parse(f'{text}name = "{verb}"\nvalues = {{ prefix = "10.0.0.1/8x" }}\n', "story")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_minimum_cut_says_if_the_asker_gets_no_answer_already(protocol: str) -> None:
    swarm = swarm_of(protocol, peers=20, hosts_share=0.3, **{"bgp.mrai_s": 1})
    host = swarm.select("role=host")[0]
    [gateway] = swarm.links_of(host)
    far_one = next(peer for peer in swarm.select("role=router") if peer not in (gateway, 9))
    assert swarm.min_cut(host, f"#{host}").sentence.endswith(f"needs nobody else for “#{host}”.")
    assert swarm.min_cut(host, f"#{far_one}").peers == (far_one,)
    swarm.do(Act(9, "hijack", {"prefix": f"10.0.{host}.0/25"}))
    run_for(swarm, 10)
    for text in (f"#{host}", "a name", "10.9.9.9", f"#{far_one}"):
        cuts = {peer: swarm.min_cut(peer, text) for peer in range(20)}
        swarm.do(AskFor("all", text))
        run_for(swarm, 3)
        for row in swarm.asks()[-20:]:
            assert ("already" in cuts[row.origin].sentence) == (row.hits == 0), (row, cuts[row.origin])
            assert bool(cuts[row.origin].peers) == (row.hits > 0 and row.hops > 0)
    swarm.do(Kill(gateway))
    for wait_s in (0, 1):
        run_for(swarm, wait_s)
        told = f"No gateway is up and would answer: p{host:03} is cut off from “#{far_one}” already."
        assert swarm.min_cut(host, f"#{far_one}").sentence == told
    assert ask(swarm, host, f"#{host}", 1).verdict == "It was for the sender itself."
    assert ask(swarm, host, f"#{far_one}", 1).verdict == "Not delivered: the host has no gateway."


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_there_is_no_minimum_cut_for_asks_of_the_network(protocol: str) -> None:
    swarm = swarm_of(protocol, peers=20, **{"bgp.mrai_s": 1})
    swarm.do(Kill(5))
    run_for(swarm, 30)
    news = next(row for row in swarm.asks() if row.goal == "update")
    cut = swarm.min_cut(news.origin, news.text, news.goal)
    assert not cut.peers
    assert cut.sentence.startswith(f"“{news.text}” is news that the network itself spreads")


def test_a_packet_that_is_lost_on_its_first_link_is_told_so() -> None:
    swarm = swarm_of("distance vector", slowest_kbit_s=16, buffer_bytes=100, packet_bytes=1_500)
    run_for(swarm, 1)
    to = swarm.links_of(0)[0]
    swarm.do(AskFor(0, f"#{to}"))
    row = ask(swarm, 0, f"#{to}", 10)
    assert swarm.asks()[-2].verdict.startswith("The packet arrived"), "it was on the link before"
    told = "No answer: the packet did not get over its first link; it or its answer was lost (queue: 1)."
    assert row.verdict == told


def test_a_dead_host_is_not_reported_as_a_hijack() -> None:
    swarm = swarm_of("link state", peers=20, hosts_share=0.4)
    host = swarm.select("role=host")[0]
    [gateway] = swarm.links_of(host)
    run_for(swarm, 1)
    swarm.do(Kill(host))
    run_for(swarm, 0.16)
    row = ask(swarm, gateway, f"#{host}", 0.01)
    assert row.verdict == f"Not delivered: p{gateway:03} has no host of that address."


# --- views and copies ---------------------------------------------------------------------------------------------


def test_the_table_is_seen_and_next_hops_to_the_chosen_destination_are_a_tree() -> None:
    swarm = swarm_of("link state", towards=3)
    run_for(swarm, 1)
    frame = swarm.snapshot(("routes", "distance", "way"))
    assert frame.shown["routes"].values.tolist() == [16.0] * 16
    assert frame.shown["distance"].values[3] == 0
    assert sorted(frame.paths.hops[:, 0].tolist()) == [peer for peer in range(16) if peer != 3]
    swarm.do(Set("towards", 5))
    run_for(swarm, 2)
    assert 5 not in swarm.snapshot().paths.hops[:, 0].tolist()
    assert all(hops[-1] == 5 for peer in range(16) for hops, _ in swarm.paths_of(peer))
    known = router(swarm, 0).beliefs().known
    assert known[0].what == "attached"
    assert all(f", cost {distance}" in known[to].what for to, distance in far(router(swarm, 0)).items() if to)


def test_costs_relations_and_load_of_links_are_shown(tmp_path: Path) -> None:
    (tmp_path / "weights.txt").write_text("0 1 10\n1 2 10\n0 2 50\n2 3 4\n")
    setup = Setup("routing", topology=str(tmp_path / "weights.txt"), latency="constant:7", asks_per_s=0.0)

    def told(peer: int, *commands: Cut, **options: Any) -> str:
        swarm = Swarm(replace(setup, options={"hosts_share": 0.0, **options}))
        run_for(swarm, 1)
        for command in commands:
            swarm.do(command)
        run_for(swarm, 0.005)
        return router(swarm, peer).beliefs().facts["links"]

    assert told(0) == "#1 costs 1, #2 costs 1"
    assert told(0, protocol="link state") == "#1 costs 10, #2 costs 50"
    assert told(0, Cut((0, 1)), protocol="link state") == "#2 costs 50"
    assert told(0, protocol="path vector") == "#1 is a peer, #2 is a provider"
    assert told(2, protocol="path vector") == "#0 is a customer, #1 is a customer, #3 is a customer"
    assert told(3, slowest_kbit_s=2_000) == "#2 costs 1 (2,000 kbit/s)"
    swarm = Swarm(replace(setup, options={"hosts_share": 0.0, "protocol": "link state", "slowest_kbit_s": 64}))
    run_for(swarm, 1)
    swarm.do(Cut((2, 3)))
    run_for(swarm, 1)
    swarm.do(Mend((2, 3)))
    run_for(swarm, 0.005)
    assert router(swarm, 3).beliefs().facts["links"] == "#2 is not in use yet (64 kbit/s)"
    run_for(swarm, 20)
    assert router(swarm, 3).beliefs().facts["links"] == "#2 costs 4 (64 kbit/s)"


def test_a_hierarchy_has_one_system_without_a_provider() -> None:
    swarm = swarm_of("path vector", peers=30, seed=4)
    relations = hierarchy(living(swarm))
    tops = [me for me, those in relations.items() if "provider" not in those.values()]
    assert len(tops) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_time_machine_and_a_copy_go_on_alike(protocol: str) -> None:
    machine = TimeMachine(Swarm(Setup("routing", 16, seed=2, asks_per_s=2.0, options={"protocol": protocol})))
    link = (0, machine.swarm.links_of(0)[0])
    for at_s, command in ((2, Cut(link)), (4, Kill(7)), (9, Mend(link)), (11, Revive(7))):
        machine.advance(at_s * SECOND)
        machine.swarm.do(command)
    machine.advance(30 * SECOND)
    live = machine.swarm.fingerprint()
    for at_us in (5 * SECOND, 30 * SECOND):
        for _ in machine.seek(at_us):
            pass
    assert machine.swarm.fingerprint() == live
    copy: Swarm = pickle.loads(pickle.dumps(machine.swarm))
    copy.advance(50 * SECOND)
    machine.swarm.advance(50 * SECOND)
    assert copy.fingerprint() == machine.swarm.fingerprint()
    machine.close()


def test_a_newcomer_finds_routers_and_is_reached() -> None:
    from engine import Arrive

    swarm = swarm_of("distance vector")
    run_for(swarm, 1)
    swarm.do(Arrive(2))
    run_for(swarm, 40)
    assert len(swarm.links_of(16)) == 2
    assert ask(swarm, 3, "#16").found == 1
    assert ask(swarm, 17, "#16").found == 1


def test_a_request_is_answered_with_all_routes() -> None:
    fake, one = FakeHost(me=1, options=options_for(Router, {}, "options")), Router()
    fake.start(one)
    fake.now_us = SECOND
    fake.neighbours(one, (2,))
    assert fake.take() == [(2, Request())]
    fake.give(one, Request(), sender=2)
    assert fake.take() == [(2, Response(((lan_of(1), 0),)))]
    fake.give(one, Request(), sender=3)
    assert fake.take() == []


def test_weights_of_a_file_are_the_costs_of_its_links(tmp_path: Path) -> None:
    """0 - 1 - 2 costs less than 0 - 2. A link that is not in the file costs the median."""
    (tmp_path / "weights.txt").write_text("0 1 10\n1 2 10\n0 2 50\n2 3 4\n")
    setup = Setup("routing", topology=str(tmp_path / "weights.txt"), latency="constant:7", asks_per_s=0.0)
    for metric, distance in (("weight", 24), ("delay", 14), ("hops", 2)):
        options = {"protocol": "link state", "hosts_share": 0.0, "ospf.metric": metric}
        swarm = Swarm(replace(setup, options=options))
        assert far(router(swarm, 0))[3] == distance
        at_rest(swarm, "link state") if metric == "weight" else None
    host = swarm.simulation.peer_hosts[0]
    assert [host.cost(peer) for peer in (1, 2, 3, 99)] == [10, 50, 10, 10]
    assert [host.delay_ms(peer) for peer in (1, 2, 3, 99)] == [7, 7, 7, 1]


def test_distances_of_rip_are_the_costs_of_links_if_that_is_wanted(tmp_path: Path) -> None:
    """When the run begins, after a cut and a mend, and when tables were empty; 16 is too far."""
    rng = Random(5)
    pairs = [(peer, rng.randrange(peer)) for peer in range(1, 24)] + [
        tuple(rng.sample(range(24), 2)) for _ in range(20)
    ]
    (tmp_path / "w.txt").write_text("".join(f"{a} {b} {rng.randint(1, 7)}\n" for a, b in pairs))
    setup = Setup("routing", topology=str(tmp_path / "w.txt"), asks_per_s=0.0)
    options = {"hosts_share": 0.0, "rip.metric": "weight"}
    for cold in (False, True):
        swarm = Swarm(replace(setup, options=options | {"cold": cold}))
        run_for(swarm, 200 * cold)
        for command in (None, Cut((23, swarm.links_of(23)[0])), Mend("all")):
            if command is not None:
                swarm.do(command)
                run_for(swarm, 200)
            right = dict(nx.all_pairs_dijkstra_path_length(graph_of(swarm), cutoff=15))
            assert all(far(one) == right[peer] for peer, one in living(swarm).items())
    longest = max(max(row.values()) for row in right.values())
    assert longest == 15, "some are farther away"
    assert min(map(len, right.values())) < 24
    plain = Swarm(replace(setup, options={"hosts_share": 0.0}))
    at_rest(plain, "distance vector")


def test_a_recording_replays_with_the_costs_of_links_though_the_file_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "weights.txt"
    path.write_text("0 1 10\n1 2 10\n0 2 50\n2 3 4\n")
    options = {"protocol": "link state", "hosts_share": 0.0}
    world = Swarm(Setup("routing", topology=str(path), options=options)).world
    path.unlink()
    again = world_from_pieces(world_to_pieces(world))
    assert again.graph.costs is not None
    assert world.graph.costs is not None
    assert again.graph.costs.tolist() == world.graph.costs.tolist() == [10, 50, 10, 4]
    few = [(name, data[:-4] if name == "costs" else data) for name, data in world_to_pieces(world)]
    free = [(name, b"\0" * len(data) if name == "costs" else data) for name, data in world_to_pieces(world)]
    for damaged in (few, free):
        with pytest.raises(InputError, match=r"the world in it is damaged \(costs\)"):
            world_from_pieces(damaged)
